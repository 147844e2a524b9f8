"""What two sets of policies, or two inventories, let pass differently: connections come, gone and changed.

Takes two relations, gives changes that are exact: two ends and a kind of traffic are in a change just where
one relation lets it pass and the other does not. Classes of endpoints whose decisions are equal are not
compared pair by pair: what is between them is equal too.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.alignment import Alignment, Side
from npc.compiler.ask.answers import Answer, Between
from npc.compiler.ask.changes import Change, Presence, Witness, merged, order_of
from npc.compiler.ask.ends import NOBODY, Ends, Place
from npc.compiler.ask.pairs import Pairs
from npc.compiler.ask.relation import NOTHING, Relation, by_ends
from npc.compiler.ask.rulings import SubjectClass, allowed
from npc.compiler.ask.sorting import Sorter, answer_of, policies_of, subjects_of
from npc.compiler.frontend.syntax import Direction
from npc.compiler.labels import Bits, bits_of, members

_Profile = tuple[tuple[Ends, Intervals, Intervals], ...]


@dataclass(slots=True)
class _Group:
    """Ends that are in one class before and in one after."""

    members: Ends
    presence: Presence
    profile: Callable[[], _Profile]
    """Disjoint peers with what passes with them before and after; with all others, nothing."""
    is_changed: bool
    _found: _Profile | None = None
    _changed: Ends | None = None

    @property
    def peers(self) -> _Profile:
        if self._found is None:
            self._found = self.profile()
        return self._found

    @property
    def changed(self) -> Ends:
        """The peers about which the decisions differ."""
        if not self.is_changed:
            return NOBODY
        if self._changed is None:
            self._changed = NOBODY
            for ends, before, after in self.peers:
                if before != after:
                    self._changed |= ends
        return self._changed


@dataclass(slots=True)
class Comparison:
    """Two relations on one list of endpoints. What it has worked out once it keeps."""

    old: Relation
    new: Relation
    alignment: Alignment = field(init=False)
    _pairs: Pairs = field(init=False)
    _is_same_cluster: bool = field(init=False)

    def __post_init__(self) -> None:
        self.alignment = Alignment.of(self.old.model.inventory, self.new.model.inventory)
        self._is_same_cluster = self.old.model.inventory == self.new.model.inventory
        for relation, side in self._sides():
            census = Ends(relation.census.v4, relation.census.v6)
            side.v4, side.v6 = side.moved(census).v4, side.moved(census).v6
        owned = {one for relation, _ in self._sides() for one in relation.census.addresses}
        self._pairs = Pairs(sorted(owned), self._own_node)

    def changes(self) -> tuple[Change, ...]:
        """All that differs, in few parts, in the order of their ends."""
        parts = [*merged(self._to_others()), *merged(self._to_themselves())]
        found = [one for part in parts if (one := self._trimmed(part)) is not None]
        return tuple(sorted(found, key=order_of))

    def witnesses(self, change: Change) -> tuple[Witness, ...]:
        """A packet of what was gained and one of what was lost, where there are such."""
        found = []
        pair = self._pair(change)
        for part, passes in ((change.gained, True), (change.lost, False)):
            if part and pair is not None:
                kind = traffic.example(part)
                before, after = (self._answer(*side, *pair, kind) for side in self._sides())
                found.append(Witness(*pair, kind, passes, before, after))
        return tuple(found)

    def is_about(self, change: Change, source: Place, destination: Place) -> bool:
        """Whether two ends, by their places, are in a change."""
        if source.family is not destination.family:
            return False
        if not (source.ends & change.source and destination.ends & change.destination):
            return False
        is_itself = source.endpoint is not None and source == destination
        if is_itself or change.between is Between.ITSELF:
            return is_itself and change.between is Between.ITSELF
        return self._pairs.are_apart(source, destination)

    def places(self, presence: Presence) -> Sequence[int]:
        """The endpoints that one side alone has, by their places."""
        if self.alignment.old.numbers is None:
            return []
        wanted = self.alignment.new if presence is Presence.NEW else self.alignment.old
        other = self.alignment.old if presence is Presence.NEW else self.alignment.new
        numbers = range(len(self.alignment.endpoints))
        return [one for one in numbers if wanted.number(one) is not None and other.number(one) is None]

    # --- classes of both sides

    def _sides(self) -> tuple[tuple[Relation, Side], tuple[Relation, Side]]:
        return (self.old, self.alignment.old), (self.new, self.alignment.new)

    def _to_others(self) -> Iterator[Change]:
        """What differs between different ends.

        Only ends whose decisions differ are looked at, and those that these may exchange other packets with.
        """
        senders, receivers = (
            self._groups(one, self._touched(one)) for one in (Direction.EGRESS, Direction.INGRESS)
        )
        met, meeting = _changed_ends(senders), _changed_ends(receivers)
        known, knowing = _members(senders), _members(receivers)
        senders += self._groups(Direction.EGRESS, meeting.endpoints & ~known.endpoints)
        receivers += self._groups(Direction.INGRESS, met.endpoints & ~knowing.endpoints)
        outside = self._outside()
        yield from _between([*senders, outside], [*receivers, outside])

    def _touched(self, direction: Direction) -> Bits:
        """The places of endpoints for which anything may have changed: all, in another cluster."""
        everyone = (1 << len(self.alignment.endpoints)) - 1
        if not self._is_same_cluster:
            return everyone
        touched = 0
        policies = [{(one.kind, str(one)): one for one in policies_of(side)} for side, _ in self._sides()]
        for key in policies[0].keys() | policies[1].keys():
            pair = [one.get(key) for one in policies]
            if pair[0] != pair[1]:
                for (relation, _), policy in zip(self._sides(), pair, strict=True):
                    if policy is not None and touched != everyone:
                        touched |= subjects_of(relation, policy, direction)
        return touched

    def _groups(self, direction: Direction, among: Bits) -> list[_Group]:
        """Endpoints by the classes that they are in before and after."""
        size = len(self.alignment.endpoints)
        sorters = [Sorter(relation, side, direction) for relation, side in self._sides()]
        found: dict[tuple[Hashable, ...], tuple[list[int], list[SubjectClass | None], list[Intervals]]] = {}
        for place in members(among):
            classes = [one.find(place) for one in sorters]
            nodes = [NOTHING, NOTHING]
            if not self._is_same_cluster and None not in classes:
                nodes = [one.own_node(place) for one in sorters]
                if nodes[0] == nodes[1]:
                    nodes = [NOTHING, NOTHING]
            key = (*map(id, classes), *nodes)
            found.setdefault(key, ([], classes, nodes))[0].append(place)
        groups = []
        for places, classes, nodes in found.values():
            for presence, chosen in self._by_presence(bits_of(places, size)):
                old = None if presence is Presence.NEW else classes[0]
                new = None if presence is Presence.OLD else classes[1]
                groups.append(self._group(chosen, presence, (old, new), (nodes[0], nodes[1])))
        return groups

    def _outside(self) -> _Group:
        """All addresses outside: with them everything passes on their side."""
        one, other = self.alignment.old, self.alignment.new
        everyone = Ends(one.v4 | other.v4, one.v6 | other.v6, EVERY_ADDRESS)
        ends = Ends(outside=EVERY_ADDRESS)
        whole = ((everyone, traffic.ANY, traffic.ANY),)
        return _Group(ends, Presence.BOTH, lambda: whole, is_changed=False)

    def _by_presence(self, bits: int) -> Iterator[tuple[Presence, Ends]]:
        """Places with an address of each family by the sides that have it."""
        old, new = self.alignment.old, self.alignment.new
        for presence, v4, v6 in (
            (Presence.BOTH, old.v4 & new.v4, old.v6 & new.v6),
            (Presence.OLD, old.v4 & ~new.v4, old.v6 & ~new.v6),
            (Presence.NEW, new.v4 & ~old.v4, new.v6 & ~old.v6),
        ):
            if chosen := Ends(bits & v4, bits & v6):
                yield presence, chosen

    def _group(
        self,
        ends: Ends,
        presence: Presence,
        classes: tuple[SubjectClass | None, SubjectClass | None],
        nodes: tuple[Intervals, Intervals],
    ) -> _Group:
        old, new = classes
        is_same = self._is_same_cluster and old is not None and new is not None and _decide_alike(old, new)

        def profile() -> _Profile:
            before = self._profile(self.old, self.alignment.old, old, nodes[0])
            after = before if is_same else self._profile(self.new, self.alignment.new, new, nodes[1])
            return tuple(_together(before, after))

        return _Group(ends, presence, profile, is_changed=not is_same)

    def _profile(
        self, relation: Relation, side: Side, subjects: SubjectClass | None, own: Intervals
    ) -> list[tuple[Ends, Intervals]]:
        """With whom what passes at a class, in places; all with its own node, where that is given."""
        if subjects is None:
            return []
        found = [
            (side.moved(ends), passing) for ends, passing in by_ends(allowed(relation.meaning, subjects))
        ]
        if not own:
            return found
        node = Ends(outside=own)
        return [*((rest, passing) for ends, passing in found if (rest := ends - node)), (node, traffic.ANY)]

    # --- what a pod may send itself

    def _to_themselves(self) -> Iterator[Change]:
        if self._is_same_cluster and self.old.model.cluster_policies == self.new.model.cluster_policies:
            return
        for place in range(len(self.alignment.endpoints)):
            for presence, both in self._by_presence(1 << place):
                for ends in both.families() if presence is Presence.BOTH else ():
                    family = Family.V4 if ends.v4 else Family.V6
                    before, after = (
                        relation.hairpin(Place(family, side.number(place)))
                        for relation, side in self._sides()
                    )
                    if before != after:
                        yield Change(ends, ends, before, after, between=Between.ITSELF)

    # --- pairs of ends

    def _trimmed(self, change: Change) -> Change | None:
        """A change without what it is not about, where that can be told; None where no packet is left."""
        if change.between is Between.OTHERS:
            source = _with_outside(change.source, self._pairs.with_free(change.source.outside))
            destination = _with_outside(change.destination, self._pairs.with_free(change.destination.outside))
            if source.endpoints.bit_count() == 1 and not source.outside:
                destination = Ends(
                    destination.v4 & ~source.v4, destination.v6 & ~source.v6, destination.outside
                )
            if destination.endpoints.bit_count() == 1 and not destination.outside:
                source = Ends(source.v4 & ~destination.v4, source.v6 & ~destination.v6, source.outside)
            change = replace(change, source=source, destination=destination)
        return None if self._pair(change) is None else change

    def _pair(self, change: Change) -> tuple[Place, Place] | None:
        """The first two ends that a change is about."""
        if change.between is Between.ITSELF:
            one = self._pairs.first(change.source)
            return None if one is None else (one, one)
        return self._pairs.first_pair(change.source, change.destination)

    def _own_node(self, place: int) -> Intervals:
        """The addresses of its own node, which is the same on all sides that have the endpoint."""
        found = [
            relation.own_node(number)
            for relation, side in self._sides()
            if (number := side.number(place)) is not None
        ]
        return found[0] & found[-1]

    def _answer(
        self, relation: Relation, side: Side, source: Place, destination: Place, kind: int
    ) -> Answer | None:
        """What one side says about a packet; None where it does not have one of the ends."""
        here, there = (_on(side, one) for one in (source, destination))
        if here is None or there is None:
            return None
        return answer_of(relation, here, there, kind)


def _changed_ends(groups: Iterable[_Group]) -> Ends:
    """The peers of groups about which their decisions differ."""
    found = NOBODY
    for one in groups:
        found |= one.changed
    return found


def _members(groups: Iterable[_Group]) -> Ends:
    found = NOBODY
    for one in groups:
        found |= one.members
    return found


def _with_outside(ends: Ends, outside: Intervals) -> Ends:
    """Ends with other addresses outside."""
    return ends if ends.outside == outside else Ends(ends.v4, ends.v6, outside)


def _on(side: Side, place: Place) -> Place | None:
    if place.endpoint is None:
        return place
    number = side.number(place.endpoint)
    ends = Ends(1 << place.endpoint) if place.family is Family.V4 else Ends(0, 1 << place.endpoint)
    if number is None or not ends & Ends(side.v4, side.v6):
        return None
    return Place(place.family, number)


def _decide_alike(one: SubjectClass, other: SubjectClass) -> bool:
    return one.ports == other.ports and one.deciders == other.deciders


def _together(
    before: Sequence[tuple[Ends, Intervals]], after: Sequence[tuple[Ends, Intervals]]
) -> Iterator[tuple[Ends, Intervals, Intervals]]:
    """Two profiles as one."""
    if before is after:
        yield from ((ends, passing, passing) for ends, passing in before)
        return
    left = list(after)
    for ends, passing in before:
        kept = []
        for others, now in left:
            if common := ends & others:
                yield common, passing, now
                ends = ends - common
                others = others - common
            if others:
                kept.append((others, now))
        left = kept
        if ends:
            yield ends, passing, NOTHING
    yield from ((ends, NOTHING, now) for ends, now in left)


def _between(egress: Sequence[_Group], ingress: Sequence[_Group]) -> Iterator[Change]:
    """What differs between each source and each destination of which one decides differently."""
    for senders in egress:
        if senders.changed:
            for receivers in ingress:
                if senders.changed & receivers.members or receivers.changed & senders.members:
                    yield from _of_pair(senders, receivers)
    for receivers in ingress:
        if receivers.changed:
            for senders in egress:
                if not senders.changed and receivers.changed & senders.members:
                    yield from _of_pair(senders, receivers)


def _of_pair(senders: _Group, receivers: _Group) -> Iterator[Change]:
    there = [(met, was, now) for ends, was, now in senders.peers if (met := ends & receivers.members)]
    here = [(met, was, now) for ends, was, now in receivers.peers if (met := ends & senders.members)]
    for to, sent, sends in there:
        for coming, received, receives in here:
            if sent == sends and received == receives:
                continue
            before, after = sent & received, sends & receives
            if before == after:
                continue
            for family in Family:
                source, destination = coming.of_family(family), to.of_family(family)
                if source and destination:
                    yield Change(source, destination, before, after, senders.presence, receivers.presence)
