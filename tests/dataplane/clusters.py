"""Clusters as networks: manifests' pods as hosts, the reference evaluator's packets as probes."""

from __future__ import annotations

from collections.abc import Iterable

from tests.dataplane.probe import Probe, Protocol
from tests.dataplane.topology import Host
from tests.reference.evaluator import Packet
from tests.reference.manifests import Document, namespaced_name, of_kind, pod_addresses

PROTOCOLS: dict[int, Protocol] = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp", 132: "sctp"}
"""What the harness can probe, by protocol number."""


def hosts_of(documents: Iterable[Document]) -> list[Host]:
    """The live pods that have addresses of their own, as hosts (E1)."""
    return [
        Host("/".join(namespaced_name(pod)), tuple(pod_addresses(pod)))
        for pod in of_kind("Pod", documents)
        if not pod["spec"].get("hostNetwork")
        and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
        and tuple(pod_addresses(pod))
    ]


def as_probe(packet: Packet) -> Probe | None:
    """The packet as a probe; None for what the harness cannot send."""
    protocol = PROTOCOLS.get(packet.protocol)
    if protocol is None:
        return None
    port = 0 if protocol == "icmp" else packet.port
    return Probe(packet.source, packet.destination, protocol, port)
