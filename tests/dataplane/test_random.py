"""Random clusters in a kernel: npc's rulesets let pass just what the reference evaluator says.

Each form that nft's lowering can choose is forced in turn: arms as rules, as chains, behind maps of
ports, with few sets; of random plans, too, in which everything overlaps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import assume, given, settings

from npc.backends.base import Options
from npc.backends.nft.layout import Layout
from npc.backends.nft.lowering import lower
from npc.backends.printing import render
from npc.compiler.plan import Plan
from tests.backends import dense
from tests.compiler.compiling import on_line, passes
from tests.conformance.compiling import compile_documents
from tests.dataplane.clusters import as_probe, hosts_of
from tests.dataplane.dataplanes import IPTABLES, NFT, WITHOUT_IPSET, Dataplane
from tests.dataplane.probe import differences, run
from tests.dataplane.topology import Host, Network, open_network
from tests.reference.boundaries import boundary_packets
from tests.reference.evaluator import Cluster, Packet, allowed
from tests.reference.manifests import Address, Document
from tests.strategies import clusters

LAYOUTS = {
    "usual": Layout(),
    "maps of ports": Layout(most_arms=0),
    "chains of peers": Layout(most_rules=0),
    "sets of blocks": Layout(blocks_inline=0),
    "sets of shared groups": Layout(shared_set_saves=0),
    "no sets": Layout(set_budget=0),
}
MOST_PROBES = 400
DENSE_PACKETS = 1000


def _is_forwarded(packet: Packet, inside: set[Address]) -> bool:
    """Whether a packet leaves its host and can be sent: addresses that hosts may have, and no port 0."""
    ends = {packet.source, packet.destination}
    return (
        len(ends) == 2
        and bool(ends & inside)
        and not any(
            end.is_multicast or end.is_unspecified or end.is_loopback or end.is_reserved
            for end in ends - inside
        )
        and (packet.port > 0 or packet.protocol in (1, 58))
    )


def _is_special(address: Address) -> bool:
    return address.is_multicast or address.is_unspecified or address.is_loopback or address.is_reserved


@pytest.mark.dataplane("nft")
@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=10)
@given(documents=clusters())
def test_layouts_of_nft(layout: str, documents: list[Document]) -> None:
    assume(any(one["kind"] == "Pod" for one in documents))
    table = lower(compile_documents(documents).plan, Options(), LAYOUTS[layout])
    check(NFT, documents, {"npc.nft": render("nft.j2", None, ruleset=table)})


@pytest.fixture(scope="module")
def crowd() -> Iterator[Network]:
    """The pods of dense plans, and all other addresses that their packets are of."""
    pods = [Host(str(number), dense.addresses(number)) for number in range(dense.PODS)]
    rest = [address for number in range(dense.PODS, dense.SPAN) for address in dense.addresses(number)]
    with open_network(pods, [*rest, *dense.OUTSIDE]) as network:
        yield network


@pytest.mark.dataplane("nft")
@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=5)
@given(plan=dense.plans(logs=True))
def test_dense_plans_in_layouts_of_nft(layout: str, crowd: Network, plan: Plan) -> None:
    table = lower(plan, Options(), LAYOUTS[layout])
    inside = {on_line(address) for number in range(dense.PODS) for address in dense.addresses(number)}
    expected = {
        probe: passes(plan, packet)
        for packet in dense.packets(DENSE_PACKETS)
        if (packet.port > 0 or packet.protocol in (1, 58))
        and packet.source != packet.destination
        and inside & {on_line(packet.source), on_line(packet.destination)}
        and (probe := as_probe(packet)) is not None
        and (probe.protocol != "icmp" or packet.port in (0x0800, 0x8000))
    }
    with NFT.loaded(crowd, {"npc.nft": render("nft.j2", None, ruleset=table)}):
        assert differences(crowd, expected, run(crowd, expected, grace=0.1)) == []


@pytest.mark.parametrize("dataplane", [one.param() for one in (*IPTABLES, WITHOUT_IPSET)])
@settings(max_examples=10)
@given(documents=clusters())
def test_other_dataplanes(dataplane: Dataplane, documents: list[Document]) -> None:
    assume(any(one["kind"] == "Pod" for one in documents))
    compilation = compile_documents(documents, options=dataplane.options, target=dataplane.target)
    check(dataplane, documents, compilation.artifacts)


def check(dataplane: Dataplane, documents: list[Document], artifacts: Mapping[str, str]) -> None:
    """Load the artifacts and send the packets at the edges of the cluster's policies."""
    cluster = Cluster.from_manifests(documents)
    hosts = hosts_of(documents)
    inside = {address for host in hosts for address in host.addresses}
    expected = {
        probe: allowed(cluster, packet)
        for packet in boundary_packets(documents, MOST_PROBES)
        if _is_forwarded(packet, inside) and (probe := as_probe(packet)) is not None
    }
    outside = {end for probe in expected for end in (probe.source, probe.destination)} - inside
    with open_network(hosts, sorted(outside, key=str)) as network, dataplane.loaded(network, artifacts):
        assert differences(network, expected, run(network, expected)) == []
