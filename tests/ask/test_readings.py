"""The readings that other tools take, against the reference evaluator reading so too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis import given

from npc.compiler.ask.assumptions import Reading
from npc.compiler.ask.ends import Place
from npc.compiler.ask.narrowing import as_read
from npc.compiler.ask.relation import Relation
from npc.compiler.ask.single import SinglePackets
from npc.compiler.inventory import Absence, Inventory
from tests.ask.asking import model_of, place_of
from tests.compiler.compiling import traffic_of
from tests.reference import evaluator
from tests.reference.evaluator import Cluster
from tests.reference.manifests import Address, Document
from tests.strategies import boundary_packets, clusters

PACKETS = 100
OF_ADDRESSES = re.compile("ipBlock|networks|nodes")


@contextmanager
def blocks_are_external(cluster: Cluster) -> Iterator[None]:
    """The reference with blocks that match no pod's address."""
    contains, peers = evaluator._block_contains, evaluator._cluster_peer_matches

    def outside(block: Document, address: Address) -> bool:
        return cluster.endpoint_at(address) is None and contains(block, address)

    def matches(of: Cluster, peer: Document, remote: Address) -> bool:
        is_address = peer.get("networks") is not None or peer.get("nodes") is not None
        return peers(of, peer, remote) and not (is_address and of.endpoint_at(remote) is not None)

    with (
        patch.object(evaluator, "_block_contains", outside),
        patch.object(evaluator, "_cluster_peer_matches", matches),
    ):
        yield


@given(clusters())
def test_blocks_that_never_match_pods(documents: list[Document]) -> None:
    reading = Reading(blocks_are_external=True, own_node_is_policed=True)
    model, cluster = model_of(documents), Cluster.from_manifests(documents)
    relation, single = Relation(model, reading), SinglePackets(model, reading)
    with blocks_are_external(cluster):
        for packet in boundary_packets(documents, PACKETS):
            source, destination = (
                place_of(model.inventory, one) for one in (packet.source, packet.destination)
            )
            number = traffic_of(packet)
            expected = evaluator.allowed(cluster, packet)
            assert (number in relation.passing(source, destination)) is expected
            assert single.passes(source, destination, number) is expected


def elsewhere(documents: list[Document]) -> list[Document]:
    """The documents with each host-network pod in a network of its own, with an address that nobody has."""
    moved = []
    for number, one in enumerate(documents):
        if one["kind"] == "Pod" and one["spec"].get("hostNetwork"):
            families = [entry["ip"] for entry in one["status"].get("podIPs") or ()]
            addresses = [f"fd77::{number:x}" if ":" in ip else f"77.7.7.{number}" for ip in families]
            spec = {key: value for key, value in one["spec"].items() if key != "hostNetwork"}
            status = one["status"] | {"podIP": addresses[0], "podIPs": [{"ip": ip} for ip in addresses]}
            one = one | {"spec": spec, "status": status}
        moved.append(one)
    return moved


def named(inventory: Inventory, place: Place) -> tuple[str, object]:
    """An end by its name, which it keeps when it moves."""
    if place.endpoint is None:
        return "", place.address
    return str(inventory.endpoints[place.endpoint]), place.family


@given(clusters())
def test_host_network_pods_as_pods(documents: list[Document]) -> None:
    """They are as pods with addresses of their own, where no rule is of addresses."""
    documents = [one for one in documents if not OF_ADDRESSES.search(repr(one.get("spec")))]
    reading = Reading(host_network_is_endpoint=True, own_node_is_policed=True)
    model = model_of(documents)
    read = as_read(model, reading)
    hosts = [one for one in model.inventory.bystanders if one.absence is Absence.HOST_NETWORK]
    assert len(read.inventory.endpoints) == len(model.inventory.endpoints) + len(hosts)
    relation = Relation(read, reading)
    other = elsewhere(documents)
    moved = Relation(model_of(other), reading)
    assert list(map(str, read.inventory.endpoints)) == list(map(str, moved.model.inventory.endpoints))
    cluster = Cluster.from_manifests(other)
    single = SinglePackets(read, reading)
    for packet in boundary_packets(other, PACKETS):
        source, destination = (
            place_of(moved.model.inventory, one) for one in (packet.source, packet.destination)
        )
        number = traffic_of(packet)
        expected = evaluator.allowed(cluster, packet)
        assert (number in relation.passing(source, destination)) is expected
        assert single.passes(source, destination, number) is expected
