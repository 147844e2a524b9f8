"""Endpoints by name and by address, for those who look for a few: lists that are searched, and no index.

An index of a large cluster takes longer to make than one question takes to answer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from operator import attrgetter
from typing import TypeVar

from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.ends import Ends
from npc.compiler.inventory import Endpoint, Inventory
from npc.compiler.labels import bits_of
from npc.compiler.population import Population

T = TypeVar("T")

_NEAR = 1_000
"""Endpoints that are looked at before those that have an address are counted."""

_name = attrgetter("name")
_addresses = attrgetter("addresses")


@dataclass
class Roll:
    """The endpoints of an inventory; what has been listed once is kept."""

    inventory: Inventory
    population: Population
    _names: dict[str | None, list[str]] = field(default_factory=dict, init=False, repr=False)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return self.inventory.endpoints

    def within(self, namespace: str | None) -> range:
        """The numbers of the endpoints of a namespace; None: of all."""
        return range(*((0, len(self.endpoints)) if namespace is None else self.population.span(namespace)))

    def called(self, name: str, namespace: str | None) -> list[int]:
        """The endpoints that have a name."""
        names, first = self._named(namespace)
        return [first + place for place in _places(name, names)]

    def beginning(self, name: str, namespace: str | None) -> list[int]:
        """The endpoints whose names begin so."""
        names, first = self._named(namespace)
        return [number for number, one in enumerate(names, first) if one.startswith(name)]

    def ends(self, numbers: Iterable[int]) -> Ends:
        """Endpoints by all their addresses; those without any are ends of both families."""
        v4: list[int] = []
        v6: list[int] = []
        for number in numbers:
            families = {Family.of(one) for one in self.endpoints[number].addresses} or set(Family)
            if Family.V4 in families:
                v4.append(number)
            if Family.V6 in families:
                v6.append(number)
        return self._ends(v4, v6)

    def at(self, addresses: Intervals) -> Ends:
        """Whoever has one of some addresses: endpoints by the addresses that are among them, and others.

        An address that a node has, too, is the node's. A range of which endpoints have every address has
        nobody else.
        """
        owners: dict[Family, list[int]] = {Family.V4: [], Family.V6: []}
        owned: list[int] = []
        for number, address in self._having(addresses):
            if address not in self._hosts:
                owners[Family.of(address)].append(number)
                owned.append(address)
        owned = sorted(set(owned))
        left = (
            (low, high)
            for low, high in addresses.ranges
            if bisect_right(owned, high) - bisect_left(owned, low) <= high - low
        )
        ends = self._ends(owners[Family.V4], owners[Family.V6])
        return Ends(ends.v4, ends.v6, Intervals(tuple(left)))

    def _ends(self, v4: list[int], v6: list[int]) -> Ends:
        size = len(self.endpoints)
        return Ends(bits_of(v4, size) if v4 else 0, bits_of(v6, size) if v6 else 0)

    def _having(self, addresses: Intervals) -> Iterator[tuple[int, int]]:
        """The endpoints that have one of some addresses, each with the address."""
        listed = self._listed
        match addresses.ranges:
            case ():
                return
            case ((low, high),) if low == high:
                places = _places(low, listed)
            case ((low, high),):
                places = [at for at, one in enumerate(listed) if low <= one <= high]
            case ranges:
                lows, highs = (list(ends) for ends in zip(*ranges, strict=True))
                places = [
                    at
                    for at, one in enumerate(listed)
                    if lows[0] <= one <= highs[bisect_right(lows, one) - 1]
                ]
        if len(places) == 1 and (number := self._near(places[0])) is not None:
            yield number, listed[places[0]]
        else:
            yield from ((bisect_right(self._firsts, at) - 1, listed[at]) for at in places)

    def _near(self, place: int) -> int | None:
        """The endpoint that the only address of its value is of, by its place among all; None: not found near
        to where it is if endpoints have equally many.
        """
        address, count = self._listed[place], len(self.endpoints)
        guess = place * count // len(self._listed)
        numbers = range(max(guess - _NEAR, 0), min(guess + _NEAR, count))
        return next((one for one in numbers if address in self.endpoints[one].addresses), None)

    def _named(self, namespace: str | None) -> tuple[list[str], int]:
        """The names of the endpoints of a namespace, and the number of the first."""
        within = self.within(namespace)
        if namespace not in self._names:
            self._names[namespace] = list(map(_name, self.endpoints[within.start : within.stop]))
        return self._names[namespace], within.start

    @cached_property
    def _listed(self) -> Sequence[int]:
        """The addresses of all endpoints, one after the other."""
        return self.inventory.addresses

    @cached_property
    def _firsts(self) -> list[int]:
        """The place among all addresses of the first of each endpoint, or of the next if it has none."""
        return list(accumulate(map(len, map(_addresses, self.endpoints)), initial=0))

    @cached_property
    def _hosts(self) -> frozenset[int]:
        return frozenset(address for node in self.inventory.nodes for address in node.addresses)


def _places(wanted: T, listed: Sequence[T]) -> list[int]:
    """Where something stands on a list."""
    found: list[int] = []
    try:
        while True:
            found.append(listed.index(wanted, found[-1] + 1 if found else 0))
    except ValueError:
        return found
