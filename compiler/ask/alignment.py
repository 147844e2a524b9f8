"""Two inventories on one list of endpoints: which endpoint of the one is which of the other.

An endpoint is the same one where its namespace and name are. Of the others, pods of one controller stand in
for each other, in the order of their names: a Deployment that was rolled out has new pods, and means what it
meant. What is left is on one side alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from npc.compiler.ask.ends import Ends
from npc.compiler.ask.workloads import workloads_of
from npc.compiler.inventory import Endpoint, Inventory
from npc.compiler.labels import Bits, bits_of, members


@dataclass(slots=True)
class Side:
    """The endpoints of one inventory by their places on the list of both."""

    places: Sequence[int] | None
    """The place of each endpoint; None where its number is its place."""
    numbers: Sequence[int | None] | None
    """The endpoint at each place, where there is one."""
    v4: Bits = 0
    """The places that have an IPv4 address on this side."""
    v6: Bits = 0
    _moved: dict[Bits, Bits] = field(default_factory=dict)

    def number(self, place: int) -> int | None:
        """The endpoint at a place; None where this side has none."""
        return place if self.numbers is None else self.numbers[place]

    def moved(self, ends: Ends) -> Ends:
        """Ends of this side by their places."""
        if self.places is None:
            return ends
        return Ends(self._move(ends.v4), self._move(ends.v6), ends.outside)

    def _move(self, bits: Bits) -> Bits:
        if not bits:
            return 0
        if bits not in self._moved:
            places, size = self.places or (), len(self.numbers or ())
            self._moved[bits] = bits_of((places[number] for number in members(bits)), size)
        return self._moved[bits]


@dataclass(frozen=True, slots=True)
class Alignment:
    """The endpoints of two inventories as one list; of one that both have, the new one is on it."""

    endpoints: tuple[Endpoint, ...]
    old: Side
    new: Side

    @staticmethod
    def of(old: Inventory, new: Inventory) -> Alignment:
        """The endpoints of both, sorted by namespace and name."""
        if old.endpoints is new.endpoints:
            return Alignment(new.endpoints, Side(None, None), Side(None, None))
        before, after = (tuple(map(_key, one.endpoints)) for one in (old, new))
        if before == after:
            return Alignment(new.endpoints, Side(None, None), Side(None, None))
        names = {key: key for key in before}
        names |= _replaced(old, new)  # the old name of what is on the list by its new one
        listed: dict[tuple[str, str], tuple[int | None, int | None]] = {
            names[key]: (number, None) for number, key in enumerate(before)
        }
        for number, key in enumerate(after):
            listed[key] = listed.get(key, (None, None))[0], number
        order = sorted(listed)
        place = {key: at for at, key in enumerate(order)}
        endpoints = []
        for key in order:
            earlier, later = listed[key]
            endpoints.append(
                new.endpoints[later] if later is not None else old.endpoints[earlier or 0],
            )
        return Alignment(
            tuple(endpoints),
            Side([place[names[key]] for key in before], [listed[key][0] for key in order]),
            Side([place[key] for key in after], [listed[key][1] for key in order]),
        )


def _key(endpoint: Endpoint) -> tuple[str, str]:
    return endpoint.namespace, endpoint.name


def _replaced(old: Inventory, new: Inventory) -> dict[tuple[str, str], tuple[str, str]]:
    """The pods of controllers that others have taken the place of: the old name of each, and the new one."""
    before = {_key(one) for one in old.endpoints}
    after = {_key(one) for one in new.endpoints}
    gone = [number for number, one in enumerate(old.endpoints) if _key(one) not in after]
    come = [number for number, one in enumerate(new.endpoints) if _key(one) not in before]
    if not gone or not come:
        return {}
    found = {str(one): one for one in workloads_of(new.endpoints, come)}
    replaced = {}
    for workload in workloads_of(old.endpoints, gone):
        if (successor := found.get(str(workload))) is not None:
            pairs = zip(members(workload.members), members(successor.members), strict=False)
            for one, other in pairs:
                replaced[_key(old.endpoints[one])] = _key(new.endpoints[other])
    return replaced
