"""Tiers meet real packets, on every dataplane: cluster policies before and after NetworkPolicies (C1-C6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from npc.api import compile_sources
from npc.backends.base import Options
from tests.compiler.compiling import passes
from tests.dataplane import ovs
from tests.dataplane.dataplanes import ALL, WITHOUT_IPSET, Dataplane
from tests.dataplane.nflog import Logged, open_log, to_group
from tests.dataplane.ovs import Bridge, open_bridge
from tests.dataplane.probe import Probe, differences, run
from tests.dataplane.tier_cases import HOSTS, SERVICES, WORLD, Case, cases, packet
from tests.dataplane.topology import NODE_ADDRESSES, Network, open_network

CASES: Final = {case.name: case for case in cases()}
LOGGING: Final = {name: case for name, case in CASES.items() if case.logged}
SILENT: Final = {name: case for name, case in CASES.items() if not case.logged}
GRACE: Final = 0.1
"""Seconds for what should not arrive: there are many cases."""

one_by_one = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@one_by_one
def test_the_plan_decides_so(case: Case) -> None:
    """What must hold before any dataplane is asked, and holds without one."""
    plan = compile_sources(case.sources).plan
    assert [
        probe for probe, expected in case.passes.items() if passes(plan, packet(probe)) is not expected
    ] == []


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with open_network(HOSTS, WORLD) as opened:
        yield opened


@contextmanager
def services(network: Network) -> Iterator[None]:
    """Have the node translate the Services' addresses, as kube-proxy does.

    What comes back to its sender gets the node's address, for the answer to come by the node as well.
    """
    rules = []
    for word, node in zip(("ip", "ip6"), NODE_ADDRESSES, strict=True):
        pods = {pod: service for pod, service in SERVICES.items() if pod.version == node.version}
        services = ", ".join(f"{service} : {pod}" for pod, service in pods.items())
        selves = ", ".join(f"{pod} . {pod}" for pod in pods)
        rules += [
            f"add rule inet services prerouting dnat {word} to {word} daddr map {{ {services} }}",
            f"add rule inet services postrouting {word} saddr . {word} daddr {{ {selves} }}"
            f" snat {word} to {node}",
        ]
    chains = [
        f"add chain inet services {hook} {{ type nat hook {hook} priority {priority}; }}"
        for hook, priority in (("prerouting", "dstnat"), ("postrouting", "srcnat"))
    ]
    network.node.run(["nft", "-f", "-"], "\n".join(["add table inet services", *chains, *rules]))
    try:
        yield
    finally:
        network.node.run(["nft", "delete table inet services"])


ON_KERNELS: Final = [
    pytest.param(one, id=one.name, marks=pytest.mark.dataplane("nft", *one.programs))
    for one in (*ALL, WITHOUT_IPSET)
]
"""The Services are nft's everywhere."""


@pytest.mark.parametrize("dataplane", ON_KERNELS)
@one_by_one
def test_tiers(dataplane: Dataplane, case: Case, network: Network) -> None:
    artifacts = compile_sources(case.sources, dataplane.target, options=dataplane.options).artifacts
    with dataplane.loaded(network, artifacts), services(network):
        assert differences(network, case.passes, run(network, case.passes, grace=GRACE)) == []


@pytest.mark.parametrize("dataplane", ON_KERNELS)
@pytest.mark.parametrize("case", LOGGING.values(), ids=LOGGING)
def test_logs(dataplane: Dataplane, case: Case, network: Network) -> None:
    """First packets are logged, whatever is decided about them, and no others (X2)."""
    artifacts = compile_sources(case.sources, dataplane.target, options=dataplane.options).artifacts
    with dataplane.loaded(network, to_group(artifacts)), open_log(network.node) as log:
        assert differences(network, case.passes, run(network, case.passes, grace=GRACE)) == []
        lines = _of_case(log.read(), case)
    assert lines.keys() == case.logged
    # An answered SYN is sent once; all else may be sent again, and is logged again then.
    once = {probe for probe, passes in case.passes.items() if passes and probe.protocol == "tcp"}
    assert [probe for (_, probe), count in lines.items() if count > 1 and probe in once] == []


def _of_case(logged: list[Logged], case: Case) -> Counter[tuple[str, Probe]]:
    """How often packets of the case were logged, by their prefix."""
    asked = {packet(probe): probe for probe in case.passes}
    return Counter((one.prefix, asked[one.packet]) for one in logged if one.packet in asked)


# --- Open vSwitch: it cannot log, and hairpins are traced, as there is no NAT ------------------------------

ON_OVS: Final = Options(settings=ovs.SETTINGS)
on_ovs = pytest.mark.dataplane(*ovs.PROGRAMS)


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Network, Bridge]]:
    folder = tmp_path_factory.mktemp("ovs")
    with open_network(HOSTS, WORLD) as network, open_bridge(network, folder) as opened:
        yield network, opened


@on_ovs
@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_tiers_on_ovs(case: Case, bridge: tuple[Network, Bridge]) -> None:
    network, switch = bridge
    artifacts = compile_sources(case.sources, "ovs", options=ON_OVS).artifacts
    switch.load(artifacts["npc.flows"])
    hairpins = {probe: expected for probe, expected in case.passes.items() if probe.behind is not None}
    others = {probe: expected for probe, expected in case.passes.items() if probe.behind is None}
    assert {probe: switch.traced(packet(probe)) for probe in hairpins} == hairpins
    assert differences(network, others, run(network, others, grace=GRACE)) == []
