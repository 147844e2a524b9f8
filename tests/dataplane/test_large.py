"""A cluster large enough for what small ones never need: trees of chains, maps of ports, sets of blocks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from tests.conformance.compiling import compile_documents
from tests.dataplane.clusters import as_probe, hosts_of
from tests.dataplane.dataplanes import IPTABLES, NFT, WITHOUT_IPSET, Dataplane
from tests.dataplane.probe import differences, run
from tests.dataplane.topology import open_network
from tests.reference.evaluator import Cluster, Packet, allowed
from tests.reference.manifests import Address, Document

PODS = 60
SAMPLE = 4000
PORTS = (*range(1000, 1100, 2), 2000, 2001, 5000)
OUTSIDE = tuple(ip_address(f"172.16.{third}.{last}") for third in (0, 1, 5, 9, 40) for last in (1, 200))
OUTSIDE6 = tuple(ip_address(f"2001:db8:{third:x}::{last}") for third in (0, 1, 5, 9, 40) for last in (1, 200))


ALMOST_ALL = {"cidr": "0.0.0.0/0", "except": ["172.16.0.0/18", "10.0.0.0/8"]}


def documents() -> list[Document]:
    """Pods in two namespaces, one in ten of them the subject of many policies."""
    return [*_pods(), *_policies()]


def _pods() -> Iterator[Document]:
    for number in range(PODS):
        # Addresses far apart and close together, so that the trees are uneven.
        fourth, third = (number, 0) if number % 3 else (7 * number % 256, number)
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"p{number}",
                "namespace": "even" if number % 2 == 0 else "odd",
                "labels": {"group": f"g{number % 12}", "all": "yes"},
            },
            "spec": {"containers": [{"name": "c", "image": "i"}]},
            "status": {
                "phase": "Running",
                "podIPs": [{"ip": f"10.7.{third}.{fourth}"}, {"ip": f"fd00:7::{third:x}:{fourth:x}"}],
            },
        }


def _policy(name: str, spec: dict[str, Any], namespace: str = "even") -> Document:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def _policies() -> Iterator[Document]:
    everyone: Document = {"podSelector": {}}
    yield _policy("isolated", {**everyone, "policyTypes": ["Ingress"]})
    # Many arms: another peer at every second port, so that the port must pick one.
    for number in range(12):
        peer = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"group": f"g{number}"}}}
        ports = [{"port": 1000 + 8 * number, "endPort": 1000 + 8 * number + 4}, {"port": 2000}]
        yield _policy(f"arm-{number}", {**everyone, "ingress": [{"from": [peer], "ports": ports}]})
    # Many single ports, and many blocks with holes.
    many = [{"protocol": "UDP", "port": port} for port in PORTS]
    blocks = [
        {"ipBlock": {"cidr": f"172.16.{third}.0/24", "except": [f"172.16.{third}.128/25"]}}
        for third in range(0, 30, 2)
    ] + [{"ipBlock": {"cidr": f"2001:db8:{third:x}::/48"}} for third in range(0, 30, 2)]
    yield _policy("many", {**everyone, "ingress": [{"from": blocks, "ports": many}]})
    many_tcp = [{"port": port} for port in PORTS]
    yield _policy("few-arms", {"podSelector": {}, "ingress": [{"ports": many_tcp}]}, "odd")
    yield _policy(
        "wide",
        {
            "podSelector": {"matchLabels": {"group": "g0"}},
            "ingress": [
                {"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["172.16.0.0/18", "10.0.0.0/8"]}}]}
            ],
            "egress": [{"to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"all": "yes"}}}]}],
        },
    )


def packets(objects: list[Document]) -> Iterator[Packet]:
    """An even sample: any pod or outsider to any pod, or back, at any of the ports and beside them."""
    chance = random.Random(7)
    inside = [address for host in hosts_of(objects) for address in host.addresses]
    ends: list[Address] = [*inside, *OUTSIDE, *OUTSIDE6]
    for _ in range(SAMPLE):
        source, destination = chance.choice(ends), chance.choice(inside)
        if chance.random() < 0.2:
            source, destination = destination, source
        if source.version == destination.version and source != destination:
            port = chance.choice(PORTS) + chance.choice((0, 0, 1))
            yield Packet(source, destination, chance.choice((6, 17, 132)), port)


@pytest.mark.parametrize("dataplane", [one.param() for one in (NFT, *IPTABLES, WITHOUT_IPSET)])
def test_every_dataplane_agrees_with_the_evaluator(dataplane: Dataplane) -> None:
    objects = documents()
    cluster = Cluster.from_manifests(objects)
    artifacts = compile_documents(objects, options=dataplane.options, target=dataplane.target).artifacts
    expected = {
        probe: allowed(cluster, packet)
        for packet in packets(objects)
        if (probe := as_probe(packet)) is not None
    }
    assert len(set(expected.values())) == 2
    outside = [*OUTSIDE, *OUTSIDE6]
    with open_network(hosts_of(objects), outside) as network, dataplane.loaded(network, artifacts):
        assert differences(network, expected, run(network, expected)) == []
