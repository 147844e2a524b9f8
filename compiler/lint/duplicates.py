"""What stands twice: peers and ports in a rule, rules in a policy, policies under two names."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.source import Origin
from npc.compiler.frontend.syntax import ClusterPolicy, Direction, NetworkPolicy, Policy, Rule
from npc.compiler.lint.checked import (
    Checked,
    Placed,
    about,
    is_in_yaml,
    peer_origin,
    placed,
    port_origin,
)


def duplicates(checked: Checked) -> Iterator[Diagnostic]:
    """NPC712."""
    yield from _in_language(checked)
    for one in checked.rules():
        if isinstance(one.policy, NetworkPolicy) and is_in_yaml(one.rule.origin):
            peers = [peer_origin(one, index) for index in range(len(one.rule.peers or ()))]
            yield from _twice(one, "peer", one.rule.peers or (), peers)
            ports = [port_origin(one, index) for index in range(len(one.rule.ports or ()))]
            yield from _twice(one, "port", one.rule.ports or (), ports)
    namesakes = {id(policy) for policy, _ in _equal_policies(checked)}
    for policy in checked.all:
        if id(policy) not in namesakes:
            for direction in Direction:
                for one, first in _equal_rules(policy, direction):
                    yield _diagnostic(one, "rule", one.rule.origin, first.origin)


def _in_language(checked: Checked) -> Iterator[Diagnostic]:
    """Peers and ports of rules in the policy language."""
    rules = [one for one in checked.rules() if not is_in_yaml(one.rule.origin)]
    if not rules:
        return
    from npc.compiler.lint.statements import Statements  # YAML needs not wait for the language

    statements = Statements()
    for one in rules:
        for what, origin, first in statements.twice(one.rule):
            yield _diagnostic(one, what, origin, first)


def same_meaning(checked: Checked) -> Iterator[Diagnostic]:
    """NPC713."""
    for policy, first in _equal_policies(checked):
        yield Diagnostic(
            codes.SAME_MEANING,
            f"the {policy.kind} {policy} says the same as {first}",
            policy.origin.at("metadata", "name"),
            help="remove one of them",
            related=(Related(first.origin.at("metadata", "name"), "the same policy"),),
        )


def repeated(checked: Checked) -> Iterator[Rule]:
    """The rules that stand in the input before, in their policy or in another that says the same."""
    for policy in checked.all:
        for direction in Direction:
            yield from (one.rule for one, _ in _equal_rules(policy, direction))
    for policy, _ in _equal_policies(checked):
        yield from (*policy.ingress, *policy.egress)


def _equal_policies(checked: Checked) -> Iterator[tuple[Policy, Policy]]:
    """Policies with the first that says the same."""
    seen: dict[Hashable, Policy] = {}
    for policy in checked.all:
        first = seen.setdefault(_meaning(policy), policy)
        if first is not policy:
            yield policy, first


def _equal_rules(policy: Policy, direction: Direction) -> Iterator[tuple[Placed, Rule]]:
    """Rules with the first of the policy that says the same.

    Of a cluster policy none: a rule that is tried again never decides, which is another lint's.
    """
    if isinstance(policy, ClusterPolicy):
        return
    seen: dict[Hashable, Rule] = {}
    for one in placed(policy, direction):
        first = seen.setdefault(said(one.rule), one.rule)
        if first is not one.rule:
            yield one, first


def _twice(
    one: Placed, what: str, listed: Sequence[Hashable], origins: Sequence[Origin]
) -> Iterator[Diagnostic]:
    seen: dict[Hashable, int] = {}
    for index, thing in enumerate(listed):
        first = seen.setdefault(thing, index)
        if first != index:
            yield _diagnostic(one, what, origins[index], origins[first])


def _diagnostic(one: Placed, what: str, origin: Origin, first: Origin) -> Diagnostic:
    return Diagnostic(
        codes.DUPLICATE,
        f"the {what} stands twice",
        origin,
        help="remove it",
        about=about(one.policy),
        related=(Related(first, "first here"),),
    )


def said(rule: Rule) -> Hashable:
    """What a rule says, in whatever order it lists peers and ports."""
    peers, ports = (None if some is None else frozenset(some) for some in (rule.peers, rule.ports))
    return peers, ports, rule.action, rule.name, rule.log, rule.until


def _meaning(policy: Policy) -> Hashable:
    match policy:
        case NetworkPolicy():
            rules = (frozenset(map(said, policy.rules(direction))) for direction in Direction)
            return policy.namespace, policy.subject, policy.isolates, *rules
        case ClusterPolicy():
            in_order = (tuple(map(said, policy.rules(direction))) for direction in Direction)
            return policy.tier, policy.priority, policy.subject, *in_order
