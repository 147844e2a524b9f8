"""Peers: groups by identity, blocks by address, and ANYONE above both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra.addresses import EVERY_ADDRESS, EVERY_V4, EVERY_V6, parse_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from tests.algebra.sets import INTERVALS, numbers

MEMBERS = {"web": (1, 4, 9), "db": (4, 5), "nobody": ()}
GROUPS = {key: Group(key, members) for key, members in MEMBERS.items()}
PEERS = st.builds(Peers, st.frozensets(st.sampled_from(sorted(GROUPS.values()))), INTERVALS)


def test_a_group_is_its_key() -> None:
    before, after = Group("pods(app=web) in ns/shop", (1,)), Group("pods(app=web) in ns/shop", (1, 2))
    assert before == after
    assert hash(before) == hash(after)
    assert Group("a", (1,)) != Group("b", (1,))
    assert sorted([Group("b", (1,)), Group("a", (2,))]) == [Group("a"), Group("b")]


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


WEB = Peers(frozenset({GROUPS["web"]}))


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
