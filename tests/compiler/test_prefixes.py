"""Longest-prefix tables and blocks with holes: exact, and never larger than the smallest there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra.addresses import (
    Cidr,
    Family,
    as_cidr,
    cidrs,
    format_address,
    format_cidr,
    parse_cidr,
)
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.optimize.blocks import MOST_HOLES, comparisons, hulls
from npc.compiler.optimize.prefixes import Entry, cheapest_table, match_table

WIDTH = 3
"""Bits of a small address: 256 sets of eight addresses, and every table of their fifteen prefixes."""
BASES = {
    Family.V4: parse_cidr("10.0.0.0/32").block.first,
    Family.V6: parse_cidr("fd00::/128").block.first,
}


def blocks_of(text: str) -> Intervals:
    """`10.0.0.0/8 - 10.1.0.0/16 + 10.1.2.0/24`, from left to right."""
    found = Intervals()
    sign = "+"
    for word in text.split():
        if word in "+-":
            sign = word
            continue
        block = Intervals.of(parse_cidr(word).block.range)
        found = found | block if sign == "+" else found - block
    return found


# --- what is true of an address by a table ------------------------------------------------------------------


def by_longest_prefix(table: Sequence[tuple[Cidr, int]], address: int) -> int:
    """The label of the longest prefix around an address; 0 without any."""
    around = [(block.prefix, label) for block, label in table if block.range[0] <= address <= block.range[1]]
    return max(around, default=(0, 0))[1]


def small_blocks() -> list[Cidr]:
    """All prefixes of the first eight addresses."""
    return [Cidr(first, 32 - bits) for bits in range(WIDTH + 1) for first in range(0, 1 << WIDTH, 1 << bits)]


@cache
def fewest_entries() -> dict[tuple[int, ...], int]:
    """For each way to label eight addresses with 0 and 1: the entries of the smallest table of all."""
    found: dict[tuple[int, ...], int] = {}
    wanted = 1 << (1 << WIDTH)
    for size in range(1 << WIDTH):
        for blocks in combinations(small_blocks(), size):
            for labels in product((0, 1), repeat=size):
                table = list(zip(blocks, labels, strict=True))
                meaning = tuple(by_longest_prefix(table, one) for one in range(1 << WIDTH))
                found.setdefault(meaning, size)
        if len(found) == wanted:
            return found
    raise AssertionError("some set has no table")


@cache
def cheapest_tables(values: int, costs: tuple[tuple[int, ...], ...]) -> dict[tuple[int, ...], int]:
    """For each way to label four addresses: the cost of the cheapest table, by trying all."""
    blocks = [Cidr(first, 32 - bits) for bits in range(3) for first in range(0, 4, 1 << bits)]
    found: dict[tuple[int, ...], int] = {}
    for labels in product((None, *range(values)), repeat=len(blocks)):
        table = {block: label for block, label in zip(blocks, labels, strict=True) if label is not None}
        meaning = tuple(by_longest_prefix(list(table.items()), one) for one in range(4))
        cost = sum(costs[_inherited(table, block)][label] for block, label in table.items())
        found[meaning] = min(found.get(meaning, cost), cost)
    return found


def _inherited(table: dict[Cidr, int], block: Cidr) -> int:
    shorter = [(one, label) for one, label in table.items() if one.prefix < block.prefix]
    return by_longest_prefix(shorter, block.first)


# --- match tables -------------------------------------------------------------------------------------------


def test_no_table_of_eight_addresses_is_smaller() -> None:
    for labels, fewest in fewest_entries().items():
        wanted = Intervals.of(*((one, one) for one, label in enumerate(labels) if label))
        table = match_table(wanted, Family.V4)
        assert tuple(by_longest_prefix(table, one) for one in range(1 << WIDTH)) == labels
        assert (labels, len(table)) == (labels, fewest)


SYMMETRIC = ((0, 1, 1), (1, 0, 1), (1, 1, 0))
UNEVEN = ((0, 2, 5), (1, 0, 3), (1, 1, 0))
FAR = ((0, 9, 1), (9, 0, 1), (1, 1, 0))
"""From 0 to 1 it is cheaper by way of 2."""


@pytest.mark.parametrize("costs", [SYMMETRIC, UNEVEN, FAR], ids=["symmetric", "uneven", "far"])
def test_no_table_of_several_labels_is_cheaper(costs: tuple[tuple[int, ...], ...]) -> None:
    for labels, least in cheapest_tables(3, costs).items():
        pieces = [(one, one, label) for one, label in enumerate(labels) if label]
        entries = cheapest_table(pieces, Family.V4, costs)
        _check_inherited(entries)
        table = [(entry.block, entry.label) for entry in entries]
        assert tuple(by_longest_prefix(table, one) for one in range(4)) == labels
        assert (labels, sum(costs[one.inherited][one.label] for one in entries)) == (labels, least)


def _check_inherited(entries: Sequence[Entry]) -> None:
    """What an entry says that it inherits is what the others make of its block."""
    table = {entry.block: entry.label for entry in entries}
    assert len(table) == len(entries)
    assert list(table) == sorted(table)
    for entry in entries:
        assert entry.inherited == _inherited(table, entry.block)


SIZES = st.integers(0, 10)


@st.composite
def scattered(draw: st.DrawFn, family: Family) -> Intervals:
    """Blocks and their holes near a base, some single addresses, and at times nearly all of the family."""
    made = family.every if draw(st.booleans()) else Intervals()
    for _ in range(draw(st.integers(0, 8))):
        size = 1 << draw(SIZES)
        first = BASES[family] + draw(st.integers(0, 1500)) // size * size
        block = Intervals.of((first, first + size - 1))
        made = made - block if draw(st.booleans()) else made | block
    return made


def edges(wanted: Intervals, family: Family) -> set[int]:
    """Both ends of each range and their neighbours, as far as the family has them."""
    near = {end + step for piece in wanted.ranges for end in piece for step in (-1, 0, 1)}
    return {one for one in near | set(family.every.ranges[0]) if one in family.every}


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("whole", [True, False])
@given(data=st.data())
def test_match_tables_are_exact_and_never_larger_than_the_blocks(
    family: Family, whole: bool, data: st.DataObject
) -> None:
    wanted = data.draw(scattered(family))
    table = match_table(wanted, family, whole=whole)
    assert whole or all(block.prefix > 0 for block, _ in table)
    asked = edges(wanted, family) | {end for block, _ in table for end in block.range}
    assert [one for one in sorted(asked) if by_longest_prefix(table, one) != (one in wanted)] == []
    others = family.every - wanted
    plain = sum(1 for piece in wanted.ranges for _ in cidrs(piece))
    negative = sum(1 for piece in others.ranges for _ in cidrs(piece))
    assert len(table) <= min(plain, negative + 1) + (not whole)


TABLES = [
    ("nothing", "", []),
    ("a block", "10.0.0.0/8", ["10.0.0.0/8"]),
    ("an except", "10.0.0.0/8 - 10.1.0.0/16", ["10.0.0.0/8", "10.1.0.0/16 no"]),
    (
        "a block in the except",
        "10.0.0.0/8 - 10.1.0.0/16 + 10.1.2.0/24",
        ["10.0.0.0/8", "10.1.0.0/16 no", "10.1.2.0/24"],
    ),
    ("half of it is no hole", "10.0.0.0/8 - 10.128.0.0/9", ["10.0.0.0/9"]),
    (
        "two holes that are one",
        "10.0.0.0/8 - 10.2.0.0/16 - 10.3.0.0/16",
        ["10.0.0.0/8", "10.2.0.0/15 no"],
    ),
    (
        "three quarters and a hole: not three blocks",
        "10.0.0.0/24 - 10.0.0.64/26 - 10.0.0.4/32",
        ["10.0.0.0/24", "10.0.0.4/32 no", "10.0.0.64/26 no"],
    ),
    ("all of a family", "0.0.0.0/0", ["0.0.0.0/0"]),
    ("of IPv6", "fd00::/8 - fd00:1::/32", ["fd00::/8", "fd00:1::/32 no"]),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES])
def test_match_table_texts(text: str, expected: list[str]) -> None:
    wanted = blocks_of(text)
    family = Family.of(wanted.ranges[0][0]) if wanted else Family.V4
    table = match_table(wanted, family)
    assert [format_cidr(block) + ("" if matches else " no") for block, matches in table] == expected


def test_without_the_prefix_of_length_0_there_are_two_halves() -> None:
    found = match_table(blocks_of("0.0.0.0/0 - 10.0.0.7/32"), Family.V4, whole=False)
    assert [(format_cidr(block), matches) for block, matches in found] == [
        ("0.0.0.0/1", True),
        ("10.0.0.7/32", False),
        ("128.0.0.0/1", True),
    ]


def test_a_table_of_many_prefixes() -> None:
    """A step for each bit of each prefix, not for each pair: this is quick, or it takes hours."""
    base = BASES[Family.V6]
    wanted = Intervals.of(*((base + (one << 64), base + (one << 64)) for one in range(0, 8000, 3)))
    assert len(match_table(wanted, Family.V6)) == len(wanted.ranges)
    assert len(hulls(wanted)) == len(wanted.ranges)


# --- blocks with holes --------------------------------------------------------------------------------------


def runs(count: int) -> Iterator[list[tuple[int, int]]]:
    """All ways to cut a list of so many into runs."""
    for cuts in product((False, True), repeat=max(0, count - 1)):
        starts = [0, *(index + 1 for index, cut in enumerate(cuts) if cut)]
        yield list(zip(starts, [*starts[1:], count], strict=True)) if count else []


def is_part(ranges: Sequence[Range], start: int, stop: int) -> bool:
    """Whether a run of ranges may be one part."""
    if stop == start + 1:
        return True
    holes = [(ranges[one][1] + 1, ranges[one + 1][0] - 1) for one in range(start, stop - 1)]
    blocks = sum(1 for hole in holes for _ in cidrs(hole))
    return as_cidr((ranges[start][0], ranges[stop - 1][1])) is not None and blocks <= stop - start


@pytest.mark.parametrize("family", list(Family))
@given(data=st.data())
def test_parts_are_exact_disjoint_and_fewest(family: Family, data: st.DataObject) -> None:
    wanted = data.draw(scattered(family))
    parts = hulls(wanted)
    met = Intervals()
    for hull, holes in parts:
        assert Intervals.of(*holes).ranges == holes
        assert Intervals(holes) <= Intervals.of(hull)
        own = Intervals.of(hull) - Intervals(holes)
        assert not own & met
        met |= own
    assert met == wanted
    assert [hull[0] for hull, _ in parts] == sorted(hull[0] for hull, _ in parts)
    assert comparisons(parts) <= len(wanted.ranges)
    if len(wanted.ranges) <= 8:
        possible = (
            found for found in runs(len(wanted.ranges)) if all(is_part(wanted.ranges, *one) for one in found)
        )
        assert len(parts) <= min(map(len, possible))
    assert all(len(holes) <= MOST_HOLES for _, holes in parts)


def test_a_part_has_so_many_holes_and_no_more() -> None:
    """Targets limit the length of a rule."""
    for family, first in BASES.items():
        wanted = family.every - Intervals.of(*((first + one, first + one) for one in range(0, 200, 2)))
        inside = Intervals.of((first + 64, first + 64))
        assert max(len(holes) for _, holes in hulls(wanted)) <= MOST_HOLES
        assert max(len(holes) for _, holes in hulls(wanted | inside)) <= MOST_HOLES


def text_of(piece: Range) -> str:
    block = as_cidr(piece)
    return format_cidr(block) if block else f"{format_address(piece[0])}-{format_address(piece[1])}"


PARTS = [
    ("nothing", "", []),
    ("an except", "10.0.0.0/8 - 10.1.0.0/16", ["10.0.0.0/8 less 10.1.0.0/16"]),
    (
        "a block in the except",
        "10.0.0.0/8 - 10.1.0.0/16 + 10.1.2.0/24",
        ["10.0.0.0/8 less 10.1.0.0/16", "10.1.2.0/24"],
    ),
    (
        "that, and a range elsewhere",
        "10.0.0.0/8 - 10.1.0.0/16 + 10.1.2.0/24 + 192.168.0.1/32 + 192.168.0.2/32",
        ["10.0.0.0/8 less 10.1.0.0/16", "10.1.2.0/24", "192.168.0.1-192.168.0.2"],
    ),
    (
        "holes side by side are one",
        "10.0.0.0/8 - 10.1.0.0/16 - 10.2.0.0/16",
        ["10.0.0.0/8 less 10.1.0.0-10.2.255.255"],
    ),
    ("a range is no block", "10.0.0.1/32 + 10.0.0.2/32", ["10.0.0.1-10.0.0.2"]),
    ("no block that is nearly all hole", "10.0.0.0/32 + 10.0.0.255/32", ["10.0.0.0/32", "10.0.0.255/32"]),
    (
        "both families",
        "0.0.0.0/0 + ::/0 - 10.0.0.0/8 - fd00::/8",
        ["0.0.0.0/0 less 10.0.0.0/8", "::/0 less fd00::/8"],
    ),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in PARTS], ids=[row[0] for row in PARTS])
def test_part_texts(text: str, expected: list[str]) -> None:
    found = [(text_of(hull), [text_of(hole) for hole in holes]) for hull, holes in hulls(blocks_of(text))]
    assert [hull + (f" less {', '.join(holes)}" if holes else "") for hull, holes in found] == expected


def test_many_blocks_with_holes_are_as_many_parts() -> None:
    """More than any search over all pairs would bear."""
    wanted = Intervals.of(*((one << 12, (one << 12) + 4095) for one in range(0, 6000, 2)))
    wanted -= Intervals.of(*(((one << 12) + 32, (one << 12) + 63) for one in range(0, 6000, 2)))
    parts = hulls(wanted)
    assert len(parts) == 3000
    assert {len(holes) for _, holes in parts} == {1}
