"""Peers: groups by identity, blocks by address less holes, and ANYONE above all."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra.addresses import EVERY_ADDRESS, EVERY_V4, EVERY_V6, parse_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from tests.algebra.sets import INTERVALS, numbers

MEMBERS = {"web": (1, 4, 9), "db": (4, 5), "nobody": (), "old": (5, 9, 14)}
GROUPS = {key: Group(key, frozenset(members)) for key, members in MEMBERS.items()}
PEERS = st.builds(Peers, st.frozensets(st.sampled_from(sorted(GROUPS.values()))), INTERVALS)
BLOCKS = st.one_of(INTERVALS, st.just(EVERY_ADDRESS))
SIMPLE = st.builds(Peers, st.frozensets(st.sampled_from(sorted(GROUPS.values()))), BLOCKS)
OPERATORS = st.sampled_from([operator.or_, operator.and_, operator.sub])


def test_a_group_is_its_key() -> None:
    before, after = (Group("pods(app=web) in ns/shop", frozenset(members)) for members in ({1}, {1, 2}))
    assert before == after
    assert hash(before) == hash(after)
    assert Group("a", frozenset({1})) != Group("b", frozenset({1}))
    assert sorted([Group("b", frozenset({1})), Group("a", frozenset({2}))]) == [Group("a"), Group("b")]


@given(PEERS, PEERS)
def test_union_joins_the_parts(left: Peers, right: Peers) -> None:
    union = left | right
    assert (union.groups, union.blocks) == (left.groups | right.groups, left.blocks | right.blocks)
    assert union.addresses() == left.addresses() | right.addresses()
    assert union == right | left


@given(PEERS)
def test_addresses_are_those_of_groups_and_blocks(peers: Peers) -> None:
    expected = numbers(peers.blocks.ranges).union(*(MEMBERS[group.key] for group in peers.groups))
    assert numbers(peers.addresses().ranges) == expected


@given(st.lists(SIMPLE, min_size=5, max_size=5), st.lists(OPERATORS, min_size=4, max_size=4))
def test_operators_are_those_of_sets(
    operands: list[Peers], operators: list[Callable[[Any, Any], Any]]
) -> None:
    """However holes and groups come of each other: five operands under four operators."""
    combine, *rest, last = operators
    left = combine(operands[0], operands[1])
    right = rest[0](operands[2], rest[1](operands[3], operands[4]))
    result = last(left, right)
    expected = last(left.addresses(), right.addresses())
    assert result.addresses() == expected
    assert left.addresses() == combine(operands[0].addresses(), operands[1].addresses())
    assert bool(result) or not expected
    assert all((address in result) == (address in expected) for address in range(20))
    keys = [*result.groups, *result.holes]
    assert len({(one.key, one.members) for one in keys}) == len({one.key for one in keys})


@given(SIMPLE, SIMPLE)
def test_nothing_is_derived_where_no_member_is_in_two_sets(left: Peers, right: Peers) -> None:
    if not (left.addresses() & right.addresses()):
        assert (left - right).groups == left.groups
        assert not (left - right).holes


WEB = Peers(frozenset({GROUPS["web"]}))
OLD = Peers(frozenset({GROUPS["old"]}))


@pytest.mark.parametrize(
    ("peers", "groups", "holes"),
    [
        pytest.param(ANYONE - WEB, [], ["web"], id="a hole keeps its name"),
        pytest.param((ANYONE - WEB) & OLD, ["old except web"], [], id="a group under a hole"),
        pytest.param((ANYONE - WEB) | OLD, ["old"], ["web"], id="a group that fills a part of a hole"),
        pytest.param(ANYONE - (ANYONE - WEB), ["web"], [], id="twice taken away"),
        pytest.param(WEB & OLD, ["old and web"], [], id="both"),
        pytest.param(WEB - Peers(blocks=Intervals.of((0, 3))), ["web not in (0.0.0.0/30)"], [], id="outside"),
        pytest.param(WEB & Peers(blocks=Intervals.of((0, 3))), ["web in (0.0.0.0/30)"], [], id="inside"),
        pytest.param(
            Peers(blocks=Intervals.of((4, 5))) - Peers(frozenset({GROUPS["db"]})), [], [], id="none"
        ),
    ],
)
def test_where_names_come_from(peers: Peers, groups: list[str], holes: list[str]) -> None:
    assert sorted(one.key for one in peers.groups) == groups
    assert sorted(one.key for one in peers.holes) == holes


@pytest.mark.parametrize(
    ("left", "right", "union"),
    [
        pytest.param(WEB, ANYONE, ANYONE, id="a group and anyone"),
        pytest.param(ANYONE, WEB, ANYONE, id="anyone and a group"),
        pytest.param(ANYONE, Peers(), ANYONE, id="anyone and nobody"),
        pytest.param(
            WEB | Peers(blocks=EVERY_V4), Peers(blocks=EVERY_V6), ANYONE, id="the families one by one"
        ),
        pytest.param(
            WEB, Peers(blocks=EVERY_V4), Peers(WEB.groups, EVERY_V4), id="one family leaves the groups"
        ),
        pytest.param(
            WEB,
            Peers(blocks=EVERY_ADDRESS - Intervals.of((4, 4))),
            Peers(WEB.groups, EVERY_ADDRESS - Intervals.of((4, 4))),
            id="all but one address leaves the groups",
        ),
    ],
)
def test_anyone_absorbs(left: Peers, right: Peers, union: Peers) -> None:
    assert left | right == union


@pytest.mark.parametrize(
    ("peers", "is_any"),
    [
        (Peers(), False),
        (Peers(blocks=Intervals.of((1, 1))), True),
        (WEB, True),
        # A group is somebody by its identity, whoever its members are today.
        (Peers(frozenset({GROUPS["nobody"]})), True),
        (Peers(blocks=Intervals.of((4, 5))) - Peers(frozenset({GROUPS["db"]})), False),
        (ANYONE, True),
    ],
)
def test_truth(peers: Peers, is_any: bool) -> None:
    assert bool(peers) is is_any


def test_anyone_is_every_address() -> None:
    assert ANYONE.addresses() == EVERY_ADDRESS
    assert all(
        parse_address(text) in ANYONE.blocks for text in ("0.0.0.0", "255.255.255.255", "::", "fd00::1")
    )
