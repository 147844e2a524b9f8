"""Hairpins (C6) and rules that log (X2) in OpenFlow: decided in a table of their own, and refused."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Final

import pytest

from npc.backends.base import Options
from npc.backends.ovs.lowering import lower
from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.plan import Hairpin, LoggedRule, Plan
from tests.backends.ovs_interpreter import Bridge
from tests.backends.plans import ingress, pod
from tests.backends.test_ovs_lowering import DENY_EGRESS
from tests.compiler.compiling import compiled, on_line, traffic_of
from tests.reference.evaluator import Packet

OWN, OTHER = map(ip_address, ("10.0.0.0", "10.0.0.9"))

TO_ITSELF = Packet(OWN, OWN, 6, 80)
HAIRPINS: Final = {
    "one port": traffic.of(traffic.TCP, 80, 80),
    "all but some ports": traffic.ANY - traffic.of(traffic.TCP, 81, 90) - traffic.of(traffic.SCTP, 7, 7),
    "nothing": Intervals(),
    "SCTP": traffic.every(traffic.SCTP),
    "an SCTP port": traffic.of(traffic.SCTP, 9, 9),
}
"""What may pass from web-0 to itself."""


def _with_hairpin(allowed: Intervals) -> Plan:
    """Its egress is denied, as a policy's, and says nothing about it; web-0 is at port 5 for some tests."""
    plan = compiled([pod(0, "web"), pod(9, "a"), DENY_EGRESS]).plan
    return replace(plan, hairpins=(Hairpin(allowed, (on_line(OWN),)),))


@pytest.mark.parametrize("settings", [{}, {"ports": "web-0=5"}], ids=["anywhere", "at its port"])
@pytest.mark.parametrize("states", ["trk,new", "trk,inv", "trk,est", "trk,rel", "trk,est without port"])
@pytest.mark.parametrize("allowed", HAIRPINS.values(), ids=list(HAIRPINS))
def test_hairpins(allowed: Intervals, states: str, settings: dict[str, str]) -> None:
    """First packets are decided; of known connections all pass, unless conntrack knows no ports (SCTP)."""
    bridge = Bridge(lower(_with_hairpin(allowed), Options(settings=settings)))
    words, _, without_port = states.partition(" ")
    is_known = bool({"est", "rel"} & set(words.split(",")))
    found, right = {}, {}
    for protocol, port in ((6, 80), (6, 81), (6, 91), (17, 80), (132, 7), (132, 9)):
        packet = replace(TO_ITSELF, protocol=protocol, port=port)
        way = bridge.walk(packet, 5, states=words.split(","), tracks_ports=not without_port)
        found[protocol, port] = way.passed
        is_reply = is_known and not (without_port and protocol == 132)
        right[protocol, port] = is_reply or traffic_of(packet) in allowed
    assert found == right


def test_hairpins_of_others_are_as_ever() -> None:
    """A2: what comes from itself passes, and nobody's packets pass for another's hairpin."""
    bridge = Bridge(lower(_with_hairpin(Intervals()), Options()))
    other = replace(TO_ITSELF, source=OTHER, destination=OTHER)
    assert [bridge.walk(one).passed for one in (other, TO_ITSELF)] == [True, False]
    assert bridge.walk(replace(TO_ITSELF, source=OTHER)).passed


def test_an_endpoint_without_a_class_may_have_a_hairpin() -> None:
    bridge = Bridge(
        lower(Plan((), {}, hairpins=(Hairpin(HAIRPINS["one port"], (on_line(OWN),)),)), Options())
    )
    assert [bridge.walk(replace(TO_ITSELF, port=port)).passed for port in (80, 81)] == [True, False]


def test_each_rule_that_logs_is_refused_once_and_by_name() -> None:
    origin = Origin(Source("policies.npc"))
    everything = PacketSet.of([(traffic.ANY, ANYONE)])
    rules = [LoggedRule("", f"deny guard rule-{number}", everything, origin.at(number)) for number in (1, 2)]
    plan = compiled([pod(0, "web"), pod(9, "a"), DENY_EGRESS, ingress("in", [])]).plan
    logging = replace(plan, classes=tuple(replace(one, logs=tuple(rules)) for one in plan.classes))
    assert len(logging.classes) == 2
    with pytest.raises(InputError) as raised:
        lower(logging, Options())
    assert [(one.code, one.message, one.origin) for one in raised.value.diagnostics] == [
        (codes.INEXPRESSIBLE, f"OpenFlow cannot log what the rule `{rule.rule}` matches", rule.origin)
        for rule in rules
    ]
