"""Label selectors, as the reference evaluator asks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Labels: TypeAlias = Mapping[str, str]


def selects(selector: Mapping[str, Any] | None, labels: Labels | None) -> bool:
    """Whether a label selector selects a set of labels (P11).

    The empty selector selects all. As in Kubernetes, no selector at all (None) and an unknown operator select
    nothing; a policy's absent or null selector has a meaning of its own and does not get here.
    """
    if selector is None:
        return False
    present = labels or {}
    wanted = (selector.get("matchLabels") or {}).items()
    requirements = selector.get("matchExpressions") or ()
    return all(present.get(key) == value for key, value in wanted) and all(
        _requirement_holds(requirement, present) for requirement in requirements
    )


def _requirement_holds(expression: Mapping[str, Any], labels: Labels) -> bool:
    key = expression["key"]
    match expression["operator"]:
        case "In":
            return key in labels and labels[key] in expression["values"]
        case "NotIn":
            return key not in labels or labels[key] not in expression["values"]
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
