"""What the reader makes of flows does the same with a packet as flows looked up one by one, as OVS does."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings

from npc.backends.base import Options, OwnNode
from npc.backends.ovs.layout import MEASURED, Layout
from npc.backends.ovs.lowering import lower
from npc.backends.printing import render
from npc.compiler.algebra.addresses import parse_address
from npc.compiler.plan import Plan
from npc.compiler.verify.program import Program, Scenario
from npc.compiler.verify.proof import prove
from npc.compiler.verify.trace import Packet as Probe
from npc.compiler.verify.trace import trace
from tests.backends import dense
from tests.backends.ovs_interpreter import Bridge
from tests.reference.evaluator import Packet
from tests.verify.ovs.golden import read

FORMS: Final = {
    "as measured": MEASURED,
    "conjunctions": Layout(conjunction_saves=-1_000_000, identities_save=1_000_000),
    "numbers": Layout(conjunction_saves=1_000_000, identities_save=-1_000_000),
    "numbers in conjunctions": Layout(conjunction_saves=-1_000_000, identities_save=-1_000_000),
}
POLICED: Final = Options(own_node=OwnNode.POLICED)


def scenario_of(program: Program, **facts: str) -> Scenario:
    """The first scenario with some facts."""
    return next(one for one in program.scenarios if facts.items() <= one.facts.items())


def passes(program: Program, scenario: Scenario, packet: Packet) -> bool:
    source, destination = parse_address(str(packet.source)), parse_address(str(packet.destination))
    probe = Probe(source, destination, packet.protocol << 16 | packet.port)
    return trace(program.chains, scenario, probe).passes


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=12)
@given(plan=dense.plans())
def test_packets_and_connections(form: str, plan: Plan) -> None:
    pipeline = lower(plan, POLICED, FORMS[form])
    bridge = Bridge(pipeline)
    program = read({"npc.flows": render("ovs.j2", None, ruleset=pipeline)}, plan, POLICED)
    wrong = []
    for asked in ("the packet", "the connection"):
        scenario = scenario_of(program, ethertype="ip", ct_state="new", asked=asked)
        for packet in dense.packets(60):
            way = bridge.walk(packet)
            expected = way.passed if asked == "the packet" else way.committed
            if passes(program, scenario, packet) is not expected:
                wrong.append(f"{asked}: {packet}")
    assert wrong == []


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=4)
@given(plan=dense.plans())
def test_every_form_is_proven(form: str, plan: Plan) -> None:
    text = render("ovs.j2", None, ruleset=lower(plan, POLICED, FORMS[form]))
    assert prove(read({"npc.flows": text}, plan, POLICED), plan).refutations == ()
