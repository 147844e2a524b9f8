"""The rules of a class as flows: first which form they take, by counting, then the flows.

Every flow of a class but those of prefixes allows, so that flows may overlap; a prefix that cuts drops what
shorter prefixes allow, and stands below everything else that allows. Priorities, from above:

    600        what passes with everyone
    500        a flow for each pair of traffic and peer
    410, 400   conjunctions of groups, and of blocks: each kind disjoint (ovs-fields(7): a packet may match
               one conjunctive flow of a priority at most)
    100 + 2n   blocks with a prefix of n bits: drop what shorter prefixes allow
    101 + 2n   blocks with a prefix of n bits: allow
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from npc.backends.ovs.layout import Layout
from npc.backends.ovs.matches import block_matches, family_match, peer_field, traffic_matches
from npc.backends.ovs.peers import PeerMatches
from npc.backends.ovs.prefixes import Entry, Piece, longest_prefixes
from npc.backends.ovs.ruleset import Flow, Match
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, cidrs
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import ANYONE
from npc.compiler.optimize.cover import by_peers
from npc.compiler.plan import Class

EVERYONE, PAIRS, CONJUNCTION_OF_GROUPS, CONJUNCTION_OF_BLOCKS, PREFIXES = 600, 500, 410, 400, 100

Alternative = tuple[tuple[Match, ...], str]
"""Matches that say who a peer is, and in words."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Traffic that passes with any of some peers."""

    traffic: Intervals
    peers: tuple[Alternative, ...]
    priority: int


@dataclass(frozen=True, slots=True)
class Form:
    """The flows of a class for its subjects of one family, before they have numbers."""

    subject: Class
    family: Family
    everyone: Intervals
    """What passes with everyone."""
    pairs: tuple[Exchange, ...]
    conjunctions: tuple[Exchange, ...]
    prefixes: tuple[Entry, ...]
    count: int
    """How many flows it comes to, but for those that conjunctions share."""

    def conjunction_key(self, exchange: Exchange) -> str:
        """What a conjunction's number stands for."""
        passes = traffic.describe(exchange.traffic)
        return f"{self.subject.key}\n{self.family.value}\n{exchange.priority}\n{passes}"

    def flows(
        self, subject_match: Match, allow: tuple[str, ...], conjunction_ids: Callable[[str], int]
    ) -> Iterator[Flow]:
        """The flows, in order; `subject_match` holds for packets of the class's subjects."""
        start = (subject_match,)
        for passes in traffic_matches(self.everyone, self.family):
            yield Flow(EVERYONE, (*start, *passes), allow)
        for exchange in self.pairs:
            for passes in traffic_matches(exchange.traffic, self.family):
                for peer, words in exchange.peers:
                    yield Flow(exchange.priority, (*start, *passes, *peer), allow, words)
        yield from self._conjunctions(start, allow, conjunction_ids)
        field = peer_field(self.family, self.subject.direction)
        for entry in self.prefixes:
            block, priority = block_matches(field, entry.block), PREFIXES + 2 * entry.block.prefix
            for passes in traffic_matches(entry.passes, self.family):
                yield Flow(priority + 1, (*start, *passes, *block), allow)
            if entry.cuts:
                yield Flow(priority, (*start, family_match(self.family), *block), ("drop",))

    def _conjunctions(
        self, start: tuple[Match, ...], allow: tuple[str, ...], conjunction_ids: Callable[[str], int]
    ) -> Iterator[Flow]:
        """Equal matches stand once, with the actions of all conjunctions that they are part of."""
        actions: dict[tuple[int, tuple[Match, ...]], list[str]] = {}
        notes: dict[tuple[int, tuple[Match, ...]], str] = {}
        word = family_match(self.family)
        for exchange in self.conjunctions:
            number = conjunction_ids(self.conjunction_key(exchange))
            for passes in traffic_matches(exchange.traffic, self.family):
                at = exchange.priority, (*start, *passes)
                actions.setdefault(at, []).append(f"conjunction({number},1/2)")
            for peer, words in exchange.peers:
                at = exchange.priority, (*start, word, *peer)
                actions.setdefault(at, []).append(f"conjunction({number},2/2)")
                notes[at] = words
            both = (*start, word, Match("conj_id", str(number)))
            yield Flow(exchange.priority, both, allow, traffic.describe(exchange.traffic))
        for at, parts in actions.items():
            priority, matches = at
            yield Flow(priority, matches, tuple(parts), notes.get(at, ""))


def form_of(one: Class, family: Family, peers: PeerMatches, layout: Layout) -> Form:
    """The form with the fewest flows that the layout allows."""
    arms = by_peers(one.decision)
    everyone = Intervals.union(arm.traffic for arm in arms if arm.peers == ANYONE)
    groups = [
        Exchange(passes, tuple(((peers.atoms[i].match,), peers.atoms[i].note) for i in indices), PAIRS)
        for passes, indices in peers.exchanges(arms)
    ]
    flows = partial(_flow_count, family)
    pieces = [
        (blocks, arm.traffic)
        for arm in arms
        if arm.peers != ANYONE and (blocks := arm.peers.blocks & family.every)
    ]
    search = partial(longest_prefixes, family=family, flows=flows, limit=layout.prefix_search)
    field = peer_field(family, one.direction)
    pairs: list[Exchange] = []
    conjunctions: list[Exchange] = []
    for exchange in groups:
        joined = Exchange(exchange.traffic, exchange.peers, CONJUNCTION_OF_GROUPS)
        if _is_worth_it(joined, flows(exchange.traffic) * len(exchange.peers), flows, layout):
            conjunctions.append(joined)
        else:
            pairs.append(exchange)
    by_prefix: list[Piece] = []
    for piece in pieces:
        blocks, passes = piece
        alternatives = tuple(
            (block_matches(field, block), "") for part in blocks.ranges for block in cidrs(part)
        )
        joined = Exchange(passes, alternatives, CONJUNCTION_OF_BLOCKS)
        alone = sum(_entry_count(entry, flows) for entry in search([piece]))
        if _is_worth_it(joined, alone, flows, layout):
            conjunctions.append(joined)
        else:
            by_prefix.append(piece)
    prefixes = search(by_prefix)
    count = flows(everyone) + sum(flows(exchange.traffic) * len(exchange.peers) for exchange in pairs)
    count += sum(_sum(exchange, flows) for exchange in conjunctions)
    count += sum(_entry_count(entry, flows) for entry in prefixes)
    return Form(one, family, everyone, tuple(pairs), tuple(conjunctions), prefixes, count)


def _flow_count(family: Family, passes: Intervals) -> int:
    return len(traffic_matches(passes, family))


def _is_worth_it(
    exchange: Exchange, otherwise: int, flows: Callable[[Intervals], int], layout: Layout
) -> bool:
    """Whether a conjunction, of more than one match on either side, saves enough flows."""
    is_product = flows(exchange.traffic) > 1 and len(exchange.peers) > 1
    return is_product and otherwise - _sum(exchange, flows) >= layout.conjunction_saves


def _sum(exchange: Exchange, flows: Callable[[Intervals], int]) -> int:
    """The flows of a conjunction: one for each match of either side, and one for both."""
    return flows(exchange.traffic) + len(exchange.peers) + 1


def _entry_count(entry: Entry, flows: Callable[[Intervals], int]) -> int:
    return flows(entry.passes) + entry.cuts


def conjunction_keys(forms: Sequence[Form]) -> list[str]:
    """What the conjunctions of some forms stand for."""
    return [form.conjunction_key(exchange) for form in forms for exchange in form.conjunctions]
