"""npc's flows in Open vSwitch's userspace datapath: real packets, and traced ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from npc.backends.base import Options
from tests.conformance.cases import Case, Traffic, plain_network_policy_cases, requires_conformance_data
from tests.conformance.compiling import compile_documents
from tests.dataplane.clusters import hosts_of
from tests.dataplane.ovs import PROGRAMS, SETTINGS, Bridge, open_bridge
from tests.dataplane.probe import differences, run
from tests.dataplane.test_conformance import EVERYWHERE, expected_probes
from tests.dataplane.topology import Address, Host, Network, open_network

pytestmark = pytest.mark.dataplane(*PROGRAMS)

CASES = [case for case in plain_network_policy_cases() if case.category in EVERYWHERE]
OPTIONS = Options(settings=SETTINGS)

BridgeFor = Callable[[list[Host], frozenset[Address]], tuple[Network, Bridge]]


@pytest.fixture(scope="module")
def bridge_for(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeFor]:
    """Open a network with a bridge, or hand out again the one that stands: one at a time."""
    standing: dict[object, tuple[Network, Bridge]] = {}
    with ExitStack() as closing:

        def opened(hosts: list[Host], outside: frozenset[Address]) -> tuple[Network, Bridge]:
            asked = frozenset(hosts), outside
            if asked not in standing:
                standing.clear()
                closing.close()
                network = closing.enter_context(open_network(hosts, sorted(outside, key=str)))
                folder: Path = tmp_path_factory.mktemp("ovs")
                standing[asked] = network, closing.enter_context(open_bridge(network, folder))
            return standing[asked]

        yield opened


@requires_conformance_data
@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_conformance(case: Case[Traffic], bridge_for: BridgeFor) -> None:
    documents = case.documents
    flows = compile_documents(documents, options=OPTIONS, target="ovs").artifacts["npc.flows"]
    expected = expected_probes(case, documents)
    hosts = hosts_of(documents)
    inside = {address for host in hosts for address in host.addresses}
    outside = {end for probe in expected for end in (probe.source, probe.destination)} - inside
    network, bridge = bridge_for(hosts, frozenset(outside))
    bridge.load(flows)
    assert differences(network, expected, run(network, expected)) == []
