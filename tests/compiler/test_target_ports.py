"""The ports of Services: what they come to, and what is none."""

from __future__ import annotations

import json

import pytest

import npc
from npc.compiler.algebra.addresses import parse_address
from npc.compiler.algebra.traffic import SCTP, TCP, UDP
from npc.compiler.frontend import codes
from npc.compiler.inventory import TargetPort
from tests.compiler.compiling import inventory_of

PORT_FAULTS = [
    # (name, an entry of spec.ports, the field that is wrong)
    ("a number", {"port": 80, "targetPort": 65536}, "spec.ports[0].targetPort"),
    ("a negative number", {"port": 80, "targetPort": -1}, "spec.ports[0].targetPort"),
    ("no number", {"port": 0}, "spec.ports[0].port"),
    ("a number as text", {"port": 80, "targetPort": "8080"}, "spec.ports[0].targetPort"),
    ("a name", {"port": 80, "targetPort": "HTTP"}, "spec.ports[0].targetPort"),
    ("a protocol", {"port": 80, "protocol": "ICMP"}, "spec.ports[0].protocol"),
]


@pytest.mark.parametrize(
    ("port", "field"), [case[1:] for case in PORT_FAULTS], ids=[case[0] for case in PORT_FAULTS]
)
def test_a_port_that_is_none(port: dict[str, int | str], field: str) -> None:
    """Beyond 65535 it would be another protocol's on the number line of traffic."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web"}, "ports": [port]},
    }
    _, (found,) = inventory_of(json.dumps(service))
    assert (found.code, found.field, found.about) == (codes.INVALID_INVENTORY, field, "Service shop/web")


COMPACT = [
    # (an entry of targetPorts, what it is)
    (8080, TargetPort(TCP, 8080)),
    ("8080", TargetPort(TCP, 8080)),
    ("65535/tcp", TargetPort(TCP, 65535)),
    ("53/udp", TargetPort(UDP, 53)),
    ("53/UDP", TargetPort(UDP, 53)),
    ("http", TargetPort(TCP, "http")),
    ("h2", TargetPort(TCP, "h2")),
    ("8080-http", TargetPort(TCP, "8080-http")),
    ("m3ua/sctp", TargetPort(SCTP, "m3ua")),
    *(
        (value, None)
        for value in (0, -1, 65536, "65536", "0/udp", "", "/udp", "80/", "80/icmp", "80/tcp/udp")
    ),
    *(
        (value, None)
        for value in ("HTTP", "a--b", "-", "-http", "http-", "sixteen-letters-", "tcp/80", "80-90")
    ),
    *((value, None) for value in ("9" * 40, "000000080", "\N{ARABIC-INDIC DIGIT EIGHT}0", " 80", "+80")),
]


@pytest.mark.parametrize(("value", "port"), COMPACT, ids=[repr(case[0]) for case in COMPACT])
def test_target_ports_of_the_compact_form(value: int | str, port: TargetPort | None) -> None:
    service = {"name": "web", "namespace": "shop", "selector": {"app": "web"}, "targetPorts": [value]}
    inventory, diagnostics = inventory_of(json.dumps({"services": [service]}))
    fields = [(one.code, one.field) for one in diagnostics]
    if port is None:
        assert fields == [(codes.INVALID_INVENTORY, "services[0].targetPorts[0]")]
    else:
        assert (fields, inventory.services[0].ports) == ([], (port,))


INVENTORY = """\
namespaces: [{name: shop}]
endpoints:
- {name: api, namespace: shop, labels: {app: api}, addresses: [10.0.0.1]}
- {name: db, namespace: shop, labels: {app: db}, addresses: [10.0.0.2], ports: {sql: 5432, dns: 5353/udp}}
- {name: web, namespace: shop, labels: {app: web}, addresses: [10.0.0.3], ports: {sql: 5432}}
services:
- {name: db, namespace: shop, selector: {app: db}, targetPorts: [sql, dns/udp, 9100]}
"""


MET = [
    # (destination, traffic, whether it passes)
    ("10.0.0.2", UDP << 16 | 5353, True),
    ("10.0.0.2", TCP << 16 | 5432, True),
    ("10.0.0.2", TCP << 16 | 9100, True),
    ("10.0.0.2", TCP << 16 | 5353, False),
    ("10.0.0.2", UDP << 16 | 53, False),
    ("10.0.0.2", TCP << 16 | 80, False),
    ("10.0.0.3", TCP << 16 | 5432, False),
]


@pytest.mark.parametrize(("destination", "traffic", "passes"), MET)
def test_a_rule_meets_a_service_of_the_compact_form_at_its_target_ports(
    destination: str, traffic: int, passes: bool
) -> None:
    policy = "policy api in shop for pods(app=api) { allow to svc/db }"
    texts = {"inventory.yaml": INVENTORY, "api.npc": policy}
    plan = npc.compile_sources(npc.Source(name, content=text.encode()) for name, text in texts.items()).plan
    assert plan.allows(parse_address("10.0.0.1"), parse_address(destination), traffic) is passes


OTHERS = [
    # (name, a file of another program, is it one of ours)
    ("Compose", {"services": {"web": {"image": "web"}}}, False),
    ("Compose, old", {"version": "3", "services": {"web": {"image": "web"}}}, False),
    ("GitLab", {"image": "ruby", "services": ["postgres", {"name": "redis", "alias": "r"}]}, False),
    ("ours", {"services": []}, True),
    ("ours, with a mistake", {"service": [], "services": [{"name": "a", "selector": {"a": "b"}}]}, True),
]


@pytest.mark.parametrize(
    ("value", "is_ours"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS]
)
def test_services_of_other_programs_are_passed_over(value: object, is_ours: bool) -> None:
    _, diagnostics = inventory_of(json.dumps(value))
    assert (codes.PASSED_OVER in [one.code for one in diagnostics]) is not is_ours
