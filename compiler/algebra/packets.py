"""Sets of packets: what one subject may exchange in one direction.

A `PacketSet` is a sequence of disjoint ranges of traffic, each with the peers that it is exchanged
with; neighbours with equal peers are merged and empty peers are left out, so that **equal meaning
is equal value**. It is generic in what a set of peers is: plain address `Intervals` for exact
comparisons, `Peers` (named groups and address blocks) where targets are compiled.

>>> web = PacketSet.of([(Intervals.of((80, 81)), Intervals.of((1, 9)))])
>>> (web - PacketSet.of([(Intervals.of((80, 80)), Intervals.of((1, 5)))])).parts
((80, 80, Intervals(ranges=((6, 9),))), (81, 81, Intervals(ranges=((1, 9),))))
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Protocol, Self, TypeVar

from npc.compiler.algebra.intervals import Intervals, Range


class Union(Hashable, Protocol):
    """A set of peers that can be joined with another; false when empty."""

    def __or__(self, other: Self, /) -> Self: ...
    def __bool__(self) -> bool: ...


class Region(Union, Protocol):
    """A set of peers with all set operations."""

    def __and__(self, other: Self, /) -> Self: ...
    def __sub__(self, other: Self, /) -> Self: ...


P = TypeVar("P", bound=Union)
R = TypeVar("R", bound=Region)
Q = TypeVar("Q", bound=Union)


@dataclass(frozen=True, slots=True)
class PacketSet(Generic[P]):
    """Disjoint (first, last, peers) ranges of traffic in order; equal sets are equal values."""

    parts: tuple[tuple[int, int, P], ...] = ()

    @staticmethod
    def of(pairs: Iterable[tuple[Intervals, Q]]) -> PacketSet[Q]:
        """The union of traffic × peers rectangles."""
        ranges = [(low, high + 1, peers) for traffic, peers in pairs if peers for low, high in traffic.ranges]
        cuts = sorted({cut for first, end, _ in ranges for cut in (first, end)})
        place = {cut: number for number, cut in enumerate(cuts)}
        placed = [(place[first], place[end], peers) for first, end, peers in ranges]
        return PacketSet(tuple(_merged(_unions(cuts, 0, len(cuts) - 1, placed, None))))

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __or__(self, other: PacketSet[P]) -> PacketSet[P]:
        return PacketSet.of(
            (Intervals(((low, high),)), peers) for low, high, peers in self.parts + other.parts
        )

    def __and__(self: PacketSet[R], other: PacketSet[R]) -> PacketSet[R]:
        return PacketSet(tuple(_merged(_aligned(self, other, _intersection))))

    def __sub__(self: PacketSet[R], other: PacketSet[R]) -> PacketSet[R]:
        return PacketSet(tuple(_merged(_aligned(self, other, _difference))))

    def at(self, traffic: int) -> P | None:
        """The peers that one kind of traffic is exchanged with; None when there are none."""
        index = bisect_right(self.parts, traffic, key=_first) - 1
        if index < 0 or traffic > self.parts[index][1]:
            return None
        return self.parts[index][2]

    def rectangles(self) -> tuple[tuple[Intervals, P], ...]:
        """Traffic with its peers: disjoint traffic, equal peers together, in order of the first traffic."""
        ranges: dict[P, list[Range]] = {}
        for low, high, peers in self.parts:
            ranges.setdefault(peers, []).append((low, high))
        return tuple((Intervals(tuple(found)), peers) for peers, found in ranges.items())

    def map(self, convert: Callable[[P], Q]) -> PacketSet[Q]:
        """The same packets with their peers said in another way."""
        return PacketSet.of((Intervals(((low, high),)), convert(peers)) for low, high, peers in self.parts)


def witness(left: PacketSet[Intervals], right: PacketSet[Intervals]) -> tuple[int, int] | None:
    """The smallest (traffic, address) that is in exactly one of two sets; None when they are equal."""
    for low, _, peers in ((left - right) | (right - left)).parts:
        return low, peers.ranges[0][0]
    return None


def _first(part: tuple[int, int, object]) -> int:
    return part[0]


def _unions(
    cuts: Sequence[int], first: int, end: int, ranges: Iterable[tuple[int, int, Q]], joined: Q | None
) -> Iterator[tuple[int, int, Q]]:
    """The union of the peers that some ranges have between each two cuts, of those from `first` to `end`.

    What covers all of it is joined once, the rest in each half: a range of n cuts is joined some log n times.
    """
    inside: list[tuple[int, int, Q]] = []
    covering: dict[Q, None] = {}
    for one in ranges:
        if one[0] <= first and one[1] >= end:
            covering[one[2]] = None
        elif one[0] < end and one[1] > first:
            inside.append(one)
    for peers in covering:
        joined = peers if joined is None else joined | peers
    if inside:
        middle = (first + end) // 2
        yield from _unions(cuts, first, middle, inside, joined)
        yield from _unions(cuts, middle, end, inside, joined)
    elif joined is not None and first < end:
        yield cuts[first], cuts[end] - 1, joined


def _aligned(
    left: PacketSet[R], right: PacketSet[R], operation: Callable[[R | None, R | None], R | None]
) -> Iterator[tuple[int, int, R]]:
    """`operation` on the peers of both sets, range by range of equal peers."""
    cuts = sorted({cut for low, high, _ in left.parts + right.parts for cut in (low, high + 1)})
    for cut, following in pairwise(cuts):
        result = operation(left.at(cut), right.at(cut))
        if result:
            yield cut, following - 1, result


def _intersection(left: R | None, right: R | None) -> R | None:
    return None if left is None or right is None else left & right


def _difference(left: R | None, right: R | None) -> R | None:
    return left if left is None or right is None else left - right


def _merged(parts: Iterable[tuple[int, int, Q]]) -> Iterator[tuple[int, int, Q]]:
    """Join neighbouring ranges whose peers are equal."""
    pending: tuple[int, int, Q] | None = None
    for low, high, peers in parts:
        if pending is not None and pending[1] + 1 == low and pending[2] == peers:
            pending = pending[0], high, peers
        else:
            if pending is not None:
                yield pending
            pending = low, high, peers
    if pending is not None:
        yield pending
