"""The reference evaluator agrees with what other projects expect."""

from __future__ import annotations

import pytest

from tests.conformance.cases import (
    Case,
    Defaults,
    SelectorRow,
    SelectorTable,
    Traffic,
    cases,
    cluster_policy_cases,
    plain_network_policy_cases,
    probe_packets,
    requires_conformance_data,
)
from tests.reference.evaluator import Cluster, allowed, effective_policy_types
from tests.reference.manifests import of_kind
from tests.reference.selectors import selects

pytestmark = requires_conformance_data

TRAFFIC = [*plain_network_policy_cases(), *cluster_policy_cases()]
DEFAULTS = cases(Defaults)
SELECTOR_ROWS = [row for table in cases(SelectorTable) for row in table.expectation.rows]


@pytest.mark.parametrize("case", TRAFFIC, ids=[case.id for case in TRAFFIC])
def test_traffic(case: Case[Traffic]) -> None:
    documents = case.documents
    cluster = Cluster.from_manifests(documents)
    probes = [probe for probe in case.expectation.probes if probe.src != probe.dst]
    assert [probe for probe in probes if not probe_packets(probe, documents)] == []
    assert [
        (probe, packet)
        for probe in probes
        for packet in probe_packets(probe, documents)
        if allowed(cluster, packet) != probe.allowed
    ] == []


@pytest.mark.parametrize("case", DEFAULTS, ids=[case.id for case in DEFAULTS])
def test_policy_types(case: Case[Defaults]) -> None:
    (policy,) = of_kind("NetworkPolicy", case.documents)
    assert effective_policy_types(policy) == case.expectation.policy_types


@pytest.mark.parametrize("row", SELECTOR_ROWS, ids=[row.name for row in SELECTOR_ROWS])
def test_selector(row: SelectorRow) -> None:
    """The row without a selector is about no selector at all, not about a peer's null selector (P11)."""
    assert selects(row.selector, row.labels) == row.match
