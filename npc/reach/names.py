"""What parties, many of them, and addresses are called in reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from npc.compiler.algebra.addresses import EVERY_ADDRESS, Family, cidrs, format_address, format_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.connections import Connections
from npc.compiler.frontend.render import printable
from npc.compiler.labels import Bits, members

_WORDS = {Family.V4: "any IPv4 address outside", Family.V6: "any IPv6 address outside"}


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a report's parties."""

    parties: tuple[str, ...]
    """`shop/deploy/web`; parts of a workload that differ are numbered: `shop/deploy/web#2`."""
    namespaces: tuple[tuple[str, Bits], ...]
    """Those that have more than one party, with their parties."""
    everyone: Bits
    _known: dict[Bits, tuple[str, ...]] = field(default_factory=dict)

    @staticmethod
    def of(connections: Connections) -> Names:
        names = []
        namespaces: dict[str, Bits] = {}
        for number, party in enumerate(connections.parties):
            names.append(printable(f"{party.workload}#{party.part}" if party.part else str(party.workload)))
            space = party.workload.namespace
            namespaces[space] = namespaces.get(space, 0) | 1 << number
        several = [(name, bits) for name, bits in namespaces.items() if bits.bit_count() > 1]
        return Names(tuple(names), tuple(several), connections.everyone)

    def each(self, parties: Bits) -> list[str]:
        """The names of some parties, one by one."""
        return [self.parties[number] for number in members(parties)]

    def together(self, parties: Bits) -> tuple[str, ...]:
        """Some parties in few words: all of them, all of a namespace, all but a few."""
        if parties not in self._known:
            self._known[parties] = self._together(parties)
        return self._known[parties]

    def _together(self, parties: Bits) -> tuple[str, ...]:
        count = self.everyone.bit_count()
        if parties == self.everyone and count > 2:
            return (f"everyone ({count:,} workloads)",)
        found = tuple(self._by_namespace(parties))
        if parties.bit_count() * 2 > count > 4:
            others = tuple(self._by_namespace(self.everyone & ~parties))
            if len(others) < len(found):
                return ("everyone but " + others[0], *others[1:])
        return found

    def _by_namespace(self, parties: Bits) -> Iterator[str]:
        whole = {}
        for name, bits in self.namespaces:
            if bits & ~parties == 0:
                first = (bits & -bits).bit_length() - 1
                whole[first] = f"ns/{printable(name)} ({bits.bit_count():,} workloads)"
                parties &= ~bits | 1 << first
        for number in members(parties):
            yield whole.get(number, self.parties[number])


def blocks(addresses: Intervals) -> list[str]:
    """Some addresses as blocks, `0.0.0.0/0 except 10.0.0.0/8` where that is shorter."""
    if addresses == EVERY_ADDRESS:
        return ["any address outside"]
    found: list[str] = []
    for family in Family:
        own = addresses & family.every
        if not own:
            continue
        if own == family.every:
            found.append(_WORDS[family])
            continue
        plain = list(_cidrs(own))
        ((_, last),) = family.every.ranges
        low, high = own.ranges[0][0], own.ranges[-1][1]
        bits = (low ^ high).bit_length()
        around = (low >> bits << bits, min(low >> bits << bits | ((1 << bits) - 1), last))
        holes = list(_cidrs(Intervals.of(around) - own))
        if len(holes) + 1 < len(plain):
            (block,) = _cidrs(Intervals.of(around))
            listed = ", ".join(holes)
            found.append(f"{block} except {listed if len(holes) == 1 else f'({listed})'}")
        else:
            found += plain
    return found


def _cidrs(addresses: Intervals) -> Iterator[str]:
    for piece in addresses.ranges:
        for block in cidrs(piece):
            is_host = block.prefix == block.family.bits
            yield format_address(block.first) if is_host else format_cidr(block)
