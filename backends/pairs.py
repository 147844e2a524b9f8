"""Connections between endpoints that one look-up can allow, and the plan for all others.

Where a ruleset has hundreds of endpoints, what a packet costs is memory: the set of its class's peers, the
class's chain, the map that leads to it are in no cache, and that for both ends. So what both ends allow to
each other is put into one set of (source, traffic, destination), and the rules that thereby have nothing
left to say leave their classes. What stays are blocks, and groups or ports too many to be listed; then many
classes have the same rules left and become one.

A packet that is in no pair is decided by the rest as by the whole plan, and at the same end: a rule leaves
an egress class only when all of its packets are pairs; an ingress class too where the others are denied at
their source. Classes with rules that log keep all they have, and their endpoints are in no pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Peers
from npc.compiler.arms import Arm, Arms, packets
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Class, LoggedRule, Plan

_WITH_PORTS = frozenset(traffic.NUMBERS.values())

Pair = tuple[int, int, int]
"""Source, traffic and destination."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When connections are listed, and which."""

    from_subjects: int
    """Isolated addresses from which on a ruleset lists connections."""
    most_a_subject: int
    """Connections that one rule may allow to one subject, to be listed."""
    most: int
    """Connections listed in all, those of the smallest rules first."""


@dataclass(frozen=True, slots=True)
class Split:
    """The pairs, each allowed by both of its ends, and what decides on all other packets."""

    pairs: tuple[Pair, ...]
    """In order."""
    rest: Plan
    listed: tuple[str, ...]
    """Which rules are in the pairs, whoever their endpoints are: in words, sorted."""

    def of(self, family: Family) -> Iterator[Pair]:
        """The pairs of one address family."""
        return (pair for pair in self.pairs if Family.of(pair[0]) is family)


def split(plan: Plan, limits: Limits) -> Split:
    """List connections of a plan that has enough subjects; of another, none."""
    subjects = {address for one in plan.classes for address in _addresses(one)}
    if len(subjects) < limits.from_subjects:
        return Split((), plan, ())
    ends = _Ends.of(plan)
    pairs: set[Pair] = set()
    left: dict[int, set[int]] = {}
    listed: set[str] = set()
    for index, position in _candidates(plan, limits):
        one = plan.classes[index]
        found = ends.of_arm(one, one.arms[position])
        pairs.update(found.pairs)
        if found.is_all:
            left.setdefault(index, set()).add(position)
            listed.add(f"{one.direction.value} {_words(one.arms[position])}")
    classes = _merged((one, _kept(one, left.get(index, set()))) for index, one in enumerate(plan.classes))
    return Split(tuple(sorted(pairs)), replace(plan, classes=tuple(classes)), tuple(sorted(listed)))


def _candidates(plan: Plan, limits: Limits) -> Iterator[tuple[int, int]]:
    """The class and position of each arm whose groups are to be listed."""
    sizes = []
    for index, one in enumerate(plan.classes):
        subjects = sum(1 for _ in _addresses(one))
        for position, arm in enumerate(one.arms):
            size = 0 if one.logs else _size(arm, limits.most_a_subject)
            if size:
                sizes.append((size, index, position, size * subjects))
    room = limits.most
    for _, index, position, size in sorted(sizes):
        room -= size
        if room < 0:
            return
        yield index, position


def _size(arm: Arm, most: int) -> int:
    """The connections to one subject that the groups of an arm come to; 0 where they cannot be listed."""
    ports = _ports(arm.traffic, most)
    if not ports or max((len(group.members) for group in arm.peers.groups), default=0) * ports > most:
        return 0
    size = ports * len({one for group in arm.peers.groups for one in group.members})
    return size if size <= most else 0


def _ports(wanted: Intervals, most: int) -> int:
    """How many ports some traffic is; 0 where it is not of ports, or of more than `most`."""
    count = 0
    for low, high in wanted.ranges:
        count += high - low + 1
        if count > most or low >> 16 != high >> 16 or low >> 16 not in _WITH_PORTS:
            return 0
    return count


@dataclass(frozen=True, slots=True)
class _OfArm:
    pairs: list[Pair]
    is_all: bool
    """Whether no other packet depends on the arm's groups."""


@dataclass(frozen=True, slots=True)
class _Ends:
    """What each subject decides."""

    classes: Mapping[Direction, Mapping[int, Class]]
    _peers: dict[tuple[int, int], Peers | None] = field(default_factory=dict)
    """The peers that a class, by its identity, exchanges some traffic with."""

    @staticmethod
    def of(plan: Plan) -> _Ends:
        found: dict[Direction, dict[int, Class]] = {direction: {} for direction in Direction}
        for one in plan.classes:
            for address in _addresses(one):
                found[one.direction][address] = one
        return _Ends(found)

    def of_arm(self, one: Class, arm: Arm) -> _OfArm:
        """What the groups of an arm may exchange with the subjects, as their own decisions are."""
        is_egress = one.direction is Direction.EGRESS
        others = self.classes[Direction.INGRESS if is_egress else Direction.EGRESS]
        numbers = [number for low, high in arm.traffic.ranges for number in range(low, high + 1)]
        found = {one for group in arm.peers.groups for one in group.members}
        peers = {family: [one for one in found if Family.of(one) is family] for family in Family}
        pairs: list[Pair] = []
        is_all = True
        for subject in _addresses(one):
            for peer in peers[Family.of(subject)]:
                if peer == subject:
                    continue  # decided before (C6), or always allowed (A2)
                other = others.get(peer)
                if other is not None and other.logs:
                    is_all = False
                    continue
                for number in numbers:
                    if other is None or self._allows(other, number, subject):
                        pairs.append((subject, number, peer) if is_egress else (peer, number, subject))
                    elif is_egress:
                        is_all = False
        return _OfArm(pairs, is_all)

    def _allows(self, one: Class, number: int, peer: int) -> bool:
        key = id(one), number
        if key not in self._peers:
            self._peers[key] = one.decision.at(number)
        peers = self._peers[key]
        return peers is not None and peer in peers


def _addresses(one: Class) -> Iterator[int]:
    return (address for subject in one.subjects for address in subject.addresses)


def _kept(one: Class, positions: set[int]) -> Arms:
    """The arms of a class without the groups of some."""
    if not positions:
        return one.arms
    arms = (
        arm if position not in positions else Arm(arm.traffic, replace(arm.peers, groups=frozenset()))
        for position, arm in enumerate(one.arms)
    )
    return tuple(arm for arm in arms if arm.peers)


def _merged(classes: Iterable[tuple[Class, Arms]]) -> Iterator[Class]:
    """Classes with equal arms left, and equal logs, as one each, in the order of plans."""
    alike: dict[tuple[Direction, Arms, tuple[LoggedRule, ...]], list[Class]] = {}
    for one, arms in classes:
        alike.setdefault((one.direction, arms, one.logs), []).append(one)
    merged = [_merge(found, arms) for (_, arms, _), found in alike.items()]
    for direction in (Direction.EGRESS, Direction.INGRESS):
        yield from sorted((one for one in merged if one.direction is direction), key=_key)


def _merge(alike: list[Class], arms: Arms) -> Class:
    first = alike[0]
    if len(alike) == 1 and arms == first.arms:
        return first
    subjects = tuple(subject for one in alike for subject in one.subjects)
    reasons = tuple(reason for one in alike for reason in one.reasons)
    return Class(first.direction, packets(arms), subjects, reasons, first.logs, arms)


def _key(one: Class) -> str:
    return one.key


def _words(arm: Arm) -> str:
    groups = "; ".join(group.key for group in sorted(arm.peers.groups))
    return f"{traffic.describe(arm.traffic)} with {groups}"
