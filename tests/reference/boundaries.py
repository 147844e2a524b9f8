"""The packets at the edges of a cluster's policies: where an off-by-one would show.

Takes manifests (lists flattened) and enumerates what they mention: addresses, protocols, ports, each with its
neighbours. Nothing is random: equal manifests give equal packets.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final, TypeAlias

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
WITHOUT_PORTS: Final = ((1, 0), (47, 0), (58, 0))
"""Protocol and "port" of ICMP, GRE and ICMPv6."""

Pair: TypeAlias = tuple[Address, Address]
"""Source and destination, of one family."""


def boundary_packets(documents: Sequence[Document], limit: int) -> list[Packet]:
    """At most `limit` different packets at the edges, in both families, the same at every call.

    Interesting addresses are paired, each with itself too, and every pair meets all interesting traffic. One
    end at least is a pod's address, dead pods included: no policy decides on other packets. Up to a third is
    between pods and of traffic just as written, which is where named ports show; up to a third is between
    pods; the rest has one end outside.
    """
    between_pods: list[Pair] = []
    others: list[Pair] = []
    for version in (4, 6):
        addresses = interesting_addresses(documents, version)
        owned = owned_addresses(addresses, documents)
        for one in owned:
            for other in addresses:
                if other in owned:
                    between_pods.append((one, other))
                else:
                    others += [(one, other), (other, one)]
    traffic = interesting_traffic(documents)
    third = limit // 3
    sample = dict.fromkeys(_sample(between_pods, mentioned_traffic(documents), third))
    sample |= dict.fromkeys(_sample(between_pods, traffic, third))
    sample |= dict.fromkeys(_sample(others, traffic, limit - len(sample)))
    return list(sample)


def interesting_addresses(documents: Iterable[Document], version: int) -> list[Address]:
    """Addresses of pods and nodes, ends of CIDRs and their outer neighbours, and one far from all."""
    objects = list(documents)
    networks = mentioned_networks([one for one in objects if one["kind"].endswith("NetworkPolicy")])
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


def interesting_traffic(documents: Sequence[Document]) -> list[tuple[int, int]]:
    """Protocol and port: mentioned ports and their neighbours in TCP, UDP and SCTP; some without ports."""
    mentioned = {UNMENTIONED_PORT, *(port for _, port in mentioned_traffic(documents))}
    ports = sorted({near for port in mentioned for near in (port - 1, port, port + 1) if near <= 65535})
    with_ports = [(protocol, port) for protocol in PROTOCOL_NUMBERS.values() for port in ports]
    return [*with_ports, *WITHOUT_PORTS]


def mentioned_traffic(documents: Sequence[Document]) -> list[tuple[int, int]]:
    """Protocol and port just as containers and rules write them, both ends of a range."""
    return list(dict.fromkeys(_written_ports(list(documents))))


def _sample(pairs: Sequence[Pair], traffic: Sequence[tuple[int, int]], limit: int) -> Iterator[Packet]:
    """An even sample of the pairs, each with all the traffic."""
    size = len(pairs) * len(traffic)
    for index in sorted(random.Random(0).sample(range(size), min(limit, size))):
        (source, destination), (protocol, port) = pairs[index // len(traffic)], traffic[index % len(traffic)]
        yield Packet(source, destination, protocol, port)


def _edges(first: Address, last: Address) -> Iterator[Address]:
    """The first and last address of a range, and those just outside where there are such."""
    yield first
    yield last
    if int(first) > 0:
        yield first - 1
    if int(last) + 1 < 1 << last.max_prefixlen:
        yield last + 1


def _written_ports(value: object, protocol: str = "TCP") -> Iterator[tuple[int, int]]:
    """Every protocol and port number written anywhere below a value, which is of a protocol."""
    match value:
        case dict():
            protocol = value.get("protocol") or protocol
            for key in ("containerPort", "port", "endPort", "number", "start", "end"):
                if isinstance(value.get(key), int):
                    yield PROTOCOL_NUMBERS[protocol], value[key]
            for key, child in value.items():
                yield from _written_ports(child, key.upper() if key.upper() in PROTOCOL_NUMBERS else protocol)
        case list():
            for child in value:
                yield from _written_ports(child, protocol)
