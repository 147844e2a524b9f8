"""ICMP's part of the traffic line, the way dataplanes match it: types, and codes of a type.

Each address family has an ICMP of its own (RFC 792, RFC 4443). In packets of the other family nobody reads
its types, so a target has no match for them there: what a rule says of single types is then no packet's.

>>> [str(part) for part in parts(((0x0800, 0x09FF), (0x0B00, 0x0B01)))]
['8', '9', '11/0', '11/1']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals, Range

OF_FAMILY = {Family.V4: traffic.ICMP, Family.V6: traffic.ICMPV6}
"""The protocol number of each family's own ICMP."""
PROTOCOLS = frozenset(OF_FAMILY.values())

_LAST_CODE = 255


@dataclass(frozen=True, slots=True)
class Part:
    """All of a type, or one code of it."""

    kind: int
    code: int | None = None

    def __str__(self) -> str:
        return str(self.kind) if self.code is None else f"{self.kind}/{self.code}"


def parts(ranges: Iterable[Range]) -> Iterator[Part]:
    """Numbers `type << 8 | code` as types, and as codes where not all of a type's are meant."""
    for low, high in ranges:
        for kind in range(low >> 8, (high >> 8) + 1):
            first = max(low, kind << 8) & _LAST_CODE
            last = min(high, kind << 8 | _LAST_CODE) & _LAST_CODE
            if (first, last) == (0, _LAST_CODE):
                yield Part(kind)
            else:
                yield from (Part(kind, code) for code in range(first, last + 1))


def own_types(wanted: Intervals, family: Family) -> Intervals:
    """Traffic without single types of the other family's ICMP, which stays where all of it is meant."""
    (other,) = PROTOCOLS - {OF_FAMILY[family]}
    whole = traffic.every(other)
    return wanted if whole <= wanted else wanted - whole
