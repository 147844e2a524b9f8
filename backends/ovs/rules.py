"""The rules of a class as flows: first which form they take, by counting, then the flows.

Flows of one priority agree wherever they overlap: they all allow, or all drop, but for those of prefixes,
which do not overlap. What drops stands below everything that allows by itself. Priorities, from above:

    600        what passes with everyone
    500        a flow for each pair of traffic and peer; 510: drop what does not pass where nearly all does
    410, 400   conjunctions of groups, and of blocks: each kind disjoint (ovs-fields(7): a packet may match
               one conjunctive flow of a priority at most)
    405        peers in holes of blocks: drop what the flows below would allow; 406: but allow
    100 + 2n   blocks with a prefix of n bits: drop what shorter prefixes allow
    101 + 2n   blocks with a prefix of n bits: allow; the other way round where nearly all traffic passes
    50         what passes with everyone where that is nearly all; 60: drop what does not
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

from npc.backends import icmp
from npc.backends.ovs.holes import Blocks, Hole
from npc.backends.ovs.layout import Layout
from npc.backends.ovs.matches import (
    block_matches,
    family_match,
    in_two_levels,
    match_count,
    peer_field,
    traffic_matches,
)
from npc.backends.ovs.peers import Alternative, PeerMatches
from npc.backends.ovs.prefixes import NOTHING, Entry, Flows, Piece, longest_prefixes
from npc.backends.ovs.ruleset import Flow, Match
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, cidrs
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import ANYONE
from npc.compiler.arms import Arm, Arms
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Class

EVERYONE, PAIRS, CONJUNCTION_OF_GROUPS, CONJUNCTION_OF_BLOCKS, PREFIXES = 600, 500, 410, 400, 100
NOT_IN_PAIRS, REOPENED, HOLES, NOT_EVERYONE, EVERYONE_ELSE = 510, 406, 405, 60, 50
_DROP = ("drop",)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Traffic that passes with any of some peers."""

    traffic: Intervals
    peers: tuple[Alternative, ...]
    priority: int
    denied: Intervals = NOTHING
    """What of the traffic does not pass, whatever flows below say."""


@dataclass(frozen=True, slots=True)
class Form:
    """The flows of a class for its subjects of one family, before they have numbers."""

    subject: Class
    family: Family
    everyone: Exchange
    """What passes with everyone."""
    pairs: tuple[Exchange, ...]
    conjunctions: tuple[Exchange, ...]
    holes: tuple[Hole, ...]
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
        for passes in traffic_matches(self.everyone.traffic, self.family):
            yield Flow(self.everyone.priority, (*start, *passes), allow)
        for denied in traffic_matches(self.everyone.denied, self.family):
            yield Flow(NOT_EVERYONE, (*start, *denied), _DROP)
        for exchange in self.pairs:
            yield from self._product(PAIRS, start, exchange.traffic, exchange.peers, allow)
            yield from self._product(NOT_IN_PAIRS, start, exchange.denied, exchange.peers, _DROP)
        yield from self._conjunctions(start, allow, conjunction_ids)
        for hole in self.holes:
            yield from self._product(REOPENED, start, hole.reopened, hole.peers, allow)
            yield from self._product(HOLES, start, hole.denied, hole.peers, _DROP)
        field = peer_field(self.family, self.subject.direction)
        for entry in self.prefixes:
            block, priority = block_matches(field, entry.block), PREFIXES + 2 * entry.block.prefix
            for passes in traffic_matches(entry.passes, self.family):
                yield Flow(priority + (not entry.denied), (*start, *passes, *block), allow)
            for denied in traffic_matches(entry.denied, self.family):
                yield Flow(priority + 1, (*start, *denied, *block), _DROP)
            if entry.cuts:
                yield Flow(priority, (*start, family_match(self.family), *block), _DROP)

    def _product(
        self,
        priority: int,
        start: tuple[Match, ...],
        wanted: Intervals,
        peers: Sequence[Alternative],
        actions: tuple[str, ...],
    ) -> Iterator[Flow]:
        """A flow for each match of some traffic and each of some peers."""
        for passes in traffic_matches(wanted, self.family):
            for peer, words in peers:
                yield Flow(priority, (*start, *passes, *peer), actions, words)

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


BlockForms = dict[tuple[Direction, Arms, Family], tuple[tuple[Entry, ...], list[Exchange]]]
"""What the blocks of rules come to: looked for long, and whatever tells peers apart."""


def form_of(one: Class, family: Family, peers: PeerMatches, layout: Layout, known: BlockForms) -> Form:
    """The form with the fewest flows that the layout allows; `known` is what was found before, and grows."""
    arms = [Arm(own, arm.peers) for arm in one.arms if (own := icmp.own_types(arm.traffic, family))]
    flows: Flows = cache(partial(match_count, family=family))
    everyone = _with_everyone(Intervals.union(arm.traffic for arm in arms if arm.peers == ANYONE), family)
    field = peer_field(family, one.direction)
    blocks = Blocks.of(arms, everyone.traffic - everyone.denied, everyone.priority == EVERYONE_ELSE, flows)
    exchanges = peers.exchanges(arms)
    pairs, conjunctions = _of_groups(exchanges, peers, blocks, family, layout)
    key = one.direction, one.arms, family
    if key not in known:
        known[key] = _of_blocks(blocks, family, field, layout)
    prefixes, of_blocks = known[key]
    conjunctions += of_blocks
    in_full = {
        peer
        for exchange in pairs
        if exchange.denied and exchange.traffic == traffic.ANY
        for peer in exchange.peers
    }
    holes = blocks.holes(peers, exchanges, in_full, field)
    count = flows(everyone.traffic) + flows(everyone.denied)
    count += sum(_product_count(exchange, flows) for exchange in pairs)
    count += sum(_sum(exchange, flows) for exchange in conjunctions)
    count += sum((flows(hole.denied) + flows(hole.reopened)) * len(hole.peers) for hole in holes)
    count += sum(entry.count(flows) for entry in prefixes)
    return Form(one, family, everyone, tuple(pairs), tuple(conjunctions), tuple(holes), prefixes, count)


def _of_groups(
    exchanges: Iterable[tuple[Intervals, list[int]]],
    peers: PeerMatches,
    blocks: Blocks,
    family: Family,
    layout: Layout,
) -> tuple[list[Exchange], list[Exchange]]:
    """What passes with members of groups, as pairs and as conjunctions."""
    pairs: list[Exchange] = []
    conjunctions: list[Exchange] = []
    for passes, indices in exchanges:
        said = [
            Exchange(wanted, tuple(peers.atoms[index].alternative for index in found), PAIRS, denied)
            for wanted, denied, found in _in_fewest(passes, indices, peers, blocks, family)
        ]
        everybody = tuple(peer for exchange in said for peer in exchange.peers)
        joined = Exchange(passes, everybody, CONJUNCTION_OF_GROUPS)
        otherwise = sum(_product_count(exchange, blocks.flows) for exchange in said)
        if _is_worth_it(joined, otherwise, blocks.flows, layout):
            conjunctions.append(joined)
        else:
            pairs += said
    return pairs, conjunctions


def _of_blocks(
    blocks: Blocks, family: Family, field: str, layout: Layout
) -> tuple[tuple[Entry, ...], list[Exchange]]:
    """What passes with blocks as if they had no holes, as prefixes and as conjunctions."""
    flows, default = blocks.flows, blocks.default
    search = partial(
        longest_prefixes, family=family, flows=flows, limit=layout.prefix_search, default=default
    )
    by_prefix: list[Piece] = []
    conjunctions: list[Exchange] = []
    for addresses, passes in blocks.pieces(family):
        alternatives = tuple(
            (block_matches(field, block), "") for part in addresses.ranges for block in cidrs(part)
        )
        joined = Exchange(passes, alternatives, CONJUNCTION_OF_BLOCKS)
        piece = addresses, passes | default
        alone = sum(entry.count(flows) for entry in search([piece]))
        if _is_worth_it(joined, alone, flows, layout):
            conjunctions.append(joined)
        else:
            by_prefix.append(piece)
    return search(by_prefix), conjunctions


def _in_fewest(
    passes: Intervals, indices: Sequence[int], peers: PeerMatches, blocks: Blocks, family: Family
) -> Iterator[tuple[Intervals, Intervals, list[int]]]:
    """What passes with some atoms, of whom alike: the traffic itself, or more and what of it is denied.

    What is denied hides all flows below: it is all of that traffic which does not pass, alike with all of an
    atom's addresses.
    """
    allowed, exceptions = in_two_levels(passes, family)
    if not exceptions:
        yield passes, NOTHING, list(indices)
        return
    alike: dict[Intervals | None, list[int]] = {}
    for index in indices:
        denied = {exceptions - blocks.everyone - blocks.passes(one) for one in peers.atoms[index].members}
        alike.setdefault(denied.pop() if len(denied) == 1 else None, []).append(index)
    for rest, found in alike.items():
        yield (passes, NOTHING, found) if rest is None else (allowed, rest, found)


def _with_everyone(passes: Intervals, family: Family) -> Exchange:
    """What passes with everyone; the lowest of all flows where it is said by what does not pass."""
    allowed, exceptions = in_two_levels(passes, family)
    if not exceptions:
        return Exchange(passes, (), EVERYONE)
    return Exchange(allowed, (), EVERYONE_ELSE, exceptions)


def _is_worth_it(exchange: Exchange, otherwise: int, flows: Flows, layout: Layout) -> bool:
    """Whether a conjunction, of more than one match on either side, saves enough flows."""
    is_product = flows(exchange.traffic) > 1 and len(exchange.peers) > 1
    return is_product and otherwise - _sum(exchange, flows) >= layout.conjunction_saves


def _sum(exchange: Exchange, flows: Flows) -> int:
    """The flows of a conjunction: one for each match of either side, and one for both."""
    return flows(exchange.traffic) + len(exchange.peers) + 1


def _product_count(exchange: Exchange, flows: Flows) -> int:
    return (flows(exchange.traffic) + flows(exchange.denied)) * len(exchange.peers)


def conjunction_keys(forms: Sequence[Form]) -> list[str]:
    """What the conjunctions of some forms stand for."""
    return [form.conjunction_key(exchange) for form in forms for exchange in form.conjunctions]
