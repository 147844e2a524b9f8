"""The kernel does with packets what the reader says of each rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.dataplane.nft import nft_loaded
from tests.dataplane.probe import Probe, Protocol, differences, matrix, run
from tests.dataplane.topology import Host, Network, open_network
from tests.verify.nft.rulesets import passes, read, table
from tests.verify.nft.test_meaning import MEANINGS, NAMED

HOSTS: Final = (
    Host.of("a", "10.0.0.1", "fd00::1"),
    Host.of("b", "10.0.0.2", "fd01::5"),
    Host.of("c", "10.1.2.3"),
    Host.of("d", "10.0.0.9"),
)
SERVICES: Final[list[tuple[Protocol, int]]] = [
    ("tcp", 22),
    ("tcp", 80),
    ("tcp", 85),
    ("udp", 53),
    ("udp", 85),
    ("sctp", 80),
    ("icmp", 0),
]
GRACE: Final = 0.1
"""Seconds for what should not arrive: there are many rules."""


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with open_network(HOSTS) as opened:
        yield opened


def in_words(probe: Probe) -> str:
    """As the examples have packets."""
    kind = f"{probe.protocol}/{probe.port}"
    if probe.protocol == "icmp":
        kind = "icmp/8.0" if probe.source.version == 4 else "icmpv6/128.0"
    return f"{probe.source} {probe.destination} {kind}"


@pytest.mark.dataplane("nft")
@pytest.mark.parametrize("rule", [one[0] for one in MEANINGS])
def test_packets_fare_as_the_reader_says(rule: str, network: Network) -> None:
    text = table("ct state established,related accept", *rule.split("; "), more=NAMED)
    program = read(text)
    owners = [address for address, owner in network.owners.items() if owner is not network.node]
    probes = [one for one in matrix(owners, SERVICES) if one.source != one.destination]
    expected = {probe: passes(program, in_words(probe)) for probe in probes}
    with nft_loaded(network, text):
        observed = run(network, expected, grace=GRACE)
    assert differences(network, expected, observed) == []
