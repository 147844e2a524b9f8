"""Label selectors of the API: validated as the API server does (P11), and made canonical."""

from __future__ import annotations

from collections.abc import Callable

from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.diagnostics import did_you_mean
from npc.compiler.frontend.names import label_key_fault, label_value_fault
from npc.compiler.frontend.shapes import Problem, invalid, quoted
from npc.compiler.frontend.source import PathInDocument
from npc.compiler.frontend.syntax import EVERYTHING, Operator, Requirement, Selector

Report = Callable[[Problem], None]


def read_selector(selector: schema.LabelSelector, path: PathInDocument, report: Report) -> Selector:
    """The canonical form of a selector; what is invalid is reported."""
    if not selector.match_labels and not selector.match_expressions:
        return EVERYTHING
    requirements = []
    if selector.match_labels:
        labels = read_labels(selector.match_labels, (*path, "matchLabels"), report)
        requirements = [Requirement(key, Operator.IN, (value,)) for key, value in labels.items()]
    for index, expression in enumerate(selector.match_expressions or ()):
        requirement = _read_expression(expression, (*path, "matchExpressions", index), report)
        if requirement is not None:
            requirements.append(requirement)
    return Selector.of(requirements)


def read_labels(labels: schema.Labels, path: PathInDocument, report: Report) -> dict[str, str]:
    """Labels with null values read as empty; keys and values are validated."""
    read = {}
    for key, value in labels.items():
        if (fault := label_key_fault(key)) is not None:
            report(invalid(path, quoted(key), "a label key", fault, show=(*path, key), on_key=True))
        if value is None:
            report(
                Problem(
                    (*path, key),
                    codes.NULL_LABEL,
                    f"the value of {quoted(key)} is null; it is read as empty",
                    help='write "" for the empty value',
                )
            )
            value = ""
        elif (fault := label_value_fault(value)) is not None:
            report(invalid(path, quoted(value), "a label value", fault, show=(*path, key)))
        read[key] = value
    return read


def _read_expression(
    expression: schema.LabelSelectorRequirement, path: PathInDocument, report: Report
) -> Requirement | None:
    values = expression.values or []
    if (fault := label_key_fault(expression.key)) is not None:
        report(invalid((*path, "key"), quoted(expression.key), "a label key", fault))
    try:
        operator = Operator(expression.operator)
    except ValueError:
        operators = [one.value for one in Operator]
        report(
            invalid(
                (*path, "operator"),
                quoted(expression.operator),
                "an operator",
                help=did_you_mean(expression.operator, operators)
                if expression.operator
                else "expected one of: " + ", ".join(operators),
            )
        )
        return None
    takes_values = operator in (Operator.IN, Operator.NOT_IN)
    if takes_values and not values:
        report(
            Problem(
                (*path, "values"),
                codes.REQUIRED,
                f"Required value: {operator} needs at least one",
                "Required",
                help="for any value at all there is Exists, for none DoesNotExist",
            )
        )
    if not takes_values and values:
        report(
            Problem(
                (*path, "values"),
                codes.FORBIDDEN,
                f"Forbidden: {operator} takes no values",
                "Forbidden",
                help="leave them out, or write In or NotIn",
            )
        )
    for index, value in enumerate(values):
        if (fault := label_value_fault(value)) is not None:
            report(invalid((*path, "values", index), quoted(value), "a label value", fault))
    return Requirement(expression.key, operator, tuple(sorted(set(values))))
