"""What load.sh leaves behind: npc's own chains and sets of the last load, and all else as it was.

And what dense plans let pass and log, in a kernel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import islice

import pytest
from hypothesis import given, settings

from npc.backends.base import Options, OwnNode
from npc.backends.iptables import BACKEND
from npc.backends.iptables.layout import Layout
from npc.backends.iptables.lowering import lower
from npc.backends.iptables.ruleset import Ruleset
from npc.backends.printing import render
from npc.compiler.algebra.addresses import format_address
from npc.compiler.plan import Plan
from tests.backends import dense
from tests.backends.dense import ENDPOINTS
from tests.backends.test_iptables_equivalence import expected_logs
from tests.compiler.compiling import passes
from tests.conformance.compiling import compile_documents
from tests.dataplane.clusters import as_probe
from tests.dataplane.iptables import VARIANTS, flush_iptables, iptables_loaded, load_iptables
from tests.dataplane.namespace import CommandError
from tests.dataplane.probe import Probe, differences, run
from tests.dataplane.topology import Address, Host, Network, NetworkFor
from tests.reference.evaluator import Packet
from tests.reference.manifests import Document

pytestmark = [
    pytest.mark.dataplane("iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy", "ipset"),
    pytest.mark.parametrize("variant", VARIANTS),
]

FOREIGN = ("-N", "NPC_NOT_OURS"), ("-A", "FORWARD", "-p", "udp", "-j", "NPC_NOT_OURS")


def _pod(name: str, address: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "x", "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running", "podIPs": [{"ip": address}]},
    }


def _artifacts(app: str, options: Options | None = None) -> Mapping[str, str]:
    policy: Document = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": app, "namespace": "x"},
        "spec": {
            "podSelector": {"matchLabels": {"app": app}},
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"not": app}}}], "ports": [{"port": 80}]}],
        },
    }
    documents = [_pod("a", "10.0.0.1"), _pod("b", "fd00::2"), policy]
    return compile_documents(documents, options=options, target="iptables").artifacts


@pytest.fixture
def network(network_for: NetworkFor, variant: str) -> Network:
    """A node with rules and a set of somebody else's."""
    network = network_for([Host.of("x/a", "10.0.0.1")])
    flush_iptables(network)
    for program in (f"iptables-{variant}", f"ip6tables-{variant}"):
        for arguments in FOREIGN:
            network.node.run([program, *arguments])
    network.node.run(["ipset", "create", "npcx", "hash:ip"])
    return network


def _saved(network: Network, variant: str) -> list[str]:
    """The rules and chains of both families, without counters, and the names of all sets."""
    lines = []
    for program in (f"iptables-{variant}-save", f"ip6tables-{variant}-save"):
        text = network.node.run([program, "-t", "filter"])
        lines += [line.partition(" [")[0] for line in text.splitlines() if line[:1] in (":", "-")]
    return [*lines, *network.node.run(["ipset", "list", "-n"]).split()]


def test_loading_twice_changes_nothing(network: Network, variant: str) -> None:
    load_iptables(network, _artifacts("a"), variant)
    once = _saved(network, variant)
    load_iptables(network, _artifacts("a"), variant)
    assert _saved(network, variant) == once
    assert once.count("-A FORWARD -j NPC-FORWARD") == 2  # one for each family


def test_what_an_earlier_load_left_is_gone(network: Network, variant: str) -> None:
    load_iptables(network, _artifacts("b"), variant)
    fresh = _saved(network, variant)
    load_iptables(network, _artifacts("a"), variant)
    load_iptables(network, _artifacts("b"), variant)
    assert sorted(_saved(network, variant)) == sorted(fresh)


def test_hooks_of_a_policed_node_go_when_it_is_no_longer(network: Network, variant: str) -> None:
    load_iptables(network, _artifacts("a"), variant)
    fresh = _saved(network, variant)
    load_iptables(network, _artifacts("a", Options(own_node=OwnNode.POLICED)), variant)
    policed = _saved(network, variant)
    assert "-A INPUT -j NPC-INPUT" in policed
    assert "-A OUTPUT -j NPC-OUTPUT" in policed
    load_iptables(network, _artifacts("a"), variant)
    assert sorted(_saved(network, variant)) == sorted(fresh)


def test_what_is_not_ours_stays(network: Network, variant: str) -> None:
    before = _saved(network, variant)
    load_iptables(network, _artifacts("a"), variant)
    after = _saved(network, variant)
    assert [line for line in before if line not in after] == []


def test_check_loads_nothing(network: Network, variant: str) -> None:
    before = _saved(network, variant)
    load_iptables(network, _artifacts("a"), variant, "--check")
    assert _saved(network, variant) == before


def test_check_finds_what_iptables_refuses(network: Network, variant: str) -> None:
    artifacts = dict(_artifacts("a"))
    broken = artifacts["npc.v6.rules"].replace("COMMIT", "-A NPC-FORWARD --nonsense\nCOMMIT")
    artifacts["npc.v6.rules"] = broken
    with pytest.raises(CommandError, match="nonsense"):
        load_iptables(network, artifacts, variant, "--check")


def test_the_other_variant_must_not_be_in_force(network: Network, variant: str) -> None:
    """Its rules would be those of an earlier day, for ever."""
    other = next(one for one in VARIANTS if one != variant)
    load_iptables(network, _artifacts("a"), other)
    before = _saved(network, variant)
    with pytest.raises(CommandError, match=f"iptables-{other} has rules of npc"):
        load_iptables(network, _artifacts("b"), variant)
    assert _saved(network, variant) == before


def test_a_set_may_outgrow_what_it_was_made_for(network: Network, variant: str) -> None:
    """ipset refuses to make a set again with another maxelem: all of ours have the same."""
    load_iptables(network, _artifacts("a"), variant)
    grown = dict(_artifacts("a"))
    more = "".join(f"add npc-ingress4-n 10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(70_000))
    grown["npc.ipset"] = grown["npc.ipset"].replace("flush npc-ingress4-n\n", f"flush npc-ingress4-n\n{more}")
    load_iptables(network, grown, variant)
    load_iptables(network, _artifacts("a"), variant)
    assert len(network.node.run(["ipset", "list", "npc-ingress4"]).split("Members:")[1].split()) == 1


def test_the_jump_comes_first_again(network: Network, variant: str) -> None:
    """Others insert rules at the top too: below an ACCEPT the policies would never be asked."""
    load_iptables(network, _artifacts("a"), variant)
    fresh = _saved(network, variant)
    network.node.run([f"iptables-{variant}", "-I", "FORWARD", "1", "-p", "tcp", "-j", "ACCEPT"])
    network.node.run([f"iptables-{variant}", "-A", "FORWARD", "-j", "NPC-FORWARD"])
    load_iptables(network, _artifacts("a"), variant)
    forward = [line for line in _saved(network, variant) if line.startswith("-A FORWARD ")]
    assert forward[:2] == ["-A FORWARD -j NPC-FORWARD", "-A FORWARD -p tcp -j ACCEPT"]
    assert forward.count("-A FORWARD -j NPC-FORWARD") == fresh.count("-A FORWARD -j NPC-FORWARD")


def test_two_loads_at_a_time_wait_for_each_other(network: Network, variant: str) -> None:
    artifacts = _artifacts("a")
    load_iptables(network, artifacts, variant)
    fresh = _saved(network, variant)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(load_iptables, network, artifacts, variant) for _ in range(8)]:
            done.result()
    assert sorted(_saved(network, variant)) == sorted(fresh)


def test_remove_leaves_what_was_there_before(network: Network, variant: str) -> None:
    before = _saved(network, variant)
    artifacts = _artifacts("a", Options(own_node=OwnNode.POLICED))
    load_iptables(network, artifacts, variant)
    load_iptables(network, artifacts, variant, "--remove")
    assert _saved(network, variant) == before
    load_iptables(network, artifacts, variant, "--remove")
    assert _saved(network, variant) == before


@pytest.mark.parametrize("arguments", [["--chekc"], ["--help"], ["--check", "--remove"]], ids=" ".join)
def test_an_unknown_argument_loads_nothing(network: Network, variant: str, arguments: list[str]) -> None:
    before = _saved(network, variant)
    with pytest.raises(CommandError, match="Usage: sh load"):
        load_iptables(network, _artifacts("a"), variant, *arguments)
    assert _saved(network, variant) == before


# --- dense plans --------------------------------------------------------------------------------------------

PROBES = 250
DENSE_HOSTS = [
    Host(str(one), tuple(map(ip_address, map(format_address, one.addresses)))) for one in ENDPOINTS
]
COUNTED = re.compile(r'^\[(?P<packets>[0-9]+):[0-9]+\] .* --log-prefix "(?P<prefix>[^"]*)"', re.MULTILINE)
"""A rule that logs, as iptables-save shows it with its counters."""


def _probes() -> dict[Probe, Packet]:
    """The packets that leave their host and that the harness can send: of ICMP, echo requests."""
    echo = {(1, 0x0800), (58, 0x8000)}
    return {
        probe: packet
        for packet in dense.packets(20 * PROBES)
        if packet.source != packet.destination
        and ((packet.protocol, packet.port) in echo or (packet.protocol not in (1, 58) and packet.port > 0))
        and (probe := as_probe(packet)) is not None
    }


@pytest.mark.parametrize("ipset", ["yes", "no"])
@settings(max_examples=8)
@given(plan=dense.plans(logs=True))
def test_dense_plans(variant: str, ipset: str, network_for: NetworkFor, plan: Plan) -> None:
    """Holes, parts of ICMP and nearly all traffic, as the kernel takes them; and who is logged."""
    asked = dict(islice(_probes().items(), PROBES))
    expected = {probe: passes(plan, packet) for probe, packet in asked.items()}
    network = network_for(DENSE_HOSTS, sorted({*_ends(asked)} - {*_addresses()}, key=str))
    artifacts = _printed(lower(plan, Options(settings={"ipset": ipset})))
    with iptables_loaded(network, artifacts, variant):
        assert differences(network, expected, run(network, expected, grace=0.1)) == []
        counted = "".join(
            network.node.run([f"{word}-{variant}-save", "-c"]) for word in ("iptables", "ip6tables")
        )
    logged = {found["prefix"] for found in COUNTED.finditer(counted) if found["packets"] != "0"}
    assert logged == {prefix for packet in asked.values() for prefix in expected_logs(plan, packet)}


def _printed(ruleset: Ruleset) -> dict[str, str]:
    return {name: render(template, None, ruleset=ruleset) for name, template in BACKEND.templates.items()}


def _ends(probes: Iterable[Probe]) -> Iterator[Address]:
    for probe in probes:
        yield from (probe.source, probe.destination)


def _addresses() -> Iterator[Address]:
    for host in DENSE_HOSTS:
        yield from host.addresses


# --- sets of blocks -----------------------------------------------------------------------------------------

OPEN = {
    "10.9.0.0/16": ["10.9.4.0/22", "10.9.200.0/24", "10.9.0.7/32"],
    "10.9.5.128/26": ["10.9.5.130/31"],
    "10.9.200.8/29": [],
    "fd09::/32": ["fd09:0:4::/48", "fd09::7/128"],
    "fd09:0:4:8000::/52": ["fd09:0:4:8000::/64"],
    "fd09:0:4:8000::100/120": [],
}
"""Blocks with their excepts, three deep: what one leaves out, another may let in again."""


def _ends_of(text: str, network: type[IPv4Network] | type[IPv6Network]) -> Iterator[Address]:
    """The first and last address of a block, and the ones beside it."""
    block = network(text)
    for address in (block[0], block[-1]):
        yield from (address - 1, address, address + 1)


def test_what_prefixes_leave_out_and_let_in_again(variant: str, network_for: NetworkFor) -> None:
    """The longest prefix of a hash:net decides, `nomatch` or not, in the kernel as in the table."""
    blocks = [{"ipBlock": {"cidr": cidr, "except": holes}} for cidr, holes in OPEN.items()]
    pod = _pod("a", "10.0.0.1")
    pod["status"]["podIPs"].append({"ip": "fd00::1"})
    policy: Document = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "blocks", "namespace": "x"},
        "spec": {"podSelector": {}, "ingress": [{"from": blocks}]},
    }
    plan = compile_documents([pod, policy]).plan
    sources = {
        address
        for text in [*OPEN, *(hole for holes in OPEN.values() for hole in holes)]
        for address in _ends_of(text, IPv6Network if ":" in text else IPv4Network)
    }
    subjects = {4: ip_address("10.0.0.1"), 6: ip_address("fd00::1")}
    packets = [Packet(source, subjects[source.version], 17, 53) for source in sorted(sources, key=str)]
    expected = {probe: passes(plan, packet) for packet in packets if (probe := as_probe(packet)) is not None}
    assert set(expected.values()) == {True, False}
    ruleset = lower(plan, Options(), Layout(blocks_inline=0))
    assert [len(one.elements) for one in ruleset.sets if one.type == "hash:net"] == [7, 6]
    assert all("nomatch" in " ".join(one.elements) for one in ruleset.sets if one.type == "hash:net")
    network = network_for([Host("x/a", tuple(subjects.values()))], sorted(sources, key=str))
    with iptables_loaded(network, _printed(ruleset), variant):
        assert differences(network, expected, run(network, expected, grace=0.1)) == []
