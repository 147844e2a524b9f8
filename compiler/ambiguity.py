"""Cluster policies of equal priority that disagree: the API leaves open which of them is asked first (C2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.syntax import ClusterPolicy, Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.labels import members
from npc.compiler.resolve import Model, names_ports
from npc.compiler.tiers import Match, Ordered, Packets


def ambiguous_priorities(model: Model) -> Iterator[Diagnostic]:
    """A warning for each two policies that would decide differently about some packet."""
    ordered = sorted(model.cluster_policies, key=_rank)
    for _, alike in groupby(ordered, key=_rank):
        for one, other in combinations(sorted(alike, key=str), 2):
            yield from _disagreement(model, one, other)


def _disagreement(model: Model, one: ClusterPolicy, other: ClusterPolicy) -> Iterator[Diagnostic]:
    """The first two rules that disagree at an endpoint that both policies are for."""
    shared = model.subjects(one) & model.subjects(other)
    subjects = [model.inventory.endpoints[number] for number in members(shared)]
    for direction in Direction:
        if not one.rules(direction) or not other.rules(direction):
            continue
        for subject in _unlike(subjects, (one, other), direction):
            left, right = (
                [
                    model.match(policy, index, direction, subject)
                    for index in range(len(policy.rules(direction)))
                ]
                for policy in (one, other)
            )
            conflict = _conflict(left, right)
            for first in left:
                for second in right:
                    if first.rule.action is not second.rule.action and _common(first, second, conflict):
                        yield _diagnostic(one, other, first, second, subject)
                        return


def _unlike(
    subjects: Sequence[Endpoint], policies: Sequence[ClusterPolicy], direction: Direction
) -> Iterator[Endpoint]:
    """Subjects for which the policies' rules may mean different packets."""
    by_ports = direction is Direction.INGRESS and any(names_ports(one, direction) for one in policies)
    unlike = {subject.ports if by_ports else (): subject for subject in reversed(subjects)}
    yield from unlike.values()


def _conflict(left: Sequence[Match], right: Sequence[Match]) -> Packets:
    """The packets that two policies, each by itself, decide differently about."""
    one, other = Ordered.of(left).outcome, Ordered.of(right).outcome
    return (
        one.allowed & (other.denied | other.passed)
        | one.denied & (other.allowed | other.passed)
        | one.passed & other.decided
    )


def _common(first: Match, second: Match, conflict: Packets) -> bool:
    return any(peers.addresses() for _, _, peers in (first.packets & second.packets & conflict).parts)


def _diagnostic(
    one: ClusterPolicy, other: ClusterPolicy, first: Match, second: Match, subject: Endpoint
) -> Diagnostic:
    return Diagnostic(
        codes.AMBIGUOUS_PRIORITY,
        f"the {one.kind} {one} and the {other.kind} {other} both have the priority {one.priority}"
        f" and disagree about the same packets of {subject}",
        second.rule.origin,
        label=f"{second.rule.action.value}: {other} is asked after {one}, in the order of their names",
        help="give them different priorities: which of them decides is left open by the API",
        related=(Related(first.rule.origin, f"{first.rule.action.value}: decides here"),),
    )


def _rank(policy: ClusterPolicy) -> tuple[str, int]:
    return policy.tier.value, policy.priority
