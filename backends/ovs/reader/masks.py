"""Numbers under a mask, as ranges: where a match looks at some bits only (ovs-fields(7), "Bitwise match").

>>> ranges(0x2811, 0xFFFD, 16)
((10257, 10257), (10259, 10259))
>>> ranges(0x1F40, 0xFFF8, 16)
((8000, 8007),)
"""

from __future__ import annotations

from npc.compiler.algebra.intervals import Range

MOST = 4096
"""The ranges that one match may come to: a mask of scattered bits has two for each bit that it leaves out."""


def ranges(value: int, mask: int, bits: int) -> tuple[Range, ...]:
    """The numbers of `bits` bits that have the value's bits wherever the mask has ones, in order.

    Bits of the value outside the mask do not count. ValueError where they are more than `MOST` ranges.
    """
    every = (1 << bits) - 1
    mask &= every
    low = mask & -mask if mask else 1 << bits
    free = [1 << bit for bit in range(bits) if 1 << bit > low and not mask >> bit & 1]
    if 1 << len(free) > MOST:
        raise ValueError(f"more than {MOST} ranges")
    firsts = [value & mask]
    for bit in free:
        firsts += [first | bit for first in firsts]
    return tuple((first, first + low - 1) for first in sorted(firsts))
