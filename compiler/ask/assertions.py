"""Whether what is asserted of policies holds: or a packet that shows it does not.

An assertion is about all packets from its sources to its destinations, but those between a pod and itself,
a pod and the node that it runs on, and two addresses outside: about these no policy decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.ask.answers import Answer, Asked, answers
from npc.compiler.ask.ends import NOBODY, Ends, Place
from npc.compiler.ask.meaning import Packets
from npc.compiler.ask.naming import Names
from npc.compiler.ask.pairs import Pairs
from npc.compiler.ask.relation import Relation, with_place
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.frontend.syntax import Action, Assertion, Called, Direction, Rule

_Piece = tuple[Ends, Ends, Range]
"""Sources and destinations, with traffic between them."""
_WORST = 1 << 16
"""More than any rank of traffic."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A packet that an assertion is wrong about, and what is decided about it."""

    source: Place
    destination: Place
    traffic: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of an assertion."""

    assertion: Assertion
    counterexample: Counterexample | None = None
    """None: it holds."""
    is_about_sources: bool = True
    """Whether there are any sources."""
    is_about_destinations: bool = True
    """Whether there are any destinations that are met in its traffic."""

    @property
    def holds(self) -> bool:
        return self.counterexample is None


def judge(relation: Relation, assertion: Assertion) -> Verdict:
    """Whether an assertion holds. The Services that it names are in the inventory.

    InputError where a pod or a workload that it names is not.
    """
    source, destination = _meant(relation, assertion)
    if not source or not destination:
        return Verdict(assertion, None, bool(source), bool(destination))
    census = relation.census
    pairs = Pairs(sorted(set(census.addresses)), relation.own_node)
    search = _allowed if assertion.action is Action.DENY else _denied
    best, found = _WORST, None
    most_telling = traffic.rank(traffic.example(Intervals(_ranges(destination))))
    for sources, destinations, piece in search(relation, source, destination):
        rank = traffic.rank(traffic.example(Intervals((piece,))))
        if rank < best and (pair := pairs.first_pair(sources, destinations)):
            best, found = rank, pair
            if best == most_telling:
                break
    if found is None:
        return Verdict(assertion)
    one, other = found
    met, passing = with_place(destination, other), relation.passing(one, other)
    kind = traffic.example(met & passing if assertion.action is Action.DENY else met - passing)
    asked = Asked.of(one.ends, other.ends, Intervals.of((kind, kind)))
    return Verdict(assertion, Counterexample(one, other, kind, answers(relation, asked)[0]))


def _ranges(packets: Packets) -> tuple[Range, ...]:
    return Intervals.of(*((low, high) for low, high, _ in packets.parts)).ranges


def _meant(relation: Relation, assertion: Assertion) -> tuple[Ends, Packets]:
    """The sources of an assertion, and its destinations in the traffic that each is met in.

    A destination means what it means in a rule for egress: a Service its pods at its target ports (X5), a
    named port what each destination calls so (P10).
    """
    meaning = relation.meaning
    if assertion.sources is None:
        source = meaning.census.everyone
    else:
        source = NOBODY
        for peer in assertion.sources:
            source |= meaning.peer(peer, "")
    source |= _called(relation, assertion.called_sources)
    rule = Rule(assertion.destinations, assertion.ports, assertion.origin)
    asked = list(meaning.packets(rule, "", Direction.EGRESS, ()))
    if called := _called(relation, assertion.called_destinations):
        asked += meaning.exchanged(assertion.ports, called, Direction.EGRESS, ())
    return source, PacketSet.of(asked)


def _called(relation: Relation, called: Iterable[Called]) -> Ends:
    """Pods and workloads by their names; InputError where one is not in the inventory."""
    found = NOBODY
    names = Names(relation.model, relation.meaning)
    for one in called:
        try:
            found |= names.find(one.name, one.name).ends
        except InputError as error:
            raise InputError([replace(each, origin=one.origin) for each in error.diagnostics]) from None
    return found


def _allowed(relation: Relation, source: Ends, asked: Packets) -> Iterator[_Piece]:
    """Sources and destinations between which some traffic passes at both ends, as pieces."""
    senders = [
        (here, passing)
        for here, decision in _classes(relation, Direction.EGRESS, source)
        if (passing := asked if decision is None else decision & asked)
    ]
    receivers = list(_classes(relation, Direction.INGRESS, _all_ends(asked)))
    for here, sent in senders:
        reached = _all_ends(sent)
        for there, decision in receivers:
            if there & reached:
                if decision is None:
                    for low, high, to in sent.parts:
                        yield here, to & there, (low, high)
                else:
                    yield from _meeting(here, sent, there, decision)


def _denied(relation: Relation, source: Ends, asked: Packets) -> Iterator[_Piece]:
    """Sources and destinations between which some traffic is denied at an end, as pieces."""
    for here, decision in _classes(relation, Direction.EGRESS, source):
        if decision is not None:
            for low, high, to in (asked - decision).parts:
                yield here, to, (low, high)
    everything: Packets = PacketSet(tuple((low, high, source) for low, high, _ in asked.parts))
    for there, decision in _classes(relation, Direction.INGRESS, _all_ends(asked)):
        if decision is not None:
            yield from _meeting(source, asked, there, everything - decision)


def _meeting(here: Ends, sent: Packets, there: Ends, received: Packets) -> Iterator[_Piece]:
    """Ends that are in both, of those who send and those who receive, with the traffic of each part."""
    left, right = sent.parts, received.parts
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low <= high:
            to, coming = left[i][2] & there, right[j][2] & here
            if to and coming:
                yield coming, to, (low, high)
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1


def _classes(relation: Relation, direction: Direction, ends: Ends) -> Iterator[tuple[Ends, Packets | None]]:
    """Some ends by the class that they are in, with what passes there; None: all, for they are outside."""
    for one in relation.classes(direction) if ends.endpoints else ():
        if here := ends & Ends(one.members, one.members):
            yield here, relation.decision(one)
    if ends.outside:
        yield Ends(outside=ends.outside), None


def _all_ends(packets: Packets) -> Ends:
    found = NOBODY
    for _, _, ends in packets.parts:
        found |= ends
    return found
