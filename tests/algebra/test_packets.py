"""PacketSet against plain sets of (traffic, address) pairs, and equal meaning as equal value."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet, witness
from tests.algebra.sets import (
    INTERVALS,
    LAST,
    PACKET_SETS,
    RECTANGLES,
    Rectangle,
    numbers,
    packets,
    pairs,
)


def is_canonical(packet_set: PacketSet[Intervals]) -> bool:
    """Whether parts are in order, disjoint, with peers, and neighbours differ."""
    parts = packet_set.parts
    return all(low <= high and peers for low, high, peers in parts) and all(
        before[1] < after[0] and (before[1] + 1 < after[0] or before[2] != after[2])
        for before, after in pairwise(parts)
    )


@given(RECTANGLES)
def test_of_is_the_canonical_union(rectangles: list[Rectangle]) -> None:
    made = PacketSet.of(rectangles)
    assert packets(made) == pairs(rectangles)
    assert is_canonical(made)
    assert bool(made) is bool(pairs(rectangles))


@given(st.lists(st.tuples(INTERVALS, INTERVALS), max_size=3), st.data())
def test_equal_meaning_is_equal_value(rectangles: list[Rectangle], data: st.DataObject) -> None:
    """However the rectangles are split, repeated and ordered."""
    pieces = []
    for wanted, peers in rectangles:
        by_traffic, by_peers = data.draw(INTERVALS), data.draw(INTERVALS)
        pieces += [
            (one, other)
            for one in (wanted & by_traffic, wanted - by_traffic)
            for other in (peers & by_peers, peers - by_peers)
        ]
    repeated = data.draw(st.lists(st.sampled_from(pieces), max_size=3)) if pieces else []
    shuffled = data.draw(st.permutations(pieces + repeated))
    assert PacketSet.of(shuffled) == PacketSet.of(rectangles)
    assert hash(PacketSet.of(shuffled)) == hash(PacketSet.of(rectangles))


@pytest.mark.parametrize(
    "combine",
    [
        pytest.param(operator.or_, id="union"),
        pytest.param(operator.and_, id="intersection"),
        pytest.param(operator.sub, id="difference"),
    ],
)
@given(left=PACKET_SETS, right=PACKET_SETS)
def test_operators(
    combine: Callable[[Any, Any], Any], left: PacketSet[Intervals], right: PacketSet[Intervals]
) -> None:
    result: PacketSet[Intervals] = combine(left, right)
    assert packets(result) == combine(packets(left), packets(right))
    assert is_canonical(result)


@given(PACKET_SETS)
def test_at(packet_set: PacketSet[Intervals]) -> None:
    expected: dict[int, set[int]] = {}
    for traffic, address in packets(packet_set):
        expected.setdefault(traffic, set()).add(address)
    for traffic in range(-1, LAST + 3):
        peers = packet_set.at(traffic)
        assert (set() if peers is None else numbers(peers.ranges)) == expected.get(traffic, set())
        assert peers != Intervals(), "None stands for nobody"


@given(PACKET_SETS, INTERVALS)
def test_map(packet_set: PacketSet[Intervals], kept: Intervals) -> None:
    """A map that drops peers: parts may vanish, and neighbours may become equal."""
    mapped = packet_set.map(lambda peers: peers & kept)
    plain = numbers(kept.ranges)
    assert packets(mapped) == {pair for pair in packets(packet_set) if pair[1] in plain}
    assert is_canonical(mapped)


@given(PACKET_SETS, PACKET_SETS)
def test_witness_is_the_least_packet_that_tells_two_sets_apart(
    left: PacketSet[Intervals], right: PacketSet[Intervals]
) -> None:
    assert witness(left, right) == min(packets(left) ^ packets(right), default=None)


@given(PACKET_SETS, st.integers(0, LAST), st.integers(0, LAST))
def test_a_witness_of_one_packet_more(packet_set: PacketSet[Intervals], traffic: int, address: int) -> None:
    """Sets that differ in one packet at most, which two drawn ones seldom do."""
    one = PacketSet.of([(Intervals.of((traffic, traffic)), Intervals.of((address, address)))])
    expected = None if (traffic, address) in packets(packet_set) else (traffic, address)
    assert witness(packet_set, packet_set | one) == witness(packet_set | one, packet_set) == expected
