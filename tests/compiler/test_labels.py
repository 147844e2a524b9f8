"""Selection by bitsets against a plain matcher, label by label (P11)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.frontend.syntax import EVERYTHING, Operator, Requirement, Selector
from npc.compiler.labels import LabelIndex, bits_of, matches, members

KEYS, VALUES = ("app", "tier", "zone"), ("", "a", "b")
LABELS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))
THINGS = st.lists(LABELS, max_size=20)

_SOME_VALUES = st.lists(st.sampled_from((*VALUES, "nowhere")), min_size=1, max_size=3, unique=True).map(
    lambda values: tuple(sorted(values))
)
REQUIREMENTS = st.one_of(
    st.builds(
        Requirement, st.sampled_from(KEYS), st.sampled_from((Operator.IN, Operator.NOT_IN)), _SOME_VALUES
    ),
    st.builds(
        Requirement, st.sampled_from(KEYS), st.sampled_from((Operator.EXISTS, Operator.DOES_NOT_EXIST))
    ),
)
SELECTORS = st.lists(REQUIREMENTS, max_size=3).map(Selector.of)


def holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    match requirement.operator:
        case Operator.IN:
            return labels.get(requirement.key) in requirement.values
        case Operator.NOT_IN:
            return labels.get(requirement.key) not in requirement.values
        case Operator.EXISTS:
            return requirement.key in labels
        case Operator.DOES_NOT_EXIST:
            return requirement.key not in labels


@given(THINGS, st.lists(SELECTORS, min_size=1, max_size=4), st.data())
def test_selection(things: list[dict[str, str]], selectors: list[Selector], data: st.DataObject) -> None:
    """Several selectors on one index: what it has kept from one must not mislead another."""
    index = LabelIndex(things)
    for selector in selectors:
        among = data.draw(st.sets(st.sampled_from(range(len(things))))) if things else set()
        expected = [
            number
            for number in sorted(among)
            if all(holds(requirement, things[number]) for requirement in selector.requirements)
        ]
        assert list(members(index.select(selector, bits_of(among, len(things))))) == expected


@given(THINGS, SELECTORS, SELECTORS)
def test_a_union_of_selections(things: list[dict[str, str]], one: Selector, other: Selector) -> None:
    index = LabelIndex(things)
    union = index.select(one, index.everything) | index.select(other, index.everything)
    assert list(members(union)) == [
        number
        for number, labels in enumerate(things)
        if any(all(holds(r, labels) for r in selector.requirements) for selector in (one, other))
    ]


TABLE: list[dict[str, str]] = [{}, {"app": ""}, {"app": "a"}, {"app": "b", "tier": "a"}]


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (EVERYTHING, [0, 1, 2, 3]),
        (Selector((Requirement("app", Operator.IN, ("a",)),)), [2]),
        (Selector((Requirement("app", Operator.IN, ("",)),)), [1]),
        (Selector((Requirement("app", Operator.IN, ("a", "b")),)), [2, 3]),
        (Selector((Requirement("app", Operator.NOT_IN, ("a",)),)), [0, 1, 3]),
        (Selector((Requirement("app", Operator.NOT_IN, ("", "a", "b")),)), [0]),
        (Selector((Requirement("app", Operator.EXISTS),)), [1, 2, 3]),
        (Selector((Requirement("app", Operator.DOES_NOT_EXIST),)), [0]),
        (Selector((Requirement("zone", Operator.NOT_IN, ("a",)),)), [0, 1, 2, 3]),
        (
            Selector((Requirement("app", Operator.EXISTS), Requirement("tier", Operator.DOES_NOT_EXIST))),
            [1, 2],
        ),
    ],
    ids=str,
)
def test_operators(selector: Selector, selected: list[int]) -> None:
    index = LabelIndex(TABLE)
    assert list(members(index.select(selector, index.everything))) == selected


@given(st.sets(st.integers(0, 200)))
def test_bitsets_and_numbers(numbers: set[int]) -> None:
    bits = bits_of(numbers, 201)
    assert bits == sum(1 << number for number in numbers)
    assert list(members(bits)) == sorted(numbers)


@given(THINGS, st.integers(0, 300), SELECTORS)
def test_finding_few_or_many(things: list[dict[str, str]], others: int, selector: Selector) -> None:
    """However rare a label is, what is found is what each thing's labels say by themselves."""
    things = [*things, *({} for _ in range(others))]
    assert list(LabelIndex(things).find(selector)) == [
        number for number, labels in enumerate(things) if matches(selector, labels)
    ]
    assert [matches(selector, labels) for labels in things] == [
        all(holds(requirement, labels) for requirement in selector.requirements) for labels in things
    ]
