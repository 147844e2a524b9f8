"""Boxes of labels against all labels that there can be: two keys, two values, one more value, and absence."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.frontend.syntax import Operator, Requirement, Selector
from npc.compiler.labels import LabelIndex, members
from npc.compiler.lint.label_sets import Box, contradiction

KEYS = ("a", "b")
WORLD = [
    {key: value for key, value in zip(KEYS, values, strict=True) if value is not None}
    for values in product((None, "x", "y", "another"), repeat=len(KEYS))
]
"""A value that no selector names stands for all such."""

REQUIREMENTS = st.builds(
    Requirement,
    st.sampled_from(KEYS),
    st.sampled_from(Operator),
    st.sampled_from((("x",), ("y",), ("x", "y"))),
).map(
    lambda one: one if one.operator in (Operator.IN, Operator.NOT_IN) else Requirement(one.key, one.operator)
)
SELECTORS = st.lists(REQUIREMENTS, max_size=4).map(Selector.of)


def matched(selector: Selector) -> set[int]:
    index = LabelIndex(WORLD)
    return set(members(index.select(selector, index.everything)))


@given(SELECTORS)
def test_a_box_is_empty_when_its_selector_matches_nothing(selector: Selector) -> None:
    assert bool(Box.of(selector)) is bool(matched(selector))
    assert bool(contradiction(selector)) is not bool(matched(selector))


@given(SELECTORS, SELECTORS)
def test_intersection(one: Selector, other: Selector) -> None:
    assert bool(Box.of(one) & Box.of(other)) is bool(matched(one) & matched(other))


@given(SELECTORS, st.lists(SELECTORS, max_size=4))
def test_being_within_others(one: Selector, others: list[Selector]) -> None:
    union = set().union(*map(matched, others))
    assert Box.of(one).is_within(map(Box.of, others)) is (matched(one) <= union)
