"""Sets of numbers as masked matches: a value, and which of its bits count.

A range takes at most 2n - 2 masks of n bits that begin with ones. Masks with zeros between the ones save one
where two matches differ in a single bit, which single ranges hardly have and sets of numbers often do. (The
very fewest are a matter of minimizing logic, for which no quick way is known: over all sets of four bits
these are 8 % more, which a test shows.) Two levels, an allowance with exceptions above it, are far fewer
where a range is nearly a block.

>>> [f"{value:#06b}/{mask:#06b}" for value, mask in masks(Intervals.of((1, 3), (9, 9)), 4)]
['0b0001/0b0111', '0b0010/0b1110']
>>> with_exceptions(Intervals.of((1024, 65535)), 16)
(Intervals(ranges=((0, 65535),)), Intervals(ranges=((0, 1023),)))
"""

from __future__ import annotations

from collections.abc import Iterator

from npc.compiler.algebra.intervals import Intervals, Range

Masked = tuple[int, int]
"""A value and a mask: the numbers that have the value's bits where the mask has ones."""


def masks(numbers: Intervals, bits: int) -> list[Masked]:
    """Disjoint masked values that make up a set of numbers of so many bits, in order."""
    if len(numbers.ranges) <= 1:  # of which no two masks differ in a single bit
        return [one for piece in numbers.ranges for one in _prefixes(piece, bits)]
    by_mask: dict[int, set[int]] = {}
    for piece in numbers.ranges:
        for value, mask in _prefixes(piece, bits):
            by_mask.setdefault(mask, set()).add(value)
    for bit in (1 << position for position in range(bits)):
        for mask, values in [*by_mask.items()]:
            if len(values) == 1 or not mask & bit:
                continue
            pairs = [one for one in values if not one & bit and one | bit in values]
            if pairs:
                values.difference_update(pairs, (one | bit for one in pairs))
                by_mask.setdefault(mask & ~bit, set()).update(pairs)
    return sorted((value, mask) for mask, values in by_mask.items() for value in values)


def _prefixes(piece: Range, bits: int) -> Iterator[Masked]:
    """The fewest masks, all beginning with ones, that make up a range."""
    low, high = piece
    every = (1 << bits) - 1
    while low <= high:
        size = low & -low or 1 << bits
        while size > high - low + 1:
            size >>= 1
        yield low, every & ~(size - 1)
        low += size


def with_exceptions(numbers: Intervals, bits: int) -> tuple[Intervals, Intervals]:
    """A superset of the numbers, and what of it is none of them: together in the fewest masks.

    Masks that begin with ones are counted; there are no exceptions where they save nothing.
    """
    if not numbers:
        return numbers, Intervals()
    _, chosen, _ = _two_levels(numbers.ranges, (0, (1 << bits) - 1))
    superset = Intervals.of(*chosen)
    return superset, superset - numbers


def _two_levels(ranges: tuple[Range, ...], block: Range) -> tuple[int, list[Range], int]:
    """For a block and the ranges in it: the masks that it takes, what is allowed, the masks of its gaps."""
    low, high = block
    if not ranges:
        return 0, [], 1
    if ranges == (block,):
        return 1, [block], 0
    middle = (low + high) // 2
    below = tuple((first, min(last, middle)) for first, last in ranges if first <= middle)
    above = tuple((max(first, middle + 1), last) for first, last in ranges if last > middle)
    left, right = _two_levels(below, (low, middle)), _two_levels(above, (middle + 1, high))
    gaps = left[2] + right[2]
    if 1 + gaps < left[0] + right[0]:
        return 1 + gaps, [block], gaps
    return left[0] + right[0], left[1] + right[1], gaps
