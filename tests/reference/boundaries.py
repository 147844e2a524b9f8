"""The packets at the edges of a cluster's policies: where an off-by-one would show.

Takes manifests (lists flattened) and enumerates what they mention: addresses, protocols, ports, each with its
neighbours. Nothing is random: equal manifests give equal packets.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from tests.reference.evaluator import PROTOCOL_NUMBERS, Packet
from tests.reference.manifests import (
    Address,
    Document,
    mentioned_networks,
    node_addresses,
    of_kind,
    pod_addresses,
)

FAR_FROM_ALL: Final = (IPv4Address("203.0.113.9"), IPv6Address("2001:db8::9"))
UNMENTIONED_PORT: Final = 40000
WITHOUT_PORTS: Final = {4: ((1, 0), (47, 0)), 6: ((58, 0), (47, 0))}
"""Protocol and "port" of ICMP or ICMPv6, and of GRE, by IP version."""


def boundary_packets(documents: Sequence[Document], limit: int) -> list[Packet]:
    """The packets at every edge, in both families: all of them, or an even sample of `limit`.

    The interesting addresses are paired, each with itself too, and every pair meets all interesting traffic.
    One end at least is a pod's address, dead pods included: no policy decides on other packets. Half of
    a sample, where there are so many, is between pods.
    """
    between_pods: list[tuple[Address, Address, int]] = []
    others: list[tuple[Address, Address, int]] = []
    for version in (4, 6):
        addresses = interesting_addresses(documents, version)
        owned = owned_addresses(addresses, documents)
        for one in owned:
            for other in addresses:
                if other in owned:
                    between_pods.append((one, other, version))
                else:
                    others += [(one, other, version), (other, one, version)]
    sample = _sample(between_pods, documents, limit // 2)
    return sample + _sample(others, documents, limit - len(sample))


def interesting_addresses(documents: Iterable[Document], version: int) -> list[Address]:
    """Addresses of pods and nodes, ends of CIDRs and their outer neighbours, and one far from all."""
    objects = list(documents)
    networks = mentioned_networks(list(of_kind("NetworkPolicy", objects)))
    found = [
        *(address for pod in of_kind("Pod", objects) for address in pod_addresses(pod)),
        *(address for node in of_kind("Node", objects) for address in node_addresses(node)),
        *(address for network in networks for address in _edges(network[0], network[-1])),
        *FAR_FROM_ALL,
    ]
    return [address for address in dict.fromkeys(found) if address.version == version]


def owned_addresses(addresses: Iterable[Address], documents: Iterable[Document]) -> list[Address]:
    """Those of the addresses that are a pod's, of whatever kind and phase."""
    owned = {address for pod in of_kind("Pod", documents) for address in pod_addresses(pod)}
    return [address for address in addresses if address in owned]


def interesting_traffic(documents: Sequence[Document], version: int) -> list[tuple[int, int]]:
    """Protocol and port: mentioned ports and their neighbours in TCP, UDP and SCTP, and two without ports."""
    mentioned = {UNMENTIONED_PORT, *_mentioned_ports(list(documents))}
    ports = sorted({near for port in mentioned for near in (port - 1, port, port + 1) if near <= 65535})
    with_ports = [(protocol, port) for protocol in PROTOCOL_NUMBERS.values() for port in ports]
    return [*with_ports, *WITHOUT_PORTS[version]]


def _sample(
    pairs: Sequence[tuple[Address, Address, int]], documents: Sequence[Document], limit: int
) -> list[Packet]:
    """An even sample of the pairs (source, destination, IP version), each with all its traffic."""
    traffic = {version: interesting_traffic(documents, version) for version in (4, 6)}
    per_pair = len(traffic[4])  # as many in either family
    size = len(pairs) * per_pair
    chosen = random.Random(0).sample(range(size), min(limit, size))
    return [
        Packet(source, destination, *traffic[version][index % per_pair])
        for index in sorted(chosen)
        for source, destination, version in [pairs[index // per_pair]]
    ]


def _edges(first: Address, last: Address) -> Iterator[Address]:
    """The first and last address of a range, and those just outside where there are such."""
    yield first
    yield last
    if int(first) > 0:
        yield first - 1
    if int(last) + 1 < 1 << last.max_prefixlen:
        yield last + 1


def _mentioned_ports(value: object) -> Iterator[int]:
    """Every port number written anywhere below a value, of containers and of rules."""
    match value:
        case dict():
            for key, child in value.items():
                if key in ("port", "endPort", "containerPort") and isinstance(child, int):
                    yield child
                else:
                    yield from _mentioned_ports(child)
        case list():
            for child in value:
                yield from _mentioned_ports(child)
