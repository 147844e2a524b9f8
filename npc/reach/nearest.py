"""The rules that come closest to letting a connection pass which NetworkPolicies deny, pair by pair.

Only for pairs between which an end lets nothing pass: of others, the rule that lets something pass is the
closest. They are told for few pairs: each is another text, and thousands of workloads have millions of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.ask.connections import Connections, Party
from npc.compiler.ask.ends import NOBODY, Place
from npc.compiler.ask.misses import NearMiss, near_misses
from npc.compiler.ask.relation import by_ends
from npc.compiler.ask.rulings import Ground, SubjectClass
from npc.compiler.frontend.syntax import Direction
from npc.compiler.labels import Bits, members

MOST_PAIRS = 2_500
"""Pairs of workloads up to which they are told: it takes a few hundred bytes for each."""
MOST_POLICIES = 50_000
"""Policies that are looked at for all pairs: each pair asks all policies of a namespace."""


def nearest_rules(
    found: Connections, direction: Direction, squeeze: Callable[[Bits], Bits]
) -> Iterator[tuple[int, int, tuple[NearMiss, ...]]]:
    """The party that decides, the other one, and the rules that come closest to letting anything pass.

    `squeeze` gives the parties of some endpoints. Nothing where there are more parties than can be told of.
    """
    parties = found.parties
    if not has_few_pairs(found):
        return
    relation = found.relation
    endpoints = relation.model.inventory.endpoints
    denied: dict[int, Bits] = {}
    for number, party in enumerate(parties):
        subjects = relation.of(direction, party.first)
        if subjects.number not in denied:
            denied[subjects.number] = squeeze(_denied(found, subjects))
        for other in members(denied[subjects.number]):
            place = _met(found, party, parties[other])
            if place is None or (other == number and not found.has_others(number)):
                continue
            subject = endpoints[party.first]
            if misses := near_misses(relation.meaning, subjects, subject, place, traffic.ANY):
                yield number, other, misses


def has_few_pairs(found: Connections) -> bool:
    """Whether there are few enough for the closest rules of each to be told."""
    pairs = len(found.parties) ** 2
    by_namespace = Counter(one.namespace for one in found.relation.model.policies)
    return pairs <= MOST_PAIRS and pairs * max(by_namespace.values(), default=0) <= MOST_POLICIES


def _denied(found: Connections, subjects: SubjectClass) -> Bits:
    """The endpoints with which some subjects may exchange nothing, for no NetworkPolicy lets them."""
    relation = found.relation
    denied = NOBODY
    for ruling, packets in relation.rulings(subjects, relation.meaning.everything):
        if ruling.ground is Ground.ISOLATED:
            for ends, kinds in by_ends(packets):
                if kinds == traffic.ANY:
                    denied |= ends
    passing = relation.census.everyone - denied
    return denied.endpoints & ~passing.endpoints


def _met(found: Connections, subject: Party, other: Party) -> Place | None:
    """The first of a party, by a family of addresses that the first of the subjects has too."""
    census = found.relation.census
    for family, bits in ((Family.V4, census.v4), (Family.V6, census.v6)):
        if bits >> subject.first & 1 and bits >> other.first & 1:
            return Place(family, other.first)
    return None
