"""npc's plan agrees with what other projects expect."""

from __future__ import annotations

import pytest

from tests.conformance.cases import (
    Case,
    Traffic,
    cluster_policy_cases,
    plain_network_policy_cases,
    probe_packets,
    requires_conformance_data,
)
from tests.conformance.compiling import compile_documents, plan_allows

pytestmark = requires_conformance_data

CASES = [*plain_network_policy_cases(), *cluster_policy_cases()]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_traffic(case: Case[Traffic]) -> None:
    documents = case.documents
    compilation = compile_documents(documents)
    assert [
        (probe, packet)
        for probe in case.expectation.probes
        if probe.src != probe.dst
        for packet in probe_packets(probe, documents)
        if plan_allows(compilation, packet) != probe.allowed
    ] == []
