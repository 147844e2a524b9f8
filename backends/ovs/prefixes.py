"""Blocks with their traffic as longest-prefix entries, the way a routing table says it.

A block with an except is two entries: the block with its traffic, and the except, a longer prefix, with
none. The entries are made from a partition of all addresses, for a whole class at a time: what passes with an
address is what its longest prefix says, so no entry can hide what another one of the class allows.

Where nearly all traffic passes, an entry says what does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from npc.backends.ovs.matches import in_two_levels
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Cidr, Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.arms import widened
from npc.compiler.optimize.prefixes import cheapest_table, leaf_count, match_table

NOTHING = Intervals()

Piece = tuple[Intervals, Intervals]
"""Addresses of one family, and the traffic that passes with them."""

Flows = Callable[[Intervals], int]
"""How many flows match some traffic."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the flows of a block say of its addresses, before those of shorter prefixes are asked."""

    block: Cidr
    passes: Intervals
    cuts: bool
    """Whether nothing else passes; if not, all other traffic is left to the next shorter prefix."""
    denied: Intervals = NOTHING
    """What does not pass, although `passes` or a shorter prefix has it."""

    def count(self, flows: Flows) -> int:
        return flows(self.passes) + flows(self.denied) + self.cuts


def longest_prefixes(
    pieces: Sequence[Piece],
    family: Family,
    flows: Flows,
    limit: int,
    default: Intervals = NOTHING,
) -> tuple[Entry, ...]:
    """The entries that need the fewest flows.

    The addresses of the pieces are disjoint; with all others passes the `default`, which each piece's traffic
    holds. Either an entry says all that passes with a block, or each kind of traffic has a table of its own;
    where the search for the first would take more than `limit` steps it is the second.
    """
    apart = tuple(_by_traffic(pieces, family, default))
    values = list(dict.fromkeys([default, *(passes for _, passes in pieces)]))
    labels = {passes: number for number, passes in enumerate(values)}
    labelled = [(*ends, labels[passes]) for addresses, passes in pieces for ends in addresses.ranges]
    if len(values) ** 2 > limit or leaf_count(labelled, family) * len(values) ** 2 > limit:
        return apart
    superset = cache(lambda wanted: in_two_levels(wanted, family)[0])
    steps = [[_step(old, new, superset, flows) for new in values] for old in values]
    costs = [[step.cost for step in row] for row in steps]
    together = tuple(
        _entry(entry.block, steps[entry.inherited][entry.label])
        for entry in cheapest_table(labelled, family, costs)
    )
    return min(together, apart, key=lambda entries: sum(entry.count(flows) for entry in entries))


@dataclass(frozen=True, slots=True)
class _Step:
    """What an entry has to say where it changes the traffic of a shorter prefix."""

    cost: int
    passes: Intervals = NOTHING
    cuts: bool = False
    denied: Intervals = NOTHING


def _step(old: Intervals, new: Intervals, superset: Callable[[Intervals], Intervals], flows: Flows) -> _Step:
    """The change in the fewest flows.

    Of equally many the first of: more passes, nothing else passes, some of what a `superset` has is denied.
    """
    if old == new:
        return _Step(0)
    choices = []
    if old <= new:
        choices += [_Step(flows(added), added) for added in (new - old, new)]
    else:
        choices.append(_Step(1 + flows(new), new, cuts=True))
    others = traffic.ANY - new
    for allowed in (
        new - old,
        superset(new),
        superset(new - old),
        traffic.ANY,
    ):
        wrong = (old | allowed) - new
        # To deny what nothing allows makes no difference.
        for denied in (wrong, widened(wrong, others), others):
            choices.append(_Step(flows(allowed) + flows(denied), allowed, denied=denied))
    return min(choices, key=lambda step: step.cost)


def _entry(block: Cidr, step: _Step) -> Entry:
    return Entry(block, step.passes, step.cuts, step.denied)


def _by_traffic(pieces: Sequence[Piece], family: Family, default: Intervals) -> Iterator[Entry]:
    """For each kind of traffic, of which no two have any in common, the shortest table of its addresses."""
    passes: dict[Cidr, Intervals] = {}
    denied: dict[Cidr, Intervals] = {}
    for wanted, addresses in PacketSet.of((own - default, found) for found, own in pieces).rectangles():
        for block, matches in match_table(addresses, family):
            said = passes if matches else denied
            said[block] = said.get(block, NOTHING) | wanted
    for block in sorted(passes.keys() | denied.keys()):
        yield Entry(block, passes.get(block, NOTHING), False, denied.get(block, NOTHING))
