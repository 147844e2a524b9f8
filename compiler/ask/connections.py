"""All connections that policies allow in a cluster: between workloads, and with addresses outside.

Takes a relation, gives parties (endpoints of one workload that every decision treats alike) and what each may
send to which others. What it costs follows the different decisions and the parties, not the pairs of pods:
a decision is a few sets of peers, and a set of parties is a bitset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from npc.compiler.algebra.addresses import EVERY_V4, EVERY_V6, Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.ends import Ends
from npc.compiler.ask.relation import Relation
from npc.compiler.ask.workloads import Workload, workloads_of
from npc.compiler.frontend.syntax import Direction
from npc.compiler.labels import Bits, bits_of, members

_DIRECTIONS = (Direction.EGRESS, Direction.INGRESS)


@dataclass(frozen=True, slots=True)
class Party:
    """Endpoints of one workload that all decisions treat alike; most workloads are one party."""

    workload: Workload
    members: Bits
    """Their numbers in the inventory."""
    part: int = 0
    """Which part of the workload they are, from 1; 0: all of it."""

    @property
    def size(self) -> int:
        return self.members.bit_count()

    @property
    def first(self) -> int:
        """The number of the first of them."""
        return (self.members & -self.members).bit_length() - 1


@dataclass(frozen=True, slots=True)
class Passing:
    """Traffic that passes, with the parties that it passes to."""

    traffic: Intervals
    parties: Bits
    """By their places among the parties."""
    family: Family | None = None
    """Where less passes by one family of addresses than by the other, the one that this is about."""


@dataclass(frozen=True, slots=True)
class Abroad:
    """Traffic that passes, with the addresses outside that it passes to or comes from."""

    traffic: Intervals
    addresses: Intervals


@dataclass(frozen=True)
class Connections:
    """What passes between all parties, and between each and the outside.

    That a pod may exchange all traffic with its own node and with itself (A2, A3) is not among it.
    """

    relation: Relation = field(repr=False)
    parties: tuple[Party, ...]
    rows: tuple[tuple[Passing, ...], ...]
    """What each party may send to whom: no two of a row have a party and a family in common."""
    to_outside: tuple[tuple[Abroad, ...], ...]
    from_outside: tuple[tuple[Abroad, ...], ...]
    open_to_others: tuple[Bits, Bits]
    """The parties of which it is asked what they send to whomever, and what they get from whomever."""

    @cached_property
    def everyone(self) -> Bits:
        return (1 << len(self.parties)) - 1

    def between(self) -> Iterator[tuple[int, int, Passing]]:
        """Every pair of parties of which one may send to the other, in order; none with itself alone."""
        for source, row in enumerate(self.rows):
            found = [(number, one) for one in row for number in members(one.parties)]
            for destination, passing in sorted(found, key=lambda pair: pair[0]):
                if source != destination or self.has_others(source):
                    yield source, destination, passing

    def has_others(self, number: int) -> bool:
        """Whether the pods of a party have others in it to talk to; of those that are not there yet, yes."""
        party = self.parties[number]
        return party.size > 1 or not self.relation.model.inventory.endpoints[party.first].addresses


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked about: connections from some ends to others, or from or to some (`focus`)."""

    source: Ends
    destination: Ends
    focus: Ends


def connections(relation: Relation, present: Bits, selection: Selection) -> Connections:
    """All connections among the endpoints of `present`, and with the outside, as far as they are asked."""
    parties = _parties(relation, present, selection)
    squeeze = _Squeeze.of(parties, len(relation.model.inventory.endpoints))
    focus = squeeze(selection.focus.endpoints)
    source, destination = squeeze(selection.source.endpoints), squeeze(selection.destination.endpoints)
    by_family = {family: _rows(relation, parties, squeeze, family) for family in Family}
    rows: list[tuple[Passing, ...]] = []
    to_outside: list[tuple[Abroad, ...]] = []
    from_outside: list[tuple[Abroad, ...]] = []
    for number, party in enumerate(parties):
        mine = focus >> number & 1
        wanted = (destination if mine else destination & focus) if source >> number & 1 else 0
        rows.append(tuple(_merged(party, number, squeeze, relation, by_family, wanted)))
        for direction, listed, asked, other in (
            (Direction.EGRESS, to_outside, source, selection.destination.outside),
            (Direction.INGRESS, from_outside, destination, selection.source.outside),
        ):
            there = other if mine else other & selection.focus.outside
            listed.append(
                tuple(_abroad(relation, party, direction, there)) if asked >> number & 1 and there else ()
            )
    everyone = relation.census.everyone
    is_open = (selection.destination == everyone, selection.source == everyone)
    return Connections(
        relation,
        parties,
        tuple(rows),
        tuple(to_outside),
        tuple(from_outside),
        (source & focus if is_open[0] else 0, destination & focus if is_open[1] else 0),
    )


@dataclass(frozen=True, slots=True)
class _Squeeze:
    """From sets of endpoints to sets of parties: a party is in when its first endpoint is."""

    firsts: tuple[int, ...]
    """The first endpoint of each party, last party first."""
    size: int
    known: dict[Bits, Bits] = field(default_factory=dict)

    @staticmethod
    def of(parties: Sequence[Party], size: int) -> _Squeeze:
        return _Squeeze(tuple(one.first for one in reversed(parties)), size)

    def __call__(self, endpoints: Bits) -> Bits:
        found = self.known.get(endpoints)
        if found is None:
            digits = bin(endpoints)[:1:-1].ljust(self.size, "0")
            found = int("".join([digits[one] for one in self.firsts]) or "0", 2)
            self.known[endpoints] = found
        return found


def _parties(relation: Relation, present: Bits, selection: Selection) -> tuple[Party, ...]:
    """The workloads of some endpoints, parted where any decision tells their endpoints apart."""
    endpoints = relation.model.inventory.endpoints
    workloads = workloads_of(endpoints, list(members(present)))
    home = [-1] * len(endpoints)
    for number, one in enumerate(workloads):
        for endpoint in members(one.members):
            home[endpoint] = number
    sets = _told_apart(relation, present, selection)
    cuts = 0
    for ends in sets:
        cuts |= ends ^ ends << 1
    fragments: list[list[list[int]]] = [[] for _ in workloads]
    for endpoint in members(present):
        of = fragments[home[endpoint]]
        if not of or cuts >> endpoint & 1 or home[endpoint - 1] != home[endpoint]:
            of.append([])
        of[-1].append(endpoint)
    parted = bits_of((one[0] for of in fragments if len(of) > 1 for one in of), len(endpoints))
    traits: dict[int, list[int]] = {one: [] for one in members(parted)}
    for number, ends in enumerate(sets) if parted else ():
        for endpoint in members(ends & parted):
            traits[endpoint].append(number)
    parties = []
    for workload, of in zip(workloads, fragments, strict=True):
        alike: dict[tuple[int, ...], list[int]] = {}
        for fragment in of:
            alike.setdefault(tuple(traits.get(fragment[0], ())), []).extend(fragment)
        parts = sorted(alike.values())
        for number, part in enumerate(parts):
            bits = bits_of(part, len(endpoints))
            parties.append(Party(workload, bits, number + 1 if len(parts) > 1 else 0))
    return tuple(parties)


def _told_apart(relation: Relation, present: Bits, selection: Selection) -> list[Bits]:
    """All sets of endpoints that anything depends on, each once."""
    census = relation.census
    found = dict.fromkeys((census.v4, census.v6))
    for ends in (selection.source, selection.destination, selection.focus):
        found |= dict.fromkeys((ends.v4, ends.v6))
    for direction in _DIRECTIONS:
        for subjects in relation.classes(direction):
            if subjects.members & present:
                found[subjects.members] = None
                for ends, _ in relation.profile(subjects):
                    found[ends.v4] = found[ends.v6] = None
    return list(found)


def _rows(
    relation: Relation, parties: Sequence[Party], squeeze: _Squeeze, family: Family
) -> list[dict[Intervals, Bits]]:
    """What each party may send to whom by one family, by the traffic."""
    having = squeeze(relation.census.v4 if family is Family.V4 else relation.census.v6)
    taken: dict[tuple[Bits, Intervals], Bits] = {}
    for peers, traffic_, subjects in _profiles(relation, Direction.INGRESS, squeeze, family):
        key = peers & having, traffic_
        taken[key] = taken.get(key, 0) | subjects & having
    accepting: list[dict[Intervals, Bits]] = [{} for _ in parties]
    for (peers, traffic_), subjects in taken.items():
        if subjects:
            for number in members(peers):
                own = accepting[number]
                own[traffic_] = own.get(traffic_, 0) | subjects
    rows: list[dict[Intervals, Bits]] = [{} for _ in parties]
    common: dict[tuple[Intervals, Intervals], Intervals] = {}
    for peers, sent, subjects in _profiles(relation, Direction.EGRESS, squeeze, family):
        for number in members(subjects & having):
            row = rows[number]
            for received, takers in accepting[number].items():
                if both := peers & takers:
                    pair = sent, received
                    if pair not in common:
                        common[pair] = sent if sent == received else sent & received
                    if traffic_ := common[pair]:
                        row[traffic_] = row.get(traffic_, 0) | both
    return rows


def _profiles(
    relation: Relation, direction: Direction, squeeze: _Squeeze, family: Family
) -> Iterator[tuple[Bits, Intervals, Bits]]:
    """Parties with the traffic that they exchange with others: (others, traffic, they)."""
    for one in relation.classes(direction):
        if subjects := squeeze(one.members):
            for ends, traffic_ in relation.profile(one):
                if peers := squeeze(ends.v4 if family is Family.V4 else ends.v6):
                    yield peers, traffic_, subjects


def _merged(
    party: Party,
    number: int,
    squeeze: _Squeeze,
    relation: Relation,
    by_family: dict[Family, list[dict[Intervals, Bits]]],
    wanted: Bits,
) -> Iterator[Passing]:
    """A party's rows of both families as one: the same traffic by both is said once."""
    if not wanted:
        return
    one, other = by_family[Family.V4][number], by_family[Family.V6][number]
    census = relation.census
    has_both = bool(party.members & census.v4 and party.members & census.v6)
    shared = squeeze(census.v4) & squeeze(census.v6) if has_both else 0
    for traffic_ in sorted(one.keys() | other.keys(), key=lambda found: found.ranges):
        left, right = one.get(traffic_, 0) & wanted, other.get(traffic_, 0) & wanted
        either = left & right | (left | right) & ~shared
        for bits, family in (
            (either, None),
            (left & ~either, Family.V4),
            (right & ~either, Family.V6),
        ):
            if bits:
                yield Passing(traffic_, bits, family)


def _abroad(relation: Relation, party: Party, direction: Direction, asked: Intervals) -> Iterator[Abroad]:
    """What a party exchanges with addresses outside, by the families of its own."""
    census = relation.census
    own = Intervals()
    for bits, every in ((census.v4, EVERY_V4), (census.v6, EVERY_V6)):
        if party.members & bits:
            own |= every
    found = []
    for ends, traffic_ in relation.profile(relation.of(direction, party.first)):
        if addresses := ends.outside & own & asked:
            found.append(Abroad(traffic_, addresses))
    yield from sorted(found, key=lambda one: one.traffic.ranges)
