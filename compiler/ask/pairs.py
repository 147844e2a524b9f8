"""Two ends out of many, as an example: the first that policies decide about, and a packet can run between.

A pod and itself are no such two, nor a pod and the node that it runs on (A2, A3), nor two addresses outside.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from npc.compiler.algebra.addresses import NO_HOSTS, Family, parse_address, parse_cidr
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.ask.ends import Ends, Place
from npc.compiler.labels import members

_TELLING = tuple(map(parse_address, ("203.0.113.1", "2001:db8::1")))
"""Addresses for examples (RFC 5737, RFC 3849): anybody's, where it does not matter whose."""
_ODD = NO_HOSTS | Intervals.of(parse_cidr("::/3").block.range)
"""Addresses that show little, as no packet carries them: taken when there are no others."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Chooses pairs of ends; the same from the same ends."""

    owned: Sequence[int] = field(repr=False)
    """The addresses of endpoints, sorted, each once: they are nobody's outside."""
    own_node: Callable[[int], Intervals]
    """The addresses of the node that an endpoint runs on, by the endpoint's number."""

    def first_pair(self, sources: Ends, destinations: Ends) -> tuple[Place, Place] | None:
        """The first source with its first destination."""
        for family in Family:
            source, destination = sources.of_family(family), destinations.of_family(family)
            if not source or not destination:
                continue
            for one in self._each(source, family):
                for other in self._each(destination, family, beside=one):
                    return one, other
        return None

    def first(self, ends: Ends) -> Place | None:
        """The first of some ends."""
        return next((one for family in Family for one in self._each(ends.of_family(family), family)), None)

    def are_apart(self, one: Place, other: Place) -> bool:
        """Whether policies decide about what runs between two ends of one family."""
        if one.endpoint is None and other.endpoint is None:
            return False
        both = (one, other), (other, one)
        return not any(
            left.endpoint is not None and self._are_one(left.endpoint, right) for left, right in both
        )

    def with_free(self, addresses: Intervals) -> Intervals:
        """The ranges of addresses of which endpoints have not all."""
        return Intervals(tuple(one for one in addresses.ranges if self._first_free(one) is not None))

    def _each(self, ends: Ends, family: Family, beside: Place | None = None) -> Iterator[Place]:
        """Some ends of one family, one by one; of the addresses, one of each range that can be used.

        With `beside`, those that are apart from it.
        """
        for number in members(ends.endpoints):
            if beside is None or not self._are_one(number, beside):
                yield Place(family, number)
        if beside is not None and beside.endpoint is None:
            return
        own = Intervals() if beside is None or beside.endpoint is None else self.own_node(beside.endpoint)
        addresses = ends.outside - own if own else ends.outside
        for one in _TELLING if addresses else ():
            if one in addresses and self._first_free((one, one)) is not None:
                yield Place.outside(one)
        for low, high in (addresses - _ODD).ranges + addresses.ranges if addresses else ():
            is_network = low & 0xFF == 0 and low < high
            for piece in ((low + 1, high), (low, low)) if is_network else ((low, high),):
                if (free := self._first_free(piece)) is not None:
                    yield Place.outside(free)
                    break

    def _are_one(self, endpoint: int, other: Place) -> bool:
        """Whether another end is the endpoint itself, or its own node."""
        is_node = other.address is not None and other.address in self.own_node(endpoint)
        return is_node or other.endpoint == endpoint

    def _first_free(self, piece: Range) -> int | None:
        """The first address of a range that no endpoint has."""
        low, high = piece
        first = bisect_left(self.owned, low)
        if bisect_right(self.owned, high, lo=first) - first > high - low:
            return None
        while first < len(self.owned) and self.owned[first] == low:
            first, low = first + 1, low + 1
        return low
