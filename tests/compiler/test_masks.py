"""Sets of numbers as masks: exact, disjoint, and as few as can be."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.optimize.masks import Masked, masks, with_exceptions

PORTS = st.integers(0, 65535)
SETS = st.lists(st.tuples(PORTS, st.integers(0, 300)), max_size=8).map(
    lambda found: Intervals.of(*((low, min(65535, low + more)) for low, more in found))
)

MASKS = [
    ((80, 80), ["80/ffff"]),
    ((80, 81), ["80/fffe"]),
    ((81, 82), ["81/ffff", "82/ffff"]),
    ((0, 65535), ["0/0"]),
    ((1024, 65535), ["1024/fc00", "2048/f800", "4096/f000", "8192/e000", "16384/c000", "32768/8000"]),
    ((1, 6), ["1/ffff", "2/fffe", "4/fffe", "6/ffff"]),
]


@pytest.mark.parametrize(("piece", "expected"), MASKS)
def test_masks(piece: Range, expected: list[str]) -> None:
    assert [f"{value}/{mask:x}" for value, mask in masks(Intervals((piece,)), 16)] == expected


def test_numbers_that_differ_in_single_bits_are_one() -> None:
    wanted = Intervals.of(*((one, one) for one in (0x10, 0x12, 0x110, 0x112)))
    assert masks(wanted, 16) == [(0x10, 0xFEFD)]


@given(SETS, st.lists(PORTS, max_size=20))
def test_masks_are_a_partition(wanted: Intervals, asked: list[int]) -> None:
    found = masks(wanted, 16)
    near = {end + step for piece in wanted.ranges for end in piece for step in (-1, 0, 1)}
    for port in (near | {*asked}) & {*range(65536)}:
        assert sum(port & mask == value for value, mask in found) == (port in wanted)
    sizes = (1 << (16 - mask.bit_count()) for _, mask in found)
    assert sum(sizes) == sum(high - low + 1 for low, high in wanted.ranges)


@given(SETS)
def test_no_two_masks_could_be_one(wanted: Intervals) -> None:
    found = set(masks(wanted, 16))
    for value, mask in found:
        assert not any((value ^ 1 << bit, mask) in found for bit in range(16) if mask >> bit & 1)


# --- all sets of a few bits ---------------------------------------------------------------------------------

BITS = 4


def _set_of(number: int) -> Intervals:
    """The set whose members are the bits of a number."""
    return Intervals.of(*((one, one) for one in range(1 << BITS) if number >> one & 1))


@cache
def fewest() -> list[int]:
    """The least number of disjoint masks for each set of 4-bit numbers: by what contains its least member."""
    by_least: list[list[int]] = [[] for _ in range(1 << BITS)]
    for value, mask in _every_mask():
        by_least[value].append(sum(1 << one for one in range(1 << BITS) if one & mask == value))
    found = [0] * (1 << (1 << BITS))
    for number in range(1, len(found)):
        least = (number & -number).bit_length() - 1
        found[number] = 1 + min(found[number & ~one] for one in by_least[least] if not one & ~number)
    return found


def _every_mask() -> list[Masked]:
    return [(value, mask) for mask in range(1 << BITS) for value in range(1 << BITS) if value & mask == value]


def test_masks_of_every_small_set_beside_the_fewest() -> None:
    """Exact, and 8 % more than the fewest; of ranges 3 %."""
    numbers = range(0, 1 << (1 << BITS), 7)
    counts = [len(masks(_set_of(number), BITS)) for number in numbers]
    least = [fewest()[number] for number in numbers]
    assert all(count >= one for count, one in zip(counts, least, strict=True))
    assert sum(counts) <= 1.09 * sum(least)
    ranges = [(low, high) for low in range(1 << BITS) for high in range(low, 1 << BITS)]
    of_ranges = sum(len(masks(Intervals.of(piece), BITS)) for piece in ranges)
    assert of_ranges <= 1.035 * sum(fewest()[(1 << high + 1) - (1 << low)] for low, high in ranges)


def _prefix_count(wanted: Intervals, bits: int) -> int:
    """The least masks beginning with ones, by halving."""
    if not wanted or wanted == Intervals.of((0, (1 << bits) - 1)):
        return bool(wanted)
    half = 1 << bits - 1
    lower = wanted & Intervals.of((0, half - 1))
    upper = Intervals(tuple((low - half, high - half) for low, high in (wanted - lower).ranges))
    return _prefix_count(lower, bits - 1) + _prefix_count(upper, bits - 1)


def test_two_levels_of_every_small_set_are_the_fewest() -> None:
    """By trying every superset."""
    bits = 3
    sets = [_set_of(number) for number in range(1 << (1 << bits))]
    counts = {one: _prefix_count(one, bits) for one in sets}
    for wanted in sets:
        superset, exceptions = with_exceptions(wanted, bits)
        assert superset - exceptions == wanted
        assert exceptions <= superset
        least = min(counts[one] + counts[one - wanted] for one in sets if wanted <= one)
        assert counts[superset] + counts[exceptions] == least
        assert not exceptions or least < counts[wanted]


@given(SETS)
def test_two_levels_are_exact(wanted: Intervals) -> None:
    superset, exceptions = with_exceptions(wanted, 16)
    assert (wanted <= superset, superset - wanted) == (True, exceptions)
