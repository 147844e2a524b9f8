"""Lowered chains let pass exactly what the plan allows, and log what it says, with sets and without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from npc.backends.base import Deny, Options, OwnNode
from npc.backends.iptables.layout import MEASURED, Layout
from npc.backends.iptables.lowering import lower
from npc.backends.pairs import Limits
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Plan
from tests.backends import dense
from tests.backends.iptables_interpreter import Tables
from tests.compiler.compiling import MANY_CLUSTERS, compiled, on_line, passes, traffic_of
from tests.reference.evaluator import Packet
from tests.reference.manifests import Document
from tests.strategies import boundary_packets, clusters

PACKETS = 100
"""How many packets at most to ask about in each cluster."""

ALL_PAIRS: Final = Layout(pairs=Limits(0, most_a_subject=64, most=1 << 12), same_bits_from=0)
BY_PORT: Final = Layout(most_arms=0)
WITHOUT_SETS: Final = Options(settings={"ipset": "no"})

FORMS: Final = {
    "as measured": (Options(), MEASURED),
    "without ipset": (WITHOUT_SETS, MEASURED),
    "picked by port": (Options(), BY_PORT),
    "picked by port, without ipset": (WITHOUT_SETS, BY_PORT),
    "trees of peers": (WITHOUT_SETS, Layout(most_arms=0, arity=2)),
    "blocks in sets": (Options(), Layout(blocks_inline=0, most_port_rules=0)),
    "logs in chains": (Options(log_denied=True), Layout(most_log_rules=0, most_rules=1)),
    "pairs": (Options(), ALL_PAIRS),
    "a few pairs, few ports": (Options(), Layout(pairs=Limits(0, most_a_subject=2, most=9), asked_ports=1)),
    "logs beside pairs": (Options(log_denied=True), ALL_PAIRS),
    "reject": (Options(deny_with=Deny.REJECT), MEASURED),
}
"""Options and layouts, all of which give correct rules."""


def lowered(plan: Plan, form: str) -> Tables:
    options, layout = FORMS[form]
    return Tables(lower(plan, options, layout))


def is_neighbour_discovery(packet: Packet) -> bool:
    """Router and neighbour solicitation and advertisement, redirect (RFC 4861): always pass (A1)."""
    return packet.source.version == 6 and packet.protocol == 58 and 133 <= packet.port >> 8 <= 137


def disagreements(plan: Plan, tables: Tables, asked: Iterable[Packet], hook: str = "FORWARD") -> list[str]:
    """The packets that chains and plan decide differently, or log differently."""
    found = []
    for packet in asked:
        way = tables.walk(packet, hook)
        right = passes(plan, packet) or is_neighbour_discovery(packet)
        if way.passed is not right:
            found.append(f"{packet}: {right} is right")
        if way.logged != (logs := list(expected_logs(plan, packet))):
            found.append(f"{packet}: logged {way.logged}, {logs} is right")
    return found


def expected_logs(plan: Plan, packet: Packet) -> Iterator[str]:
    """What a packet is logged with: at its source, and where that lets it pass, at its destination."""
    source, destination, wanted = on_line(packet.source), on_line(packet.destination), traffic_of(packet)
    if source == destination or is_neighbour_discovery(packet):
        return
    for direction, subject, peer in (
        (Direction.EGRESS, source, destination),
        (Direction.INGRESS, destination, source),
    ):
        for one in plan.classes:
            if one.direction is direction and any(subject in end.addresses for end in one.subjects):
                for logged in one.logs:
                    peers = logged.packets.at(wanted)
                    if peers is not None and peer in peers:
                        yield f"npc {logged.rule} "
        peers = plan.decision(direction, subject).at(wanted)
        if peers is None or peer not in peers:
            return


@settings(max_examples=MANY_CLUSTERS // 4)
@given(clusters())
def test_chains_let_pass_what_the_plan_allows(documents: list[Document]) -> None:
    plan = compiled(documents).plan
    asked = boundary_packets(documents, PACKETS)
    found = {form: disagreements(plan, lowered(plan, form), asked) for form in FORMS}
    assert {form: some for form, some in found.items() if some} == {}


@settings(max_examples=MANY_CLUSTERS // 2)
@given(dense.plans(logs=True))
def test_chains_where_everything_overlaps(plan: Plan) -> None:
    asked = dense.packets(PACKETS)
    found = {form: disagreements(plan, lowered(plan, form), asked) for form in FORMS}
    assert {form: some for form, some in found.items() if some} == {}


@settings(max_examples=MANY_CLUSTERS // 8)
@given(dense.plans(logs=True), st.sampled_from([MEASURED, ALL_PAIRS]))
def test_policed_hooks(plan: Plan, layout: Layout) -> None:
    """A3: what comes in is decided at its source, what goes out at its destination."""
    tables = Tables(lower(plan, Options(own_node=OwnNode.POLICED), layout))
    asked = [one for one in dense.packets(PACKETS) if one.source != one.destination]
    for direction, hook in ((Direction.EGRESS, "INPUT"), (Direction.INGRESS, "OUTPUT")):
        half = Plan(tuple(one for one in plan.classes if one.direction is direction), plan.names)
        assert disagreements(half, tables, asked, hook) == []
