"""Cases of tiers: policies, and what becomes of packets, written side by side in `tiers/*.txt`.

    === name of the case
    policies, in the policy language or as YAML
    ---
    allowed       a, b -> web: tcp/80 udp/80 icmp
    denied v4     203.0.113.9 -> web, db: tcp/80
    logged "dev " a -> web: tcp/80

Every source to every destination but itself, in both families that both have, unless `v4` or `v6` says
which; `web -> web` is a hairpin, through a Service. `icmp` is an echo request. Where packets are logged, all
others of the case must not be. The cluster is always the same: `CLUSTER`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import product
from pathlib import Path
from typing import Final

import yaml

from npc.compiler.frontend.source import Source
from tests.dataplane.probe import Probe, Protocol
from tests.dataplane.topology import Address, Host
from tests.reference.evaluator import Packet

FOLDER: Final = Path(__file__).parent / "tiers"
_CASE, _EXPECT = "=== ", "\n---\n"
_LINE: Final = re.compile(
    r'(?P<verb>allowed|denied|logged "(?P<prefix>[^"]*)")(?: v(?P<version>[46]))?\s+'
    r"(?P<sources>.+) -> (?P<destinations>.+): (?P<traffic>.+)"
)

PODS: Final[Mapping[str, tuple[Address, ...]]] = {
    "web": (ip_address("10.0.0.1"), ip_address("fd00::1")),
    "db": (ip_address("10.0.0.2"), ip_address("fd00::2")),
    "a": (ip_address("10.0.1.1"), ip_address("fd00:1::1")),
    "b": (ip_address("10.0.1.2"), ip_address("fd00:1::2")),
    "mon": (ip_address("10.0.2.1"), ip_address("fd00:2::1")),
}
NODES: Final[Mapping[str, tuple[Address, ...]]] = {
    "n2": (ip_address("192.168.7.2"), ip_address("fd07::2")),
    "n3": (ip_address("192.168.7.3"), ip_address("fd07::3")),
}
WORLD: Final = tuple(map(ip_address, ("203.0.113.9", "203.0.113.10", "198.51.100.7", "2001:db8::9")))
HOSTS: Final = tuple(Host(name, addresses) for name, addresses in {**PODS, **NODES}.items())
SERVICES: Final[Mapping[Address, Address]] = {
    address: ip_address(f"10.96.0.{number}" if address.version == 4 else f"fd96::{number:x}")
    for number, addresses in enumerate(PODS.values(), start=1)
    for address in addresses
}
"""The Service of each pod's address."""

CLUSTER: Final = """
kind: List
apiVersion: v1
items:
- {kind: Namespace, apiVersion: v1, metadata: {name: prod, labels: {env: prod}}}
- {kind: Namespace, apiVersion: v1, metadata: {name: dev, labels: {env: dev}}}
- {kind: Namespace, apiVersion: v1, metadata: {name: ops}}
- kind: Node
  apiVersion: v1
  metadata: {name: n1}
  status: {addresses: [{type: InternalIP, address: 100.64.0.1}, {type: InternalIP, address: 'fd64::1'}]}
- kind: Node
  apiVersion: v1
  metadata: {name: n2, labels: {role: worker}}
  status: {addresses: [{type: InternalIP, address: 192.168.7.2}, {type: InternalIP, address: 'fd07::2'}]}
- kind: Node
  apiVersion: v1
  metadata: {name: n3, labels: {role: edge}}
  status: {addresses: [{type: InternalIP, address: 192.168.7.3}, {type: InternalIP, address: 'fd07::3'}]}
- kind: Pod
  apiVersion: v1
  metadata: {name: agent, namespace: ops, labels: {app: agent}}
  spec: {nodeName: n2, hostNetwork: true}
  status: {phase: Running, podIPs: [{ip: 192.168.7.2}, {ip: 'fd07::2'}]}
"""
_NAMED_PORTS: Final[Mapping[str, tuple[str, int]]] = {"web": ("TCP", 80), "db": ("TCP", 81), "a": ("UDP", 80)}
"""What each pod calls http."""
_NAMESPACES: Final = {"web": "prod", "db": "prod", "a": "dev", "b": "dev", "mon": "ops"}


@dataclass(frozen=True, slots=True)
class Case:
    """Policies; for each packet whether it passes; and which are logged, with which prefix."""

    name: str
    policies: str
    passes: Mapping[Probe, bool]
    logged: frozenset[tuple[str, Probe]]

    @property
    def sources(self) -> list[Source]:
        """The policies and the cluster."""
        suffix = "yaml" if self.policies.startswith("apiVersion:") else "npc"
        return [
            Source("cluster.yaml", content=CLUSTER.encode()),
            Source("pods.yaml", content=yaml.safe_dump_all(map(_pod, PODS)).encode()),
            Source(f"policies.{suffix}", content=self.policies.encode()),
        ]


def cases() -> list[Case]:
    """Every case of every file."""
    return [case for path in sorted(FOLDER.glob("*.txt")) for case in _read(path.read_text(encoding="utf-8"))]


def packet(probe: Probe) -> Packet:
    """What policies are asked about: the packet behind a Service, which goes to the pod that it came from."""
    kinds = {4: (1, 0x0800), 6: (58, 0x8000)}
    protocol, port = {
        "tcp": (6, probe.port),
        "udp": (17, probe.port),
        "sctp": (132, probe.port),
        "icmp": kinds[probe.source.version],
    }[probe.protocol]
    return Packet(probe.source, probe.answering, protocol, port)


def _pod(name: str) -> dict[str, object]:
    ports = []
    if name in _NAMED_PORTS:
        protocol, number = _NAMED_PORTS[name]
        ports = [{"name": "http", "protocol": protocol, "containerPort": number}]
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": _NAMESPACES[name], "labels": {"app": name}},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "ports": ports}]},
        "status": {"phase": "Running", "podIPs": [{"ip": str(address)} for address in PODS[name]]},
    }


def _read(text: str) -> Iterator[Case]:
    for one in text.split(_CASE)[1:]:
        name, _, body = one.partition("\n")
        policies, _, expected = body.partition(_EXPECT)
        passes: dict[Probe, bool] = {}
        logged: set[tuple[str, Probe]] = set()
        for line in filter(None, expected.splitlines()):
            match = _LINE.fullmatch(line)
            if match is None:
                raise ValueError(f"{name}: {line}")
            for probe in _probes(match):
                if match["prefix"] is not None:
                    logged.add((match["prefix"], probe))
                elif passes.setdefault(probe, match["verb"] == "allowed") != (match["verb"] == "allowed"):
                    raise ValueError(f"{name}: both allowed and denied: {line}")
        if missing := {probe for _, probe in logged} - passes.keys():
            raise ValueError(f"{name}: logged, but neither allowed nor denied: {missing}")
        yield Case(name, f"{policies}\n", passes, frozenset(logged))


def _probes(line: re.Match[str]) -> Iterator[Probe]:
    sources, destinations = (line[key].split(", ") for key in ("sources", "destinations"))
    pairs = [pair for pair in product(sources, destinations) if pair[0] != pair[1]] or [(sources[0],) * 2]
    versions = (int(line["version"]),) if line["version"] else (4, 6)
    for source, destination in pairs:
        for one, other in product(_addresses(source), _addresses(destination)):
            if one.version == other.version and one.version in versions:
                for word in line["traffic"].split():
                    yield _probe(one, other, word)


def _probe(source: Address, destination: Address, word: str) -> Probe:
    name, _, port = word.partition("/")
    protocol: Protocol
    match name:
        case "tcp" | "udp" | "sctp" | "icmp":
            protocol = name
        case _:
            raise ValueError(f"no protocol: {word}")
    if source == destination:
        return Probe(source, SERVICES[source], protocol, int(port or 0), behind=source)
    return Probe(source, destination, protocol, int(port or 0))


def _addresses(name: str) -> tuple[Address, ...]:
    found = PODS.get(name) or NODES.get(name)
    return found or (ip_address(name),)
