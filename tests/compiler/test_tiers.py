"""Tiers as one set of packets: against asking each packet rule by rule, as the semantics say it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from npc.compiler.arms import Arm
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.syntax import EVERYTHING, Action, ClusterPolicy, Log, Pods, Rule, Tier
from npc.compiler.tiers import Match, Ordered, Packets, Tiers

NOWHERE = Origin(Source("test"))
POLICY = ClusterPolicy("p", Tier.ADMIN, 0, Pods(EVERYTHING, EVERYTHING), (), (), NOWHERE)
GROUPS = [Group("web", frozenset({1, 4})), Group("db", frozenset({4, 5})), Group("old", frozenset({5, 9}))]
TRAFFIC = [traffic.ANY, traffic.of(traffic.TCP, 80, 80), traffic.of(traffic.TCP, 80, 90), traffic.every(17)]
POINTS = [
    (own, address)
    for own in (6 << 16 | 79, 6 << 16 | 80, 6 << 16 | 85, 17 << 16 | 5)
    for address in range(12)
]

PEERS = st.one_of(
    st.just(ANYONE),
    st.builds(Peers, st.frozensets(st.sampled_from(GROUPS))),
    st.builds(Peers, st.just(frozenset()), st.sampled_from([Intervals.of((0, 4)), Intervals.of((3, 20))])),
)
PACKETS = st.lists(st.tuples(st.sampled_from(TRAFFIC), PEERS), max_size=2).map(PacketSet.of)


def _match(action: Action, packets: Packets, *, logs: bool) -> Match:
    return Match(POLICY, 0, Rule((), (), NOWHERE, action, log=Log() if logs else None), packets)


def _matches(actions: st.SearchStrategy[Action]) -> st.SearchStrategy[tuple[Match, ...]]:
    match = st.builds(_match, actions, PACKETS, logs=st.booleans())
    return st.lists(match, max_size=4).map(tuple)


ORDERED = _matches(st.sampled_from(Action))
ALLOWING = _matches(st.just(Action.ALLOW))


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tiers, tuple[Match, ...] | None]:
    """Tiers, and the rules of the NetworkPolicies."""
    network = draw(st.none() | ALLOWING)
    allowed = None if network is None else tuple(Arm(*one) for one in _rectangles(network))
    logging = tuple(one for one in network or () if one.rule.log)
    admin, baseline = (Ordered.of(draw(ORDERED)) for _ in range(2))
    return Tiers(admin, allowed, logging, baseline), network


def _rectangles(matches: tuple[Match, ...]) -> list[tuple[Intervals, Peers]]:
    return [(Intervals(((low, high),)), peers) for one in matches for low, high, peers in one.packets.parts]


def holds(packets: Packets, own: int, address: int) -> bool:
    peers = packets.at(own)
    return peers is not None and address in peers


def first(matches: tuple[Match, ...], own: int, address: int) -> Match | None:
    return next((one for one in matches if holds(one.packets, own, address)), None)


def asked(
    found: Tiers, network: tuple[Match, ...] | None, own: int, address: int
) -> tuple[bool, list[Match]]:
    """Whether a packet passes, and the rules that are met on its way."""
    met = []
    admin = first(found.admin.matches, own, address)
    if admin is not None:
        met.append(admin)
        if admin.rule.action is not Action.PASS:
            return admin.rule.action is Action.ALLOW, met
    if network is not None:
        matching = [one for one in network if holds(one.packets, own, address)]
        return bool(matching), [*met, *matching]
    baseline = first(found.baseline.matches, own, address)
    if baseline is not None:
        met.append(baseline)
    return baseline is None or baseline.rule.action is not Action.DENY, met


@given(tiers())
def test_a_packet_passes_as_if_it_were_asked_rule_by_rule(
    drawn: tuple[Tiers, tuple[Match, ...] | None],
) -> None:
    found, network = drawn
    decision, logged = found.decision(), list(found.logged())
    for own, address in POINTS:
        passes, met = asked(found, network, own, address)
        assert holds(decision, own, address) == passes
        logging = [id(match) for match, packets in logged if holds(packets, own, address)]
        assert logging == [id(match) for match in met if match.rule.log is not None]


@given(tiers())
def test_network_policies_have_no_say_in_hairpins(drawn: tuple[Tiers, tuple[Match, ...] | None]) -> None:
    found, _ = drawn
    for own, address in POINTS:
        assert (own in found.hairpin(address)) == asked(found, None, own, address)[0]


@given(ORDERED)
def test_outcomes_are_disjoint(matches: tuple[Match, ...]) -> None:
    outcome = Ordered.of(matches).outcome
    for own, address in POINTS:
        actions = [
            action
            for action, packets in (
                (Action.ALLOW, outcome.allowed),
                (Action.DENY, outcome.denied),
                (Action.PASS, outcome.passed),
            )
            if holds(packets, own, address)
        ]
        match = first(matches, own, address)
        assert actions == ([] if match is None else [match.rule.action])
