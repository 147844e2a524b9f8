"""Arms of a decision: exact whatever the form, and disjoint where they say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_V4, parse_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from npc.compiler.algebra.traffic import TCP, UDP
from npc.compiler.arms import Arm, by_peers, by_traffic
from npc.compiler.optimize.passes import widen

GROUPS = tuple(
    Group(key, frozenset(members))
    for key, members in (("db", (3, 4)), ("nobody", ()), ("web", (1, 4, 2**128 + 1)))
)
BLOCKS = st.lists(
    st.sampled_from(((0, 3), (2, 9), (4, 4), (0, 2**32 - 1), (2**128, 2**128 + 7), (2**128, 2**129 - 1))),
    max_size=2,
).map(lambda ranges: Intervals.of(*ranges))
PEERS = st.one_of(
    st.just(ANYONE),
    st.builds(
        lambda groups, blocks: Peers() | Peers(groups, blocks), st.frozensets(st.sampled_from(GROUPS)), BLOCKS
    ),
)
PORTS = st.tuples(st.sampled_from((0, 80, 81, 82, 65535)), st.sampled_from((0, 80, 81, 82, 65535)))
TRAFFIC = st.one_of(
    st.just(traffic.ANY),
    st.sampled_from((TCP, UDP)).map(traffic.every),
    st.builds(
        lambda protocol, ports: traffic.of(protocol, *sorted(ports)), st.sampled_from((TCP, UDP)), PORTS
    ),
)
DECISIONS = st.lists(st.tuples(TRAFFIC, PEERS), max_size=6).map(PacketSet.of)


def addresses(arms: Iterable[Arm]) -> PacketSet[Intervals]:
    """What some arms let pass, as exact addresses."""
    return PacketSet.of((arm.traffic, arm.peers.addresses()) for arm in arms)


ANY_BUT_WEB = traffic.ANY - traffic.of(TCP, 443, 443)
OPEN_AND_MORE = PacketSet.of(
    [
        (traffic.of(TCP, 443, 443), ANYONE),
        (traffic.ANY, Peers(frozenset({GROUPS[0]}))),
        (traffic.of(TCP, 80, 443), Peers(blocks=Intervals.of((0, 9)))),
    ]
)


@pytest.mark.parametrize("form", [by_peers, by_traffic])
@given(decision=DECISIONS)
@example(decision=OPEN_AND_MORE)
def test_arms_are_exact(
    form: Callable[[PacketSet[Peers]], tuple[Arm, ...]], decision: PacketSet[Peers]
) -> None:
    assert addresses(form(decision)) == decision.map(lambda peers: peers.addresses())


@given(DECISIONS)
def test_by_traffic_no_two_arms_share_traffic(decision: PacketSet[Peers]) -> None:
    arms = by_traffic(decision)
    assert [(one, other) for one, other in combinations(arms, 2) if one.traffic & other.traffic] == []
    assert len({arm.peers for arm in arms}) == len(arms), "equal peers share an arm"


@given(DECISIONS)
def test_by_peers_no_two_arms_share_peers(decision: PacketSet[Peers]) -> None:
    """But for the arm that is open to all, which stands apart."""
    arms = by_peers(decision)
    apart = [arm for arm in arms if arm.peers != ANYONE]
    assert len(arms) - len(apart) <= 1
    assert [
        (one, other)
        for one, other in combinations(apart, 2)
        if one.peers.groups & other.peers.groups or one.peers.blocks & other.peers.blocks
    ] == []
    assert len({arm.traffic for arm in arms}) == len(arms), "equal traffic shares an arm"


@given(DECISIONS)
def test_arms_name_no_one_that_the_decision_does_not(decision: PacketSet[Peers]) -> None:
    """Groups stay groups: the exact addresses alone would hide one that took another's place."""
    for form in (by_peers, by_traffic):
        named = {group for arm in form(decision) for group in arm.peers.groups}
        assert named == {group for _, _, peers in decision.parts for group in peers.groups}


DB, WEB = (Peers(frozenset({group})) for group in (GROUPS[0], GROUPS[2]))
OFFICE = Peers(blocks=Intervals((parse_cidr("192.0.2.0/24").block.range,)))
HTTP, HTTPS = traffic.of(TCP, 80, 80), traffic.of(TCP, 443, 443)
BESIDE_HTTPS = traffic.of(TCP, 442, 442)


@pytest.mark.parametrize(
    ("rectangles", "peers_arms", "traffic_arms"),
    [
        pytest.param([], [], [], id="nothing"),
        pytest.param([(traffic.ANY, ANYONE)], [("any", ANYONE)], [("any", ANYONE)], id="everything"),
        pytest.param(
            [(HTTP, WEB), (HTTPS, WEB)],
            [("tcp/80, tcp/443", WEB)],
            [("tcp/80, tcp/443", WEB)],
            id="one peer, two ports",
        ),
        pytest.param(
            [(HTTP, WEB), (HTTP, DB)],
            [("tcp/80", WEB | DB)],
            [("tcp/80", WEB | DB)],
            id="two peers, one port",
        ),
        pytest.param(
            [(HTTP, WEB), (HTTP | HTTPS, DB)],
            [("tcp/80", WEB), ("tcp/80, tcp/443", DB)],
            [("tcp/80", WEB | DB), ("tcp/443", DB)],
            id="ports in common",
        ),
        pytest.param(
            [(HTTPS, ANYONE), (traffic.ANY, DB)],
            [("any", DB), ("tcp/443", ANYONE)],
            [("any but tcp/443", DB), ("tcp/443", ANYONE)],
            id="what is open to all simplifies the rest",
        ),
        pytest.param(
            [(HTTPS, ANYONE), (BESIDE_HTTPS, DB), (HTTP, OFFICE)],
            [("tcp/80", OFFICE), ("tcp/442", DB), ("tcp/443", ANYONE)],
            [("tcp/80", OFFICE), ("tcp/442", DB), ("tcp/443", ANYONE)],
            id="but is not said again",
        ),
        pytest.param(
            [(HTTPS, ANYONE), (traffic.of(TCP, 440, 445), OFFICE)],
            [("tcp/440-445", OFFICE), ("tcp/443", ANYONE)],
            [("tcp/440-442, tcp/444-445", OFFICE), ("tcp/443", ANYONE)],
            id="nor does it cut a range",
        ),
        pytest.param(
            [(HTTP, OFFICE), (HTTPS, Peers(blocks=EVERY_V4))],
            [("tcp/80, tcp/443", OFFICE), ("tcp/443", Peers(blocks=EVERY_V4 - OFFICE.blocks))],
            [("tcp/80", OFFICE), ("tcp/443", Peers(blocks=EVERY_V4))],
            id="blocks are cut where their traffic changes",
        ),
    ],
)
def test_forms(
    rectangles: list[tuple[Intervals, Peers]],
    peers_arms: list[tuple[str, Peers]],
    traffic_arms: list[tuple[str, Peers]],
) -> None:
    decision = PacketSet.of(rectangles)
    assert [(text(arm.traffic), arm.peers) for arm in widen(by_peers(decision))] == peers_arms
    assert [(text(arm.traffic), arm.peers) for arm in by_traffic(decision)] == traffic_arms


def text(wanted: Intervals) -> str:
    return "any but tcp/443" if wanted == ANY_BUT_WEB else traffic.describe(wanted)
