"""What other projects expect, seen in a kernel: npc's rulesets, loaded, meet real packets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.cases import (
    Case,
    Traffic,
    cluster_policy_cases,
    plain_network_policy_cases,
    probe_packets,
    requires_conformance_data,
)
from tests.conformance.compiling import compile_documents
from tests.dataplane.clusters import as_probe, hosts_of
from tests.dataplane.dataplanes import ALL, NFT, Dataplane
from tests.dataplane.probe import Probe, differences, run
from tests.dataplane.topology import NetworkFor
from tests.reference.manifests import Address, Document

pytestmark = requires_conformance_data

EVERYWHERE = ("k8s-e2e", "recipes", "k8s-docs")
"""Categories that run on every dataplane; the others run on nftables, and on all in `make test-all`."""

CASES = (*plain_network_policy_cases(), *cluster_policy_cases())


def expected_probes(case: Case[Traffic], documents: list[Document]) -> dict[Probe, bool]:
    """What a case expects of every packet that can be probed; self pairs are left out (A2 decides them)."""
    return {
        probe: expectation.allowed
        for expectation in case.expectation.probes
        if expectation.src != expectation.dst
        for packet in probe_packets(expectation, documents)
        if (probe := as_probe(packet)) is not None
    }


def _pairs() -> Iterator[object]:
    for dataplane in ALL:
        for case in CASES:
            marks = [pytest.mark.dataplane(*dataplane.programs)]
            if dataplane is not NFT and case.category not in EVERYWHERE:
                marks.append(pytest.mark.slow)
            yield pytest.param(dataplane, case, id=f"{dataplane.name}-{case.id}", marks=marks)


@pytest.mark.parametrize(("dataplane", "case"), list(_pairs()))
def test_traffic(dataplane: Dataplane, case: Case[Traffic], network_for: NetworkFor) -> None:
    documents = case.documents
    artifacts = compile_documents(documents, target=dataplane.target).artifacts
    expected = expected_probes(case, documents)
    hosts = hosts_of(documents)
    inside: set[Address] = {address for host in hosts for address in host.addresses}
    outside = {end for probe in expected for end in (probe.source, probe.destination)} - inside
    network = network_for(hosts, sorted(outside, key=str))
    with dataplane.loaded(network, artifacts):
        assert differences(network, expected, run(network, expected)) == []
