"""What other projects expect, seen in a kernel: npc's rulesets, loaded, meet real packets."""

from __future__ import annotations

import pytest

from tests.conformance.cases import (
    Case,
    Traffic,
    plain_network_policy_cases,
    probe_packets,
    requires_conformance_data,
)
from tests.conformance.compiling import compile_documents
from tests.dataplane.clusters import as_probe, hosts_of
from tests.dataplane.nft import nft_loaded
from tests.dataplane.probe import Probe, differences, run
from tests.dataplane.topology import NetworkFor
from tests.reference.manifests import Address, Document

pytestmark = [pytest.mark.dataplane("nft"), requires_conformance_data]

CASES = plain_network_policy_cases()


def expected_probes(case: Case[Traffic], documents: list[Document]) -> dict[Probe, bool]:
    """What a case expects of every packet that can be probed; self pairs are left out (A2 decides them)."""
    return {
        probe: expectation.allowed
        for expectation in case.expectation.probes
        if expectation.src != expectation.dst
        for packet in probe_packets(expectation, documents)
        if (probe := as_probe(packet)) is not None
    }


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_traffic(case: Case[Traffic], network_for: NetworkFor) -> None:
    documents = case.documents
    ruleset = compile_documents(documents).artifacts["npc.nft"]
    expected = expected_probes(case, documents)
    hosts = hosts_of(documents)
    inside: set[Address] = {address for host in hosts for address in host.addresses}
    outside = {end for probe in expected for end in (probe.source, probe.destination)} - inside
    network = network_for(hosts, sorted(outside, key=str))
    with nft_loaded(network, ruleset):
        assert differences(network, expected, run(network, expected)) == []
