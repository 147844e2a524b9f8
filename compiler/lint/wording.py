"""What can be seen in a policy by itself: selectors without sense, rules without effect, open doors."""

from __future__ import annotations

from collections.abc import Iterator

from npc.compiler.algebra.addresses import EVERY_V4, EVERY_V6
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.reread import reread
from npc.compiler.frontend.source import Origin
from npc.compiler.frontend.syntax import (
    Action,
    Block,
    ClusterPolicy,
    Direction,
    NetworkPolicy,
    Nodes,
    Peer,
    Pods,
    Policy,
    Rule,
    Selector,
)
from npc.compiler.lint.checked import Checked, about, is_in_yaml, peer_origin
from npc.compiler.lint.label_sets import contradiction
from npc.compiler.resolve import addresses_of

_TYPES = {Direction.INGRESS: "Ingress", Direction.EGRESS: "Egress"}


def contradictions(checked: Checked) -> Iterator[Diagnostic]:
    """NPC710."""
    for policy in checked.all:
        yield from _contradictions_of_subject(policy)
    for one in checked.rules():
        for index, peer in enumerate(one.rule.peers or ()):
            for field, selector in _selectors(peer):
                origin = peer_origin(one, index)
                if isinstance(one.policy, NetworkPolicy):
                    origin = origin.at(field)
                yield from _contradiction(one.policy, selector, origin)


def inert_rules(checked: Checked) -> Iterator[Diagnostic]:
    """NPC410, of policyTypes: what the policy language can say is reported where it is read (P4)."""
    for policy in checked.policies:
        for direction, rules in (Direction.INGRESS, policy.ingress), (Direction.EGRESS, policy.egress):
            if rules and direction not in policy.isolates and is_in_yaml(policy.origin):
                which = "the rule does" if len(rules) == 1 else f"this rule and {len(rules) - 1:,} more do"
                yield Diagnostic(
                    codes.INERT,
                    f"{which} nothing: policyTypes does not have {_TYPES[direction]}",
                    rules[0].origin,
                    help=f"add {_TYPES[direction]} to policyTypes, or remove spec.{direction.value}",
                    about=about(policy),
                )


def open_rules(checked: Checked) -> Iterator[Diagnostic]:
    """NPC708."""
    for one in checked.rules():
        rule = one.rule
        is_meant = one.direction is Direction.INGRESS and rule.ports is None and rule.action is Action.ALLOW
        if is_meant and (whom := _everyone(rule)) is not None:
            yield Diagnostic(
                codes.LETS_ALL_IN,
                f"the rule lets {whom} in, on every port",
                rule.origin,
                help="say who may come in, or on which ports",
                about=about(one.policy),
            )


def wide_rules(checked: Checked) -> Iterator[Diagnostic]:
    """NPC709: as NPC708, but for some ports, or for what goes out."""
    for one in checked.rules():
        rule = one.rule
        is_worse = one.direction is Direction.INGRESS and rule.ports is None
        if rule.action is Action.ALLOW and not is_worse and (whom := _everyone(rule)) is not None:
            is_in = one.direction is Direction.INGRESS
            way = f"lets {whom} in" if is_in else f"lets traffic out to {whom}"
            yield Diagnostic(
                codes.WIDE,
                f"the rule {way}",
                rule.origin,
                help=f"say who may {'come in' if is_in else 'be reached'}",
                about=about(one.policy),
            )


def missing_policy_types(checked: Checked) -> Iterator[Diagnostic]:
    """NPC711. Reads the policies once more: what was not written is not kept (P4)."""
    in_yaml = [one for one in checked.policies if is_in_yaml(one.origin)]
    try:
        values = reread(one.origin for one in in_yaml)
    except LookupError:
        return
    for policy in in_yaml:
        value = values[policy.origin]
        spec = value.get("spec") or {}
        if not spec.get("policyTypes"):
            types = ", ".join(_TYPES[one] for one in Direction if one in policy.isolates)
            yield Diagnostic(
                codes.NO_POLICY_TYPES,
                f"policyTypes is missing: it defaults to {types}",
                policy.origin.at("spec") if value.get("spec") else policy.origin,
                help=f"write policyTypes: [{types}]",
                about=about(policy),
            )


def _contradictions_of_subject(policy: Policy) -> Iterator[Diagnostic]:
    match policy:
        case NetworkPolicy(subject=subject, origin=origin):
            yield from _contradiction(policy, subject, origin.at("spec", "podSelector"))
        case ClusterPolicy(subject=pods, origin=origin):
            for _, selector in _selectors(pods):
                yield from _contradiction(policy, selector, origin.at("spec", "subject"))


def _selectors(peer: Peer) -> Iterator[tuple[str, Selector]]:
    match peer:
        case Pods(pods=pods, namespaces=namespaces):
            yield "podSelector", pods
            if namespaces is not None:
                yield "namespaceSelector", namespaces
        case Nodes(nodes=nodes):
            yield "nodes", nodes
        case _:
            return


def _contradiction(policy: Policy, selector: Selector, origin: Origin) -> Iterator[Diagnostic]:
    if found := contradiction(selector):
        yield Diagnostic(
            codes.CONTRADICTION,
            f"the selector can match nothing: {' and '.join(map(str, found))} cannot hold together",
            origin,
            help="all conditions of a selector hold at once; for one of several values there is In",
            about=about(policy),
        )


def _everyone(rule: Rule) -> str | None:
    """Whom a rule is for, where that is everyone of a family."""
    if rule.peers is None:
        return "everyone"
    blocks = Intervals.union(addresses_of(one) for one in rule.peers if isinstance(one, Block))
    families = [name for name, every in (("IPv4", EVERY_V4), ("IPv6", EVERY_V6)) if every <= blocks]
    return f"every {' and '.join(families)} address" if families else None
