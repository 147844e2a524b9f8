"""The ends of packets: endpoints by the family of the address they use, and addresses that no endpoint has.

A question is exact only address by address: a rule with a block may mean the IPv4 address of an endpoint
and not its IPv6 address. So an endpoint is two ends, one a family. Endpoints are numbers of the inventory,
not addresses: those without any (workloads known from manifests alone) are ends of both families that no
block means.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from npc.compiler.algebra.addresses import EVERY_ADDRESS, EVERY_V4, EVERY_V6, Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.inventory import Endpoint
from npc.compiler.labels import Bits, bits_of


@dataclass(frozen=True, slots=True)
class Ends:
    """Some ends of packets; has all set operations, so that `PacketSet[Ends]` has them.

    >>> (Ends(0b110, 0b010) - Ends(0b010)).v4, bool(Ends(0b1) & Ends(0, 0b1))
    (4, False)
    """

    v4: Bits = 0
    """Endpoints, by their IPv4 addresses."""
    v6: Bits = 0
    """Endpoints, by their IPv6 addresses."""
    outside: Intervals = Intervals()
    """Addresses, as far as no endpoint has them."""

    def __bool__(self) -> bool:
        return bool(self.v4 or self.v6 or self.outside)

    def __or__(self, other: Ends) -> Ends:
        return Ends(self.v4 | other.v4, self.v6 | other.v6, _joined(self.outside, other.outside))

    def __and__(self, other: Ends) -> Ends:
        both = self.outside and other.outside
        return Ends(self.v4 & other.v4, self.v6 & other.v6, self.outside & other.outside if both else NONE)

    def __sub__(self, other: Ends) -> Ends:
        left = self.outside - other.outside if other.outside else self.outside
        return Ends(self.v4 & ~other.v4, self.v6 & ~other.v6, left)

    def __contains__(self, place: Place) -> bool:
        """Whether an end is among these."""
        if place.endpoint is None:
            return place.address is not None and place.address in self.outside
        bits = self.v4 if place.family is Family.V4 else self.v6
        return bool(bits >> place.endpoint & 1)

    @property
    def endpoints(self) -> Bits:
        """The endpoints, by whichever address."""
        return self.v4 | self.v6

    def of_family(self, family: Family) -> Ends:
        """The ends of one family: packets run between two of them."""
        if family is Family.V4:
            return Ends(self.v4, 0, self.outside & EVERY_V4 if self.outside else NONE)
        return Ends(0, self.v6, self.outside & EVERY_V6 if self.outside else NONE)

    def families(self) -> Iterator[Ends]:
        """The ends family by family, where there are any."""
        return filter(None, map(self.of_family, Family))


NONE = Intervals()
NOBODY = Ends()


def _joined(one: Intervals, other: Intervals) -> Intervals:
    if not one.ranges or one == other:
        return other
    return one | other if other.ranges else one


@dataclass(frozen=True, slots=True)
class Place:
    """One end of a packet: an endpoint by its number, with a family, or an address that no endpoint has."""

    family: Family
    endpoint: int | None = None
    address: int | None = None

    @staticmethod
    def outside(address: int) -> Place:
        return Place(Family.of(address), None, address)

    @property
    def ends(self) -> Ends:
        if self.endpoint is None:
            return (
                Ends() if self.address is None else Ends(outside=Intervals.of((self.address, self.address)))
            )
        return Ends(1 << self.endpoint) if self.family is Family.V4 else Ends(0, 1 << self.endpoint)


@dataclass(frozen=True, slots=True)
class Census:
    """All ends there are: endpoints with the families and the places of their addresses."""

    v4: Bits
    """Endpoints that have an IPv4 address, or none of any family."""
    v6: Bits
    addresses: Sequence[int] = field(repr=False)
    """Of endpoints, sorted; more than one may have an address where host-network pods are taken for
    endpoints.
    """
    owners: Sequence[int] = field(repr=False)
    """The number of the endpoint that has each of them."""

    @staticmethod
    def of(endpoints: Sequence[Endpoint]) -> Census:
        families: dict[Family, list[int]] = {Family.V4: [], Family.V6: []}
        owned: list[tuple[int, int]] = []
        for number, endpoint in enumerate(endpoints):
            for address in endpoint.addresses:
                families[Family.of(address)].append(number)
                owned.append((address, number))
            if not endpoint.addresses:
                families[Family.V4].append(number)
                families[Family.V6].append(number)
        owned.sort()
        v4, v6 = (bits_of(families[family], len(endpoints)) for family in (Family.V4, Family.V6))
        return Census(v4, v6, [one for one, _ in owned], [number for _, number in owned])

    @property
    def everyone(self) -> Ends:
        """Every endpoint, and every address outside."""
        return Ends(self.v4, self.v6, EVERY_ADDRESS)

    def endpoints(self, chosen: Bits) -> Ends:
        """Some endpoints, by all their addresses."""
        return Ends(chosen & self.v4, chosen & self.v6)

    def at(self, addresses: Intervals) -> Ends:
        """Whoever has one of some addresses: endpoints by the addresses that are among them (P8), and others.

        A range of which endpoints have every address has nobody else.
        """
        found: dict[Family, list[int]] = {Family.V4: [], Family.V6: []}
        outside = []
        for low, high in addresses.ranges:
            first = bisect_left(self.addresses, low)
            last = bisect_right(self.addresses, high, lo=first)
            found[Family.of(low)] += self.owners[first:last]
            if last - first <= high - low or len(set(self.addresses[first:last])) <= high - low:
                outside.append((low, high))
        size = max(self.v4.bit_length(), self.v6.bit_length())
        v4, v6 = (bits_of(found[family], size) if found[family] else 0 for family in (Family.V4, Family.V6))
        return Ends(v4, v6, Intervals(tuple(outside)))
