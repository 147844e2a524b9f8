"""Cluster policies of equal priority that disagree: the API leaves open which of them is asked first (C2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby

from npc.compiler.algebra.intervals import Intervals
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.syntax import ClusterPolicy, Direction
from npc.compiler.inventory import ContainerPort, Endpoint
from npc.compiler.labels import Bits, members
from npc.compiler.resolve import Model, names_ports
from npc.compiler.tiers import Match, Ordered, Packets


def ambiguous_priorities(model: Model) -> Iterator[Diagnostic]:
    """A warning for each two policies that would decide differently about some packet."""
    search = _Search(model)
    ordered = sorted(model.cluster_policies, key=_rank)
    for _, alike in groupby(ordered, key=_rank):
        for one, other in combinations(sorted(alike, key=str), 2):
            yield from search.disagreement(one, other)


@dataclass(slots=True)
class _Search:
    """Compares policies; what it has found out about each of them it keeps."""

    model: Model
    _decided: dict[tuple[int, Direction, tuple[ContainerPort, ...]], tuple[Ordered, Intervals]] = field(
        default_factory=dict
    )
    """What a policy's rules come to, and all the traffic that they speak of."""

    def disagreement(self, one: ClusterPolicy, other: ClusterPolicy) -> Iterator[Diagnostic]:
        """The first two rules that disagree at an endpoint that both policies are for."""
        for direction in Direction:
            rules = (*one.rules(direction), *other.rules(direction))
            if (
                not one.rules(direction)
                or not other.rules(direction)
                or len({rule.action for rule in rules}) < 2
            ):
                continue
            for subject in self._unlike((one, other), direction):
                (left, own), (right, others) = (
                    self._ordered(policy, direction, subject) for policy in (one, other)
                )
                if not own & others:
                    continue
                conflict = _conflict(left, right)
                for first in left.matches if conflict else ():
                    for second in right.matches:
                        differs = first.rule.action is not second.rule.action
                        if differs and _common(first, second, conflict):
                            yield _diagnostic(one, other, first, second, subject)
                            return

    def _unlike(self, policies: Sequence[ClusterPolicy], direction: Direction) -> Iterator[Endpoint]:
        """Endpoints that all the policies are for, and for which their rules may mean different packets."""
        shared: Bits = -1
        for policy in policies:
            shared &= self.model.subjects(policy)
        by_ports = direction is Direction.INGRESS and any(names_ports(one, direction) for one in policies)
        seen = set()
        for number in members(shared):
            subject = self.model.inventory.endpoints[number]
            ports = subject.ports if by_ports else ()
            if ports not in seen:
                seen.add(ports)
                yield subject
            if not by_ports:
                return

    def _ordered(
        self, policy: ClusterPolicy, direction: Direction, subject: Endpoint
    ) -> tuple[Ordered, Intervals]:
        ports = subject.ports if names_ports(policy, direction) else ()
        key = id(policy), direction, ports
        if key not in self._decided:
            found = Ordered.of(
                self.model.match(policy, index, direction, subject)
                for index in range(len(policy.rules(direction)))
            )
            ranges = ((low, high) for match in found.matches for low, high, _ in match.packets.parts)
            self._decided[key] = found, Intervals.of(*ranges)
        return self._decided[key]


def _conflict(left: Ordered, right: Ordered) -> Packets:
    """The packets that two policies, each by itself, decide differently about."""
    one, other = left.outcome, right.outcome
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
