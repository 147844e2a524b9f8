"""Options and always-allowed traffic (A1, A3), in a kernel."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

import pytest
import yaml

from npc.api import compile_sources
from npc.backends.base import Deny, Options, OwnNode
from npc.compiler.frontend.source import Source
from tests.dataplane.dataplanes import ALL, Dataplane
from tests.dataplane.probe import Probe, Protocol, differences, run
from tests.dataplane.topology import Address, Host, Network, open_network

A4, A6, B4, B6 = map(ip_address, ("10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2"))
NODE4, NODE6 = map(ip_address, ("192.168.7.1", "fd07::1"))
SERVICES: tuple[tuple[Protocol, int], ...] = (("tcp", 80), ("udp", 53), ("icmp", 0))
SECONDS = 5.0
REFUSED = "|".join(map(os.strerror, (errno.EACCES, errno.EHOSTUNREACH)))
"""What a socket says of ICMP administratively prohibited, IPv6 and IPv4."""

INVENTORY = """
namespaces: [{name: x}]
nodes: [{name: n1, addresses: [192.168.7.1, 'fd07::1']}]
endpoints:
- {name: a, namespace: x, labels: {app: a}, addresses: [10.0.0.1, 'fd00::1'], node: n1}
- {name: b, namespace: x, labels: {app: b}, addresses: [10.0.0.2, 'fd00::2'], node: n2}
"""
DENY_ALL: Mapping[str, object] = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
FROM_NODE: Mapping[str, object] = {
    "podSelector": {},
    "ingress": [{"from": [{"ipBlock": {"cidr": "192.168.7.1/32"}}], "ports": [{"port": 80}]}],
    "egress": [{"to": [{"ipBlock": {"cidr": "fd07::1/128"}}]}],
}


def compiled(
    dataplane: Dataplane, spec: Mapping[str, object], options: Options | None = None, node: str | None = None
) -> Mapping[str, str]:
    """npc's artifacts for one policy over the two pods."""
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "one", "namespace": "x"},
        "spec": spec,
    }
    sources = [
        Source("inventory.yaml", content=INVENTORY.encode()),
        Source("policy.yaml", content=yaml.safe_dump(policy).encode()),
    ]
    return compile_sources(sources, dataplane.target, options=options, node=node).artifacts


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    hosts = Host("x/a", (A4, A6)), Host("x/b", (B4, B6))
    with open_network(hosts, node_addresses=(NODE4, NODE6)) as opened:
        yield opened


def between(first: Address, second: Address) -> list[Probe]:
    """Every service both ways."""
    return [
        Probe(source, destination, *service)
        for source, destination in ((first, second), (second, first))
        for service in SERVICES
    ]


PODS = [*between(A4, B4), *between(A6, B6)]
NODE = [probe for pair in ((NODE4, A4), (NODE6, A6), (NODE4, B4), (NODE6, B6)) for probe in between(*pair)]


@dataclass(frozen=True, slots=True)
class OptionCase:
    """A policy, options, and the probes that pass."""

    spec: Mapping[str, object]
    options: Options
    allowed: frozenset[Probe]
    node: str | None = None


POLICED = Options(own_node=OwnNode.POLICED)
CASES = {
    "own node always passes": OptionCase(DENY_ALL, Options(), frozenset(NODE)),
    "own node policed": OptionCase(DENY_ALL, POLICED, frozenset()),
    "own node policed, and allowed": OptionCase(
        FROM_NODE,
        POLICED,
        frozenset(
            probe
            for probe in NODE
            if (probe.source == NODE4 and probe.port == 80) or probe.destination == NODE6
        ),
    ),
    "reject": OptionCase(DENY_ALL, Options(deny_with=Deny.REJECT), frozenset(NODE)),
    "log": OptionCase(DENY_ALL, Options(log_denied=True), frozenset(NODE)),
    "log and reject": OptionCase(DENY_ALL, Options(log_denied=True, deny_with=Deny.REJECT), frozenset(NODE)),
    "another table": OptionCase(DENY_ALL, Options(table="mine"), frozenset(NODE)),
    "one node's pods only, as destination": OptionCase(
        {"podSelector": {}},
        Options(),
        frozenset([*NODE, *(probe for probe in PODS if probe.destination in (B4, B6))]),
        node="n1",
    ),
    "one node's pods only, as source": OptionCase(
        {"podSelector": {}, "policyTypes": ["Egress"]},
        Options(),
        frozenset([*NODE, *(probe for probe in PODS if probe.source in (B4, B6))]),
        node="n1",
    ),
}


on_every_dataplane = pytest.mark.parametrize("dataplane", [one.param() for one in ALL])


@on_every_dataplane
@pytest.mark.parametrize("name", CASES)
def test_option(name: str, dataplane: Dataplane, network: Network) -> None:
    case = CASES[name]
    expected = {probe: probe in case.allowed for probe in [*PODS, *NODE]}
    artifacts = compiled(dataplane, case.spec, case.options, case.node)
    with dataplane.loaded(network, artifacts):
        dataplane.load(network, artifacts)  # a second load replaces the first
        assert differences(network, expected, run(network, expected)) == []


def _connected(network: Network) -> tuple[socket.socket, socket.socket]:
    """A TCP connection from x/a to x/b."""
    listener = network.owners[B4].socket(socket.AF_INET, socket.SOCK_STREAM)
    client = network.owners[A4].socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.bind((str(B4), 0))
        listener.listen()
        for one in (listener, client):
            one.settimeout(SECONDS)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
    server.settimeout(SECONDS)
    return client, server


@on_every_dataplane
def test_established_connection_survives_a_stricter_ruleset(dataplane: Dataplane, network: Network) -> None:
    spec = {"podSelector": {}, "ingress": [{"ports": [{"port": 1, "endPort": 65535}]}]}
    with dataplane.loaded(network, compiled(dataplane, spec)):
        client, server = _connected(network)
        with client, server:
            dataplane.load(network, compiled(dataplane, DENY_ALL))
            client.sendall(b"still there?")
            assert server.recv(64) == b"still there?"
            server.sendall(b"yes")
            assert client.recv(64) == b"yes"
            late = Probe(A4, B4, "tcp", 80)
            assert run(network, {late: False}) == {late: False}


@on_every_dataplane
def test_related_icmp_error_reaches_an_isolated_sender(dataplane: Dataplane, network: Network) -> None:
    """A1: the port is closed, and the sender hears of it although its ingress is isolated."""
    spec = {"podSelector": {"matchLabels": {"app": "a"}}, "policyTypes": ["Ingress"]}
    with dataplane.loaded(network, compiled(dataplane, spec)):
        sender = network.owners[A4].socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender:
            sender.settimeout(SECONDS)
            sender.connect((str(B4), 9))
            sender.send(b"?")
            with pytest.raises(ConnectionRefusedError):
                sender.recv(64)


@on_every_dataplane
@pytest.mark.parametrize(
    ("family", "target"), [(socket.AF_INET, B4), (socket.AF_INET6, B6)], ids=["IPv4", "IPv6"]
)
def test_reject_answers_at_once(dataplane: Dataplane, network: Network, family: int, target: Address) -> None:
    artifacts = compiled(dataplane, DENY_ALL, Options(deny_with=Deny.REJECT))
    with dataplane.loaded(network, artifacts):
        owner = network.owners[A4 if family == socket.AF_INET else A6]
        with owner.socket(family, socket.SOCK_STREAM) as tcp, owner.socket(family, socket.SOCK_DGRAM) as udp:
            for one in (tcp, udp):
                one.settimeout(SECONDS)
            with pytest.raises(ConnectionRefusedError):
                tcp.connect((str(target), 80))
            udp.connect((str(target), 53))
            udp.send(b"?")
            with pytest.raises(OSError, match=REFUSED):
                udp.recv(64)


@on_every_dataplane
def test_neighbour_discovery_passes_under_policed_hooks(dataplane: Dataplane, network: Network) -> None:
    """A1: the node must ask who has the pod's address, and the isolated pod may answer."""
    spec = {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"ipBlock": {"cidr": f"{NODE6}/128"}}], "ports": [{"port": 80}]}],
    }
    usual = network.node.run(["ip", "-6", "route", "show", str(A6)]).split()
    device = usual[usual.index("dev") + 1]
    with dataplane.loaded(network, compiled(dataplane, spec, POLICED)):
        # Without a gateway that the harness made known, the address itself has to be resolved,
        # and the node asks from a link-local address (RFC 4861, section 7.2.2).
        network.node.run(["ip", "-6", "address", "replace", "fe80::7/128", "dev", device, "nodad"])
        network.node.run(["ip", "-6", "route", "replace", f"{A6}/128", "dev", device])
        try:
            expected = {Probe(NODE6, A6, "tcp", 80): True}
            assert differences(network, expected, run(network, expected)) == []
            assert "lladdr" in network.node.run(["ip", "-6", "neigh", "show", str(A6)])
        finally:
            network.node.run(["ip", "-6", "route", "replace", *usual, "onlink"])
