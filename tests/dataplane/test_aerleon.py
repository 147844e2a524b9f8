"""npc and Aerleon, on the rules that bench/aerleon.py measures them with: the same packets pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from random import Random

import pytest

from bench.address_rules import AddressRule, address_rules, pod_address, write_aerleon, write_policies
from bench.aerleon import run_aerleon, run_npc
from tests.dataplane.iptables import flush_iptables, iptables_loaded
from tests.dataplane.nft import nft_loaded
from tests.dataplane.probe import Probe, Protocol, differences, run
from tests.dataplane.topology import Host, Network, NetworkFor

COUNT, PROBES = 40, 300
PROTOCOLS: Mapping[str, Protocol] = {"TCP": "tcp", "UDP": "udp"}
PROGRAMS = {
    "nft": ("nft",),
    "iptables": ("iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy", "ipset"),
}


def probes(rules: Sequence[AddressRule]) -> list[Probe]:
    """So many packets at the ends of blocks, of their excepts and of port ranges, and just outside."""
    found = {
        Probe(source, pod_address(rule.pod), PROTOCOLS[protocol], port)
        for rule in rules
        for block in (rule.source, *rule.excepts)
        for source in (block[0] - 1, block[0], block[-1], block[-1] + 1)
        for ends in rule.ports
        for port in (ends[0] - 1, ends[0], ends[1], ends[1] + 1)
        for protocol in PROTOCOLS
    }
    return Random(1).sample(sorted(found, key=str), PROBES)


def passes(rules: Sequence[AddressRule], probe: Probe) -> bool:
    assert isinstance(probe.source, IPv4Address)
    assert isinstance(probe.destination, IPv4Address)
    protocol = probe.protocol.upper()
    return any(rule.matches(probe.source, probe.destination, protocol, probe.port) for rule in rules)


@contextmanager
def restored(network: Network, text: str) -> Iterator[None]:
    """Run the body with rules in iptables' notation, and nothing else, loaded."""
    flush_iptables(network)
    network.node.run(["iptables-nft-restore"], f"*filter\n{text}\nCOMMIT\n")
    try:
        yield
    finally:
        flush_iptables(network)


def npc_loaded(network: Network, target: str, output: Path) -> AbstractContextManager[None]:
    if target == "nft":
        return nft_loaded(network, output.read_text())
    return iptables_loaded(network, {one.name: one.read_text() for one in output.iterdir()}, "nft")


def aerleon_loaded(network: Network, target: str, output: Path) -> AbstractContextManager[None]:
    (file,) = output.iterdir()
    return (nft_loaded if target == "nft" else restored)(network, file.read_text())


@pytest.mark.parametrize(
    "target", [pytest.param(one, marks=pytest.mark.dataplane(*needed)) for one, needed in PROGRAMS.items()]
)
def test_the_same_packets_pass(target: str, network_for: NetworkFor, tmp_path: Path) -> None:
    pytest.importorskip("aerleon", reason="Aerleon, of the extra `bench`, is not installed")
    rules = address_rules(COUNT)
    ours, theirs = tmp_path / "npc-output", tmp_path / "aerleon-output"
    run_npc(*write_policies(rules, tmp_path), target, ours)
    run_aerleon(*write_aerleon(rules, target, tmp_path), theirs)
    expected = {probe: passes(rules, probe) for probe in probes(rules)}
    assert 20 <= sum(expected.values()) <= PROBES - 20
    pods = [Host(f"pod-{one}", (pod_address(one),)) for one in sorted({rule.pod for rule in rules})]
    network = network_for(pods, sorted({probe.source for probe in expected}, key=str))
    for loaded in (npc_loaded(network, target, ours), aerleon_loaded(network, target, theirs)):
        with loaded:
            assert differences(network, expected, run(network, expected, grace=0.1)) == []
