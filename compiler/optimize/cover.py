"""The fewest rules for a decision: an exact cover of what it allows by rectangles of traffic × peers.

A decision is a grid: rows of traffic, columns of peers, a cell where the two may be exchanged. A rule is a
rectangle of cells; no cell may be left out, one may be covered twice. Groups and blocks are columns of
grids of their own, as no rule compares with both. To find the fewest rectangles is NP-hard (it is the
bipartite dimension of a graph). So of all maximal rectangles the one that covers most for its cost is
taken, again and again; those that have become superfluous are dropped, and each is cut down to what no
other one covers. Where one of the simple forms in `npc.compiler.arms` needs as few rules, it is taken.

The grid knows groups by their keys, not by their members: rules stay as they are when pods come and go.

>>> from npc.compiler.algebra.peers import Group
>>> a, b, c = (Peers(frozenset({Group(key)})) for key in "abc")
>>> web, dns = traffic.of(traffic.TCP, 443, 443), traffic.of(traffic.UDP, 53, 53)
>>> [cost(form(PacketSet.of([(web, a | b), (dns, b | c)]))) for form in (by_peers, fewest_rules)]
[4, 2]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import TypeVar

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals, atoms
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from npc.compiler.arms import Arm, Arms, by_peers, by_traffic, joined, widened

MOST_RECTANGLES = 256
"""Maximal rectangles of a grid that are looked at; there may be exponentially many."""


def fewest_rules(decision: PacketSet[Peers], most_rectangles: int = MOST_RECTANGLES) -> Arms:
    """The arms that need the fewest rules, in order of their traffic.

    Of forms that need as many, the one that names groups least often, then that of the fewest arms. Where
    a grid has more than `most_rectangles` maximal rectangles, the choice is between the simple forms.
    """
    open_to_all = open_in(by_traffic(decision))
    forms = [by_peers(decision), by_traffic(decision)]
    covers = [grid.cover(most_rectangles) for grid in _grids(decision, open_to_all)]
    if None not in covers:
        whole = [Arm(open_to_all, ANYONE)] if open_to_all else []
        forms.append(joined([*whole, *(arm for found in covers for arm in found or ())]))
    return min(forms, key=lambda arms: (cost(arms), _mentions(arms), len(arms)))


def cost(arms: Arms) -> int:
    """How many rules some arms are: each is one comparison of traffic and one of peers.

    What is open to all any rule may allow, too.
    """
    open_to_all = open_in(arms)
    return sum(
        1 if arm.peers == ANYONE else _comparisons(arm.traffic, open_to_all) * _sets(arm.peers)
        for arm in arms
    )


def open_in(arms: Arms) -> Intervals:
    """The traffic that some arms let everyone exchange."""
    return Intervals.union(arm.traffic for arm in arms if arm.peers == ANYONE)


def _comparisons(wanted: Intervals, open_to_all: Intervals) -> int:
    return len(traffic.comparisons(widened(wanted, open_to_all)))


def _sets(peers: Peers) -> int:
    return bool(peers.groups) + bool(peers.blocks)


def _mentions(arms: Arms) -> int:
    return sum(len(arm.peers.groups) for arm in arms)


@dataclass(frozen=True, slots=True)
class _Rectangle:
    """Cells that one rule can allow."""

    rows: int
    """As bits."""
    columns: tuple[int, ...]
    """By position."""
    cells: int
    """As bits, column by column."""
    cost: int


@dataclass(frozen=True, slots=True)
class _Grid:
    """Which traffic is exchanged with which peers."""

    rows: tuple[Intervals, ...]
    """Disjoint; each is one comparison."""
    columns: tuple[tuple[int, Peers], ...]
    """The rows that are exchanged with some peers, as bits, and the peers; no two are alike."""
    open_to_all: Intervals

    @staticmethod
    def of(rows: Iterable[Intervals], cells: Iterable[tuple[int, Peers]], open_to_all: Intervals) -> _Grid:
        alike: dict[int, Peers] = {}
        for mask, peers in cells:
            alike[mask] = alike.get(mask, Peers()) | peers
        return _Grid(tuple(rows), tuple(sorted(alike.items(), key=_first)), open_to_all)

    def cover(self, most_rectangles: int) -> list[Arm] | None:
        """Few rectangles that cover all cells; None where there are too many to choose from."""
        if len(self.rows) == 1 or len(self.columns) == 1:
            return [Arm(self._traffic(mask), peers) for mask, peers in self.columns]
        maximal = _intersections((mask for mask, _ in self.columns), most_rectangles)
        if maximal is None:
            return None
        chosen = self._cut_down(_irredundant(_greedy([*self._candidates(maximal)])))
        rows: dict[tuple[int, ...], int] = {}
        for one in chosen:
            rows[one.columns] = rows.get(one.columns, 0) | one.rows
        return [Arm(self._traffic(mask), self._peers(columns)) for columns, mask in rows.items()]

    def _candidates(self, maximal: Iterable[int]) -> Iterator[_Rectangle]:
        """The maximal rectangles by their rows, in pieces of one comparison where those cost no more."""
        seen: set[int] = set()
        for mask in maximal:
            pieces = [mask & own for own in self._protocols().values() if mask & own]
            costs = [self._cost(piece) for piece in pieces]
            whole = self._cost(mask)
            if whole < sum(costs):
                pieces, costs = [mask], [whole]
            for rows, cost in zip(pieces, costs, strict=True):
                if rows not in seen:
                    seen.add(rows)
                    columns = tuple(i for i, (own, _) in enumerate(self.columns) if rows & own == rows)
                    yield _Rectangle(rows, columns, self._cells(rows, columns), cost)

    def _protocols(self) -> dict[int, int]:
        """The rows of each protocol, as bits; those of whole protocols are alike."""
        found: dict[int, int] = {}
        for number, row in enumerate(self.rows):
            (low, high), *_ = row.ranges
            is_whole = not low & traffic.LAST_PORT and high & traffic.LAST_PORT == traffic.LAST_PORT
            key = -1 if is_whole else low >> 16
            found[key] = found.get(key, 0) | 1 << number
        return found

    def _cells(self, rows: int, columns: Iterable[int]) -> int:
        return sum(rows << column * len(self.rows) for column in columns)

    def _cost(self, rows: int) -> int:
        return _comparisons(self._traffic(rows), self.open_to_all)

    def _traffic(self, rows: int) -> Intervals:
        return Intervals.union(row for number, row in enumerate(self.rows) if rows >> number & 1)

    def _peers(self, columns: Iterable[int]) -> Peers:
        joined = Peers()
        for column in columns:
            joined |= self.columns[column][1]
        return joined

    def _cut_down(self, chosen: Sequence[_Rectangle]) -> list[_Rectangle]:
        """Each without the columns that all others together cover: fewer groups to name, smaller sets."""
        left = list(chosen)
        for index in reversed(range(len(left))):
            others = _covered(left[:index] + left[index + 1 :])
            one = left[index]
            columns = tuple(i for i in one.columns if self._cells(one.rows, (i,)) & ~others)
            left[index] = replace(one, columns=columns, cells=self._cells(one.rows, columns))
        return left


def _grids(decision: PacketSet[Peers], open_to_all: Intervals) -> Iterator[_Grid]:
    """One of all groups, and one of the blocks for each set of holes; what is open to all is in none."""
    groups: dict[frozenset[Group], list[Intervals]] = {}
    blocks: dict[frozenset[Group], dict[Intervals, list[Intervals]]] = {}
    for own, peers in decision.rectangles():
        if peers.groups:
            groups.setdefault(peers.groups, []).append(own)
        if peers.blocks and peers != ANYONE:
            blocks.setdefault(peers.holes, {}).setdefault(peers.blocks, []).append(own)
    rows, found = _rows(groups)
    masks: dict[Group, int] = {}
    for number, named in enumerate(found):
        for group in named:
            masks[group] = masks.get(group, 0) | 1 << number
    if masks:
        ordered = sorted(masks.items())
        yield _Grid.of(rows, ((mask, Peers(frozenset({group}))) for group, mask in ordered), open_to_all)
    for holes, rows_of in blocks.items():
        rows, addresses = _rows(rows_of)
        cells = (
            (sum(1 << number for number in numbers), Peers(blocks=inside, holes=holes))
            for numbers, inside in atoms(addresses).items()
        )
        yield _Grid.of(rows, cells, open_to_all)


_T = TypeVar("_T")


def _rows(parts: Mapping[_T, Iterable[Intervals]]) -> tuple[list[Intervals], list[_T]]:
    """Traffic in rows of one comparison each, and for each row what it belongs to."""
    found = [(row, one) for one, own in parts.items() for row in traffic.comparisons(Intervals.union(own))]
    return [row for row, _ in found], [one for _, one in found]


def _intersections(masks: Iterable[int], most: int) -> list[int] | None:
    """All intersections of some masks but the empty one, in order; None where there are more than `most`."""
    found: set[int] = set()
    for mask in masks:
        found |= {mask, *(mask & other for other in found)}
        if len(found) > most:
            return None
    return sorted(found - {0})


def _greedy(candidates: Sequence[_Rectangle]) -> list[_Rectangle]:
    """A cover: at each step what covers most new cells for its cost; of equals the larger, then the first."""
    chosen: list[_Rectangle] = []
    left = _covered(candidates)
    while left:
        best = max(
            candidates, key=lambda one: ((one.cells & left).bit_count() / one.cost, one.cells.bit_count())
        )
        chosen.append(best)
        left &= ~best.cells
    return chosen


def _irredundant(chosen: Sequence[_Rectangle]) -> list[_Rectangle]:
    """Without those that the others cover; the dearest are tried first."""
    kept = list(chosen)
    for one in sorted(chosen, key=lambda one: -one.cost):
        others = [other for other in kept if other is not one]
        if not one.cells & ~_covered(others):
            kept = others
    return kept


def _covered(rectangles: Iterable[_Rectangle]) -> int:
    return reduce(or_, (one.cells for one in rectangles), 0)


def _first(item: tuple[int, Peers]) -> int:
    return item[0]
