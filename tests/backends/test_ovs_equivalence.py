"""Lowered flows let pass exactly what the plan allows, in every form."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from npc.backends.base import Options, OwnNode
from npc.backends.ovs import numbers
from npc.backends.ovs.layout import MEASURED, Layout
from npc.backends.ovs.lowering import lower
from npc.backends.ovs.ruleset import Pipeline
from npc.backends.ovs.settings import Step
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import parse_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Peers
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Class, Plan
from tests.backends import dense
from tests.backends.ovs_interpreter import Bridge
from tests.backends.plans import from_app, plan_of
from tests.compiler.compiling import MANY_CLUSTERS, compiled, on_line, passes
from tests.reference.evaluator import Packet
from tests.reference.manifests import Document
from tests.strategies import boundary_packets, clusters

PACKETS = 100
"""How many packets at most to ask about in each cluster."""
ALWAYS, NEVER = -1_000_000, 1_000_000
NAMES: Final = {address: str(one) for one in dense.ENDPOINTS for address in one.addresses}

FORMS: Final = {
    "as measured": MEASURED,
    "conjunctions": Layout(conjunction_saves=ALWAYS),
    "no conjunctions": Layout(conjunction_saves=NEVER),
    "identities": Layout(identities_save=ALWAYS, conjunction_saves=NEVER),
    "identities in conjunctions": Layout(identities_save=ALWAYS, conjunction_saves=ALWAYS),
    "addresses": Layout(identities_save=NEVER, conjunction_saves=NEVER),
    "addresses in conjunctions": Layout(identities_save=NEVER, conjunction_saves=ALWAYS),
    "no search for prefixes": Layout(prefix_search=0),
}
"""Every layout gives correct flows."""


def is_neighbour_discovery(packet: Packet) -> bool:
    """Router and neighbour solicitation and advertisement, redirect (RFC 4861): always pass (A1)."""
    return packet.source.version == 6 and packet.protocol == 58 and 133 <= packet.port >> 8 <= 137


def is_own_node(plan: Plan, packet: Packet) -> bool:
    """Whether a packet is between an isolated endpoint and the node that it runs on (A3)."""
    ends = on_line(packet.source), on_line(packet.destination)
    return any(
        address in subject.addresses and node in plan.node_addresses.get(subject.node, ())
        for one in plan.classes
        for subject in one.subjects
        for address, node in (ends, ends[::-1])
    )


def disagreements(
    plan: Plan, pipeline: Pipeline, asked: Iterable[Packet], *, own_node: bool = True
) -> list[str]:
    """The packets that flows and plan decide differently, or that pass and leave no connection behind."""
    found = []
    bridge = Bridge(pipeline)
    for packet in asked:
        way, expected = bridge.walk(packet), passes(plan, packet)
        if own_node and is_own_node(plan, packet):
            expected = True
        if is_neighbour_discovery(packet):
            found += [] if way.passed and not way.committed else [f"{packet}: must pass untracked"]
        elif (way.passed, way.committed) != (expected, expected):
            found.append(f"{packet}: {expected} is right; passed {way.passed}, committed {way.committed}")
    return found


@settings(max_examples=MANY_CLUSTERS // 2)
@given(clusters())
def test_flows_let_pass_what_the_plan_allows(documents: list[Document]) -> None:
    plan = compiled(documents).plan
    asked = boundary_packets(documents, PACKETS)
    found = {
        name: disagreements(plan, lower(plan, Options(), layout), asked) for name, layout in FORMS.items()
    }
    assert {name: some for name, some in found.items() if some} == {}


@settings(max_examples=MANY_CLUSTERS // 4)
@given(dense.plans())
def test_flows_where_everything_overlaps(plan: Plan) -> None:
    asked = dense.packets(PACKETS)
    found = {
        name: disagreements(plan, lower(plan, Options(), layout), asked) for name, layout in FORMS.items()
    }
    assert {name: some for name, some in found.items() if some} == {}


def block(cidr: str, *holes: str, ports: tuple[int, ...] = ()) -> Document:
    """A rule for a block less some others."""
    listed = {"ports": [{"port": port} for port in ports]} if ports else {}
    return {"from": [{"ipBlock": {"cidr": cidr, "except": list(holes)}}], **listed}


TRAPS: Final[dict[str, list[Document]]] = {
    "what passes with everyone passes with an except": [
        {"ports": [{"port": 80}]},
        block("10.0.0.0/8", "10.1.0.0/16"),
    ],
    "a pod in an except": [from_app("a", 80), block("10.0.0.0/8", "10.0.0.0/24", ports=(80, 443))],
    "an except that another block covers": [
        block("10.0.0.0/8", "10.1.0.0/16", ports=(80,)),
        block("10.1.0.0/16", "10.1.1.0/24", ports=(443,)),
        block("10.1.1.0/24", ports=(22, 80)),
    ],
    "a longer except of other traffic": [
        block("10.0.0.0/8", "10.1.0.0/17", ports=(80,)),
        block("10.1.0.0/16", "10.1.1.0/24", ports=(80, 443)),
    ],
    "everything but one address": [block("0.0.0.0/0", "10.1.1.1/32"), block("10.1.0.0/16", ports=(80,))],
}
"""Rules of which one could hide what another allows, if priorities were the rules' own."""


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("rules", TRAPS.values(), ids=list(TRAPS))
def test_no_except_hides_what_another_rule_allows(rules: list[Document], name: str) -> None:
    plan = plan_of(rules, {"a": 3})
    sources = (
        "10.0.0.1",
        "10.0.0.9",
        "10.1.0.1",
        "10.1.1.1",
        "10.1.1.2",
        "10.1.200.1",
        "10.9.0.1",
        "192.0.2.1",
    )
    asked = [
        Packet(ip_address(source), ip_address("10.0.0.0"), 6, port)
        for source in sources
        for port in (22, 80, 81, 443)
    ]
    assert disagreements(plan, lower(plan, Options(), FORMS[name]), asked) == []


def ports(*numbers: int) -> Intervals:
    return Intervals.union(traffic.of(traffic.TCP, number, number) for number in numbers)


def blocks(*texts: str) -> Peers:
    return Peers(blocks=Intervals.of(*(parse_cidr(text).block.range for text in texts)))


def group(number: int) -> Peers:
    return Peers(frozenset({dense.GROUPS[number]}))


TIERS: Final[dict[str, tuple[list[tuple[Intervals, Peers]], int]]] = {
    # decision, and how many flows it comes to for an IPv4 subject
    "all but a group": ([(traffic.ANY, ANYONE - group(2))], 3),
    "one port not for a group": (
        [(traffic.ANY - ports(80), ANYONE), (ports(80), ANYONE - group(2))],
        5,
    ),
    "two ports not for a group": (
        [(traffic.ANY - ports(80, 443), ANYONE), (ports(80, 443), ANYONE - group(1))],
        6,
    ),
    "two ports not for a group, and one between for nobody": (
        [(traffic.ANY - ports(80, 81, 443), ANYONE), (ports(80, 443), ANYONE - group(1))],
        7,
    ),
    "a hole of which one is in another block": (
        [(ports(79, 443), blocks("10.0.0.0/28") - group(3)), (ports(80), blocks("10.0.0.2/32"))],
        7,
    ),
    "two ports, each not for another group": (
        [
            (traffic.ANY - ports(80, 443), ANYONE),
            (ports(80), ANYONE - group(1)),
            (ports(443), ANYONE - group(3)),
        ],
        7,
    ),
    "a group in a hole, of which a part is allowed": (
        [(ports(80), (ANYONE - group(4)) | group(1)), (ports(443), group(2))],
        8,
    ),
    "nearly all from a group, of whom one is in a block for the rest": (
        [(traffic.ANY - ports(80), group(2)), (ports(80), blocks("10.0.0.1/32", "192.0.2.0/24"))],
        7,
    ),
    "blocks with unlike holes": (
        [
            (ports(80), blocks("10.0.0.0/29") - group(2)),
            (ports(80, 443), blocks("10.0.0.3/32", "10.0.0.8/29") - group(0)),
            (ports(79), blocks("10.0.0.0/28") - group(3)),
        ],
        8,
    ),
    "one port for all but a block, and nearly all for everyone": (
        [(traffic.ANY - ports(80), ANYONE), (ports(80), ANYONE - blocks("10.0.0.4/30"))],
        4,
    ),
    "nearly all from a group that has a hole in the rest": (
        [(traffic.ANY - ports(443), group(1) | (ANYONE - group(3))), (ports(443), group(3))],
        7,
    ),
    "all but echo requests": ([(traffic.ANY - traffic.of(traffic.ICMP, 0x0800, 0x08FF), ANYONE)], 2),
}
"""What tiers come to: nearly all traffic, and holes in what everyone and blocks may."""


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("decision", [decision for decision, _ in TIERS.values()], ids=list(TIERS))
def test_what_tiers_come_to(decision: list[tuple[Intervals, Peers]], name: str) -> None:
    subject, *_ = dense.ENDPOINTS
    plan = Plan((Class(Direction.INGRESS, PacketSet.of(decision), (subject,)),), NAMES)
    ends = [ip_address(text) for text in ("10.0.0.0", "fd00::")]
    others = [base + offset for base in ends for offset in range(1, 17)]
    asked = [
        Packet(other, end, protocol, port)
        for end in ends
        for other in (*others, *dense.OUTSIDE)
        if other.version == end.version
        for protocol, port in (*dense.ASKED, (1, 0x0801))
        if protocol != (58 if end.version == 4 else 1)
    ]
    assert disagreements(plan, lower(plan, Options(), FORMS[name]), asked) == []


@pytest.mark.parametrize(("decision", "flows"), TIERS.values(), ids=list(TIERS))
def test_how_many_flows_tiers_come_to(decision: list[tuple[Intervals, Peers]], flows: int) -> None:
    """Not one for each of 256 protocols."""
    v4, _ = dense.ENDPOINTS[0].addresses
    subject = replace(dense.ENDPOINTS[0], addresses=(v4,))
    plan = Plan((Class(Direction.INGRESS, PacketSet.of(decision), (subject,)),), NAMES)
    _, *rules, _ = lower(plan, Options()).tables[Step.INGRESS].flows
    assert len(rules) == flows


@given(clusters())
def test_own_node_policed(documents: list[Document]) -> None:
    """A3: packets of endpoints and their nodes are like all others."""
    plan = compiled(documents).plan
    pipeline = lower(plan, Options(own_node=OwnNode.POLICED))
    asked = boundary_packets(documents, PACKETS * 4)
    assert disagreements(plan, pipeline, asked, own_node=False) == []


@given(clusters())
def test_nodes_alone(documents: list[Document]) -> None:
    """In a node's own plan one flow for each of the node's addresses says what pairs would say (A3)."""
    for node in ("node-0", "node-1"):
        if any(one["kind"] == "Node" and one["metadata"]["name"] == node for one in documents):
            plan = compiled(documents, node=node).plan
            asked = boundary_packets(documents, PACKETS)
            assert disagreements(plan, lower(plan, Options()), asked) == []


@given(clusters())
def test_numbers_that_collide_stay_apart(documents: list[Document]) -> None:
    """With numbers from 0 to 7, classes, identities and conjunctions collide in most clusters."""
    plan = compiled(documents).plan
    real = numbers._hash
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbers, "_hash", lambda attempt, key: real(attempt, key) % (8 + attempt))
        pipeline = lower(plan, Options(), Layout(identities_save=ALWAYS, conjunction_saves=ALWAYS))
    assert disagreements(plan, pipeline, boundary_packets(documents, PACKETS)) == []


@given(clusters())
def test_elsewhere_in_a_pipeline(documents: list[Document]) -> None:
    """Tables, registers and what follows may be moved; flows say the same."""
    plan = compiled(documents).plan
    own = {"table": "20", "register": "12", "zone": "7", "next": "60", "cookie": "0x1"}
    pipeline = lower(plan, Options(settings=own), Layout(identities_save=ALWAYS))
    assert disagreements(plan, pipeline, boundary_packets(documents, PACKETS)) == []
