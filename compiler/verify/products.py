"""Products of regions: the packets that both ends let pass, and what two unions of products differ in.

What sources may send is a region seen from the sources, what destinations may receive one seen from the
destinations, and what passes both is their product. A difference of products is a union of products again,
(G x H) - (F x X) = ((G - F) x H) + (G x (H - X)), and where a ruleset does what it should, one side of each
is empty at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.index import Index
from npc.compiler.verify.program import Box
from npc.compiler.verify.regions import End, Region


@dataclass(frozen=True, slots=True)
class Product:
    """The packets that are in both of two regions; None stands for all packets."""

    sent: Region | None = None
    """Seen from the sources."""
    received: Region | None = None
    """Seen from the destinations."""

    @staticmethod
    def of(regions: Iterable[Region]) -> Product:
        """The packets that are in all of some regions."""
        sides: dict[End, Region] = {}
        for region in regions:
            sides[region.end] = sides[region.end] & region if region.end in sides else region
        return Product(sides.get(End.SOURCE), sides.get(End.DESTINATION))

    def both(self, other: Product) -> Product:
        """The packets that are in two products."""
        sides = (self.sent, self.received, other.sent, other.received)
        return Product.of(side for side in sides if side is not None)

    def within(self, space: Region) -> Product:
        """The packets that are in a region, too: both sides are made smaller by it."""
        if space == Region.full(space.end):
            return self
        sides = []
        for end, side in ((End.SOURCE, self.sent), (End.DESTINATION, self.received)):
            seen = space.seen_from(end)
            sides.append(seen if side is None else side & seen)
        return Product(*sides)

    def __sub__(self, other: Product) -> list[Product]:
        """What is in this one alone, as products, which may overlap."""
        if other.sent is not None and other.received is None:
            turned = other.sent.seen_from(End.DESTINATION)
            return min(self._less(other.sent, None), self._less(None, turned), key=_weight)
        if other.received is not None and other.sent is None:
            turned = other.received.seen_from(End.SOURCE)
            return min(self._less(None, other.received), self._less(turned, None), key=_weight)
        return self._less(other.sent, other.received)

    def _less(self, sent: Region | None, received: Region | None) -> list[Product]:
        if self.received is None and self.sent is not None and received is not None:
            left = self.sent.seen_from(End.DESTINATION) - received
            rest = self._less(sent, None)
            return [Product(None, left), *rest] if left else rest
        if self.sent is None and self.received is not None and sent is not None:
            left = self.received.seen_from(End.SOURCE) - sent
            rest = self._less(None, received)
            return [Product(left), *rest] if left else rest
        found = []
        if sent is not None and (left := _whole(self.sent, End.SOURCE) - sent):
            found.append(Product(left, self.received))
        if received is not None and (left := _whole(self.received, End.DESTINATION) - received):
            found.append(Product(self.sent, left))
        return found

    def boxes(self) -> Iterator[Box]:
        """The packets between two addresses: none of the boxes is empty, or of one address at both ends."""
        rows = _whole(self.received, End.DESTINATION).rows
        index = Index.of([destinations for destinations, _ in rows])
        assert index is not None, "the subjects of a region's rows are disjoint"
        for sources, packets in _whole(self.sent, End.SOURCE).rows:
            for kinds, destinations in packets.rectangles():
                for position, found in index.parts(destinations):
                    for low, high, senders in rows[position][1].parts:
                        box = Box(sources & senders, found, kinds & Intervals(((low, high),)))
                        if box.sources and box.traffic and not box.is_of_one_address:
                            yield box


def difference(ones: Sequence[Product], others: Iterable[Product]) -> list[Product]:
    """What is in one of some products and in none of others: products that may yet prove to be empty."""
    left = list(ones)
    for other in sorted(others, key=lambda one: -_weight([one])):
        left = [part for one in left for part in one - other]
    return left


def _whole(region: Region | None, end: End) -> Region:
    return Region.full(end) if region is None else region


def _weight(products: Sequence[Product]) -> int:
    return sum(len(side.rows) for one in products for side in (one.sent, one.received) if side is not None)
