"""The harness sees what hand-written rulesets do, exactly."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address
from itertools import repeat
from pathlib import Path

import pytest

from tests.dataplane.namespace import CommandError
from tests.dataplane.nft import load_nft, nft_loaded
from tests.dataplane.probe import Probe, Protocol, differences, matrix, run
from tests.dataplane.topology import Address, Host, Network, NetworkFor, open_network

pytestmark = pytest.mark.dataplane("nft")

HOSTS = (
    Host.of("x/a", "10.0.0.1", "fd00::1"),
    Host.of("x/b", "10.0.0.2", "fd00::2"),
    Host.of("y/a", "10.1.0.1"),
    Host.of("y/b", "fd01::1"),
)
EXTERNAL = tuple(map(ip_address, ("192.0.2.0", "203.0.113.255", "2001:db8::", "2001:db8:1::1")))
SERVICES: tuple[tuple[Protocol, int], ...] = (
    ("tcp", 80),
    ("tcp", 81),
    ("udp", 80),
    ("udp", 81),
    ("sctp", 80),
    ("sctp", 81),
    ("icmp", 0),
)

Pattern = tuple[str | None, str | None, str | None, int | None]
"""Source, destination, protocol and port of the probes meant; None for any."""

ALL: Pattern = (None, None, None, None)

RULES: list[tuple[str, str, str, list[Pattern]]] = [
    ("nothing", "forward", "", []),
    ("everything", "forward", "drop", [ALL]),
    (
        "one TCP flow, dropped",
        "forward",
        "ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp dport 80 drop",
        [("10.0.0.1", "10.0.0.2", "tcp", 80)],
    ),
    (
        "one TCP flow, answered with a reset",
        "forward",
        "ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp dport 80 reject with tcp reset",
        [("10.0.0.1", "10.0.0.2", "tcp", 80)],
    ),
    (
        "all to one IPv4 pod, answered with ICMP",
        "forward",
        "ip daddr 10.1.0.1 reject with icmp admin-prohibited",
        [(None, "10.1.0.1", None, None)],
    ),
    (
        "all to one IPv6 pod, answered with ICMPv6",
        "forward",
        "ip6 daddr fd01::1 reject with icmpv6 admin-prohibited",
        [(None, "fd01::1", None, None)],
    ),
    ("a UDP port", "forward", "udp dport 81 drop", [(None, None, "udp", 81)]),
    ("an SCTP port", "forward", "sctp dport 80 drop", [(None, None, "sctp", 80)]),
    (
        "pings of one pod",
        "forward",
        "ip saddr 10.0.0.2 icmp type echo-request drop; ip6 saddr fd00::2 icmpv6 type echo-request drop",
        [("10.0.0.2", None, "icmp", None), ("fd00::2", None, "icmp", None)],
    ),
    (
        "one external address as destination, another as source",
        "forward",
        "ip daddr 203.0.113.255 drop; ip6 saddr 2001:db8:: drop",
        [(None, "203.0.113.255", None, None), ("2001:db8::", None, None, None)],
    ),
    ("from pods to the node, dropped", "input", "iif != lo drop", [ALL]),
    ("from pods to the node, rejected", "input", "iif != lo reject", [ALL]),
    ("from the node to pods, dropped", "output", "oif != lo drop", [ALL]),
    ("from the node to pods, rejected", "output", "oif != lo tcp dport 80 reject", [(None, None, "tcp", 80)]),
]


@pytest.fixture
def network(network_for: NetworkFor) -> Network:
    return network_for(HOSTS, EXTERNAL)


def ruleset(hook: str, rules: str) -> str:
    """Rules behind what a stateful ruleset begins with; `invalid` would show a malformed packet of ours."""
    return f"""
    table inet test {{
      chain {hook} {{
        type filter hook {hook} priority filter; policy accept;
        ct state invalid drop
        ct state established,related accept
        {rules}
      }}
    }}
    """


def hook_of(network: Network, probe: Probe) -> str | None:
    """Which hook of the node a probe's first packet meets; None for a host's traffic with itself."""
    source, destination = network.owners[probe.source], network.owners[probe.destination]
    if source is destination:
        return None
    return {source: "output", destination: "input"}.get(network.node, "forward")


def matches(probe: Probe, pattern: Pattern) -> bool:
    actual = str(probe.source), str(probe.destination), probe.protocol, probe.port
    return all(wanted in (None, value) for wanted, value in zip(pattern, actual, strict=True))


def expectation(network: Network, hook: str, denied: Iterable[Pattern]) -> dict[Probe, bool]:
    patterns = tuple(denied)
    return {
        probe: not (hook_of(network, probe) == hook and any(matches(probe, each) for each in patterns))
        for probe in matrix(network.owners, SERVICES)
    }


def wrong(network: Network, expected: dict[Probe, bool]) -> list[str]:
    return differences(network, expected, run(network, expected))


@pytest.mark.parametrize(
    ("hook", "rules", "denied"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES]
)
def test_rules_are_seen_exactly(network: Network, hook: str, rules: str, denied: list[Pattern]) -> None:
    with nft_loaded(network, ruleset(hook, rules)):
        assert wrong(network, expectation(network, hook, denied)) == []


def test_without_a_ruleset_everything_passes(network: Network) -> None:
    assert wrong(network, dict.fromkeys(matrix(network.owners, SERVICES), True)) == []


def test_the_matrix_has_every_pair_of_a_family() -> None:
    ends = tuple(map(ip_address, ("10.0.0.1", "10.0.0.2", "fd00::1")))
    assert [(str(p.source), str(p.destination)) for p in matrix(ends, [("udp", 53)])] == [
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2"),
        ("10.0.0.2", "10.0.0.1"),
        ("10.0.0.2", "10.0.0.2"),
        ("fd00::1", "fd00::1"),
    ]


def test_a_wrong_expectation_is_named(network: Network) -> None:
    a, b = HOSTS[0].addresses[0], HOSTS[1].addresses[0]
    there, back = Probe(a, b, "udp", 80), Probe(b, a, "udp", 80)
    expected = {there: True, back: False}
    with nft_loaded(network, ruleset("forward", "ip saddr 10.0.0.1 drop")):
        observed = run(network, expected, patience=0.3)
    assert differences(network, expected, observed) == [
        "x/a (10.0.0.1) -> x/b (10.0.0.2) udp/80: expected allowed, was denied",
        "x/b (10.0.0.2) -> x/a (10.0.0.1) udp/80: expected denied, was allowed",
    ]


class TestConntrack:
    """A connection that passed under one ruleset is no excuse under the next."""

    def test_a_run_is_not_part_of_an_earlier_one(self, network: Network) -> None:
        for rules, denied in (("", []), ("drop", [ALL]), ("", [])):
            with nft_loaded(network, ruleset("forward", rules)):
                assert wrong(network, expectation(network, "forward", denied)) == []

    def test_it_is_the_fresh_port_that_sees_to_that(self, network: Network) -> None:
        same_port = replace(network, ports=repeat(19_999))
        probes = matrix((HOSTS[0].addresses[0], HOSTS[1].addresses[0]), [("udp", 80)])
        crossing = [probe for probe in probes if probe.source != probe.destination]
        with nft_loaded(network, ruleset("forward", "")):
            assert run(same_port, dict.fromkeys(crossing, True)) == dict.fromkeys(crossing, True)
        with nft_loaded(network, ruleset("forward", "drop")):
            assert run(same_port, dict.fromkeys(crossing, False)) == dict.fromkeys(crossing, True)

    def test_a_port_is_fresh_and_free(self, network: Network) -> None:
        ports = replace(network, ports=iter((20_000, 20_001, 20_002)))
        assert [ports.fresh_port(taken={20_001}) for _ in range(2)] == [20_000, 20_002]

    def test_a_service_in_the_range_of_source_ports(self, network: Network) -> None:
        soon = next(network.ports) + 1
        assert (
            wrong(network, dict.fromkeys(matrix(network.owners, [("tcp", soon), ("udp", soon)]), True)) == []
        )


@contextmanager
def descriptor_limit(soft: int) -> Iterator[None]:
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


def test_more_probes_than_descriptors(network: Network) -> None:
    with descriptor_limit(len(list(Path("/proc/self/fd").iterdir())) + 100):
        expected = expectation(network, "forward", [])
        assert sum(probe.protocol == "tcp" for probe in expected) > 100
        assert wrong(network, expected) == []


def test_nft_errors_are_shown(network: Network) -> None:
    with pytest.raises(CommandError, match="unknown identifier") as caught:
        load_nft(network, "add rule inet test forward ip saddr $nobody accept")
    assert "nobody" in caught.value.stderr


def test_an_address_without_an_owner(network: Network) -> None:
    probe = Probe(HOSTS[0].addresses[0], ip_address("198.51.100.1"), "tcp", 80)
    with pytest.raises(KeyError):
        run(network, {probe: False})


@pytest.mark.parametrize(
    ("source", "destination", "protocol", "port"),
    [
        ("10.0.0.1", "fd00::1", "tcp", 80),
        ("10.0.0.1", "10.0.0.2", "tcp", 0),
        ("10.0.0.1", "10.0.0.2", "icmp", 80),
    ],
)
def test_probes_that_cannot_be(source: str, destination: str, protocol: Protocol, port: int) -> None:
    with pytest.raises(ValueError, match=r"two families|to port"):
        Probe(ip_address(source), ip_address(destination), protocol, port)


@pytest.mark.parametrize(
    ("hosts", "external", "owners"),
    [
        ((Host.of("a", "10.0.0.1"), Host.of("b", "10.0.0.1")), (), "a and to b"),
        ((Host.of("a", "10.0.0.1"),), (ip_address("10.0.0.1"),), "a and to world"),
        ((Host.of("a", "100.64.0.1"),), (), "node and to a"),
    ],
)
def test_an_address_has_one_owner(
    hosts: tuple[Host, ...], external: tuple[Address, ...], owners: str
) -> None:
    with pytest.raises(ValueError, match=owners), open_network(hosts, external):
        pass


def test_a_node_address_of_ones_own() -> None:
    node = ip_address("172.18.0.3")
    with open_network(HOSTS[:1], node_addresses=[node]) as network:
        assert network.owners[node] is network.node
        assert wrong(network, dict.fromkeys(matrix((node, HOSTS[0].addresses[0]), SERVICES), True)) == []
