"""Addresses as iptables' and ipset's words say them: one, a block, a range, or those under a mask.

A mask need not be a prefix: `10.0.0.1/0.0.0.3` means the addresses whose last two bits are 01. Few ranges are
written out; where there would be very many, it stays a `Mask`.

>>> block("10.0.0.1/0.0.0.3", Family.V4, Line("rules", 1))
Mask(family=<Family.V4: 4>, value=1, mask=3)
>>> len(block("10.0.0.1/255.0.255.0", Family.V4, Line("rules", 1)).ranges)
256
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from npc.backends.iptables.reader.words import number
from npc.compiler.algebra.addresses import Family, format_address, parse_address
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.verify.program import Line, Malformed, Unsupported

_MOST_FREE_BITS = 12
"""A mask with so many zeros above its last one is written out, as 4,096 ranges."""


@dataclass(frozen=True, slots=True)
class Mask:
    """The addresses of a family whose bits under a mask have a value."""

    family: Family
    value: int
    mask: int

    def __str__(self) -> str:
        offset = self.family.every.ranges[0][0]
        return f"{format_address(offset + self.value)}/{format_address(offset + self.mask)}"

    def among(self, addresses: Intervals) -> Intervals:
        """Those that are among some addresses, which are looked at one by one."""
        return Intervals.of(
            *(
                (one, one)
                for low, high in addresses.ranges
                for one in range(low, high + 1)
                if one & self.mask == self.value
            )
        )

    def is_disjoint(self, other: Mask) -> bool:
        return bool((self.value ^ other.value) & self.mask & other.mask)


def block(text: str, family: Family, line: Line) -> Intervals | Mask:
    """`10.0.0.1`, `10.0.0.0/8` or `10.0.0.0/255.0.0.0`."""
    address_text, slash, mask_text = text.partition("/")
    address = one_address(address_text, family, line)
    if not slash:
        return Intervals(((address, address),))
    if "." not in mask_text and ":" not in mask_text:
        return Intervals(
            (_block(address, number(mask_text, family.bits, "the prefix length", line), family),)
        )
    own = (1 << family.bits) - 1
    mask = one_address(mask_text, family, line) & own
    found = Mask(family, address & mask, mask)
    free = [bit for bit in range(family.bits) if not mask >> bit & 1 and mask & ((1 << bit) - 1)]
    if len(free) > _MOST_FREE_BITS:
        return found
    return Intervals.of(*_ranges(found, free))


def blocks(text: str, family: Family, *, negated: bool, line: Line) -> Intervals | Mask:
    """What -s and -d take: blocks with commas between them, or all addresses but one block."""
    parts = [block(part, family, line) for part in text.split(",")]
    if negated and len(parts) > 1:
        raise Malformed(f"`! {text}`", line, "only one block can be negated")
    (first, *others) = parts
    if isinstance(first, Mask) and not others and not negated:
        return first
    plain = [part for part in parts if isinstance(part, Intervals)]
    if len(plain) < len(parts):
        raise Unsupported(f"the mask in `{text}`, negated or in a list,", line, "write a prefix length")
    found = Intervals.union(plain)
    return family.every - found if negated else found


def prefix(text: str, family: Family, line: Line) -> Range:
    """An address, or a block with a prefix length."""
    address_text, slash, length = text.partition("/")
    address = one_address(address_text, family, line)
    if not slash:
        return address, address
    return _block(address, number(length, family.bits, "the prefix length", line), family)


def span(text: str, family: Family, line: Line) -> Range | None:
    """`first-last`, or one address; nothing where the last comes before the first."""
    first, dash, last = text.partition("-")
    low = one_address(first, family, line)
    high = one_address(last, family, line) if dash else low
    return (low, high) if low <= high else None


def one_address(text: str, family: Family, line: Line) -> int:
    """On the number line. Raises Unsupported for names and short forms, Malformed for the other family."""
    try:
        address = parse_address(text)
    except ValueError:
        raise Unsupported(f"the address `{text}`", line, "write it in full, in digits") from None
    if Family.of(address) is not family:
        raise Malformed(f"the address `{text}`", line, f"it is not of IPv{family.value}")
    return address


def _block(address: int, length: int, family: Family) -> Range:
    rest = (1 << (family.bits - length)) - 1
    return address & ~rest, address | rest


def _ranges(mask: Mask, free: list[int]) -> Iterator[Range]:
    """The ranges of addresses under a mask: one for each value of its zeros above the last one."""
    lowest = (mask.mask & -mask.mask) or 1 << mask.family.bits
    base = mask.family.every.ranges[0][0] | mask.value
    for choice in range(1 << len(free)):
        first = base | sum(1 << bit for place, bit in enumerate(free) if choice >> place & 1)
        yield first, first + lowest - 1
