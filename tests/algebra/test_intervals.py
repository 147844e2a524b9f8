"""Intervals against plain sets of integers: every operator, and equal sets as equal values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra.intervals import Intervals, Range
from tests.algebra.sets import INTERVALS, LAST, RANGE_LISTS, RANGES, is_canonical, numbers


@pytest.mark.parametrize(
    ("ranges", "canonical"),
    [
        pytest.param([], (), id="nothing"),
        pytest.param([(4, 4)], ((4, 4),), id="one number"),
        pytest.param([(1, 2), (3, 4)], ((1, 4),), id="adjacent"),
        pytest.param([(1, 2), (4, 5)], ((1, 2), (4, 5)), id="a gap of one"),
        pytest.param([(5, 6), (1, 2)], ((1, 2), (5, 6)), id="out of order"),
        pytest.param([(1, 9), (3, 4)], ((1, 9),), id="nested"),
        pytest.param([(1, 9), (3, 4), (10, 12)], ((1, 12),), id="nested, then adjacent to the outer"),
        pytest.param([(2, 5), (2, 5)], ((2, 5),), id="twice"),
        pytest.param([(2, 5), (2, 9)], ((2, 9),), id="the same start"),
        pytest.param([(0, 2**129 - 1)], ((0, 2**129 - 1),), id="as large as the addresses"),
    ],
)
def test_of(ranges: list[Range], canonical: tuple[Range, ...]) -> None:
    assert Intervals.of(*ranges).ranges == canonical


@given(RANGE_LISTS)
def test_of_is_the_canonical_union(ranges: list[Range]) -> None:
    made = Intervals.of(*ranges)
    assert numbers(made.ranges) == numbers(ranges)
    assert is_canonical(made)


@given(st.sets(st.integers(0, LAST)), st.data())
def test_equal_sets_are_equal_values(members: set[int], data: st.DataObject) -> None:
    one_by_one = Intervals.of(*((number, number) for number in members))
    runs = data.draw(st.lists(RANGES.filter(lambda run: numbers([run]) <= members), max_size=4))
    shuffled = data.draw(st.permutations([*((number, number) for number in members), *runs]))
    assert Intervals.of(*shuffled) == one_by_one
    assert hash(Intervals.of(*shuffled)) == hash(one_by_one)


@pytest.mark.parametrize(
    "combine",
    [
        pytest.param(operator.or_, id="union"),
        pytest.param(operator.and_, id="intersection"),
        pytest.param(operator.sub, id="difference"),
    ],
)
@given(left=INTERVALS, right=INTERVALS)
def test_operators(combine: Callable[[Any, Any], Any], left: Intervals, right: Intervals) -> None:
    result: Intervals = combine(left, right)
    assert numbers(result.ranges) == combine(numbers(left.ranges), numbers(right.ranges))
    assert is_canonical(result)


@given(INTERVALS, INTERVALS)
def test_comparisons(left: Intervals, right: Intervals) -> None:
    plain_left, plain_right = numbers(left.ranges), numbers(right.ranges)
    assert (left <= right) is (plain_left <= plain_right)
    assert (left == right) is (plain_left == plain_right)


@given(st.lists(INTERVALS, max_size=5))
def test_union_of_many(sets: list[Intervals]) -> None:
    union = Intervals.union(sets)
    assert numbers(union.ranges) == set().union(*(numbers(one.ranges) for one in sets))
    assert is_canonical(union)


@given(INTERVALS)
def test_members(intervals: Intervals) -> None:
    members = numbers(intervals.ranges)
    assert [number in intervals for number in range(-1, LAST + 3)] == [
        number in members for number in range(-1, LAST + 3)
    ]
    assert bool(intervals) is bool(members)
