"""The conformance cases: what other projects expect of policies, in one form for every test.

Reads the folder that the environment variable NPC_CONFORMANCE names, or else `../shared/conformance` beside
the project. Matrices and lists of flows both become probes. The data stays where it is; where it is absent
there are no cases, and `requires_conformance_data` skips the tests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

import pytest
import yaml

from tests.reference.evaluator import PROTOCOL_NUMBERS, Packet
from tests.reference.manifests import (
    Address,
    Document,
    flattened,
    mentioned_networks,
    namespaced_name,
    of_kind,
    pod_addresses,
)

ANY_PROTOCOL: Final = "any"
PROJECT_ROOT: Final = Path(__file__).resolve().parents[2]
FIRST_ASSIGNED_ADDRESS: Final = IPv4Address("198.18.0.1")  # RFC 2544: benchmarking, so nobody's real address


@dataclass(frozen=True, slots=True)
class Probe:
    """One expectation: traffic from `src` to `dst`, each "namespace/pod" or "ip:ADDRESS", passes or does not.

    `protocol` is "TCP", "UDP", "SCTP" or "any"; `port` None stands for every port.
    """

    src: str
    dst: str
    protocol: str
    port: int | None
    allowed: bool


@dataclass(frozen=True, slots=True)
class Traffic:
    """Which connections pass. Where it came from a matrix, self pairs are left out."""

    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error of the API server: field path, and type such as "Invalid" or "Required"."""

    field: str
    type: str


@dataclass(frozen=True, slots=True)
class Validation:
    """Whether the API server accepts the policies, and its errors where it does not."""

    valid: bool
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class Defaults:
    """policyTypes of the one policy, after the API server's defaulting."""

    policy_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SelectorRow:
    """Whether a selector (None: no selector at all) selects labels."""

    name: str
    selector: dict[str, Any] | None
    labels: dict[str, str] | None
    match: bool


@dataclass(frozen=True, slots=True)
class SelectorTable:
    """Rows of label-selector truth."""

    rows: tuple[SelectorRow, ...]


Expectation: TypeAlias = Traffic | Validation | Defaults | SelectorTable
E = TypeVar("E", Traffic, Validation, Defaults, SelectorTable)


@dataclass(frozen=True, slots=True)
class Case(Generic[E]):
    """One conformance case.

    `plain`: no policies but NetworkPolicies. `disputed`: why the expectation must not be required, or None.
    """

    id: str
    category: str
    input: Path
    expectation: E
    plain: bool
    disputed: str | None

    @property
    def documents(self) -> list[Document]:
        """All manifests of the input, each pod `with_addresses`; read anew at every use."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        texts = (path.read_text(encoding="utf-8") for path in sorted(self.input.glob("*.yaml")))
        return with_addresses(document for text in texts for document in yaml.load_all(text, Loader=loader))


def conformance_folder() -> Path | None:
    """The folder with the cases, or None where there is none."""
    named = os.environ.get("NPC_CONFORMANCE")
    folder = Path(named) if named else PROJECT_ROOT.parent / "shared" / "conformance"
    return folder if folder.is_dir() else None


requires_conformance_data = pytest.mark.skipif(
    conformance_folder() is None,
    reason="no conformance data: neither NPC_CONFORMANCE nor ../shared/conformance is a folder",
)


def cases(kind: type[E]) -> list[Case[E]]:
    """Every case with an expectation of this kind, disputed ones included, ordered by id."""
    folder = conformance_folder()
    read = (_read_case(path.parent) for path in sorted(folder.glob("*/*/meta.json"))) if folder else ()
    return [cast("Case[E]", case) for case in read if isinstance(case.expectation, kind)]


def plain_network_policy_cases() -> list[Case[Traffic]]:
    """The undisputed cases of traffic under NetworkPolicies alone."""
    return [case for case in cases(Traffic) if case.plain and case.disputed is None]


def cluster_policy_cases() -> list[Case[Traffic]]:
    """The undisputed cases of traffic in which there are cluster policies."""
    return [case for case in cases(Traffic) if not case.plain and case.disputed is None]


def with_addresses(documents: Iterable[Document | None]) -> list[Document]:
    """The documents, lists flattened, with an address for each pod that has none.

    The addresses are the same at every call, belong to no other pod, and lie outside every CIDR that a policy
    mentions; CIDRs of a whole family are passed over, since nothing lies outside them.
    """
    objects = list(flattened(documents))
    policies = [document for document in objects if document["kind"].endswith("Policy")]
    networks = [network for network in mentioned_networks(policies) if network.prefixlen > 0]
    taken = {address for pod in of_kind("Pod", objects) for address in pod_addresses(pod)}
    free = (
        address
        for address in (FIRST_ASSIGNED_ADDRESS + offset for offset in range(1 << 16))
        if address not in taken and not any(address in network for network in networks)
    )
    return [
        _at_address(document, next(free))
        if document["kind"] == "Pod" and not pod_addresses(document)
        else document
        for document in objects
    ]


def probe_packets(probe: Probe, documents: Iterable[Document]) -> list[Packet]:
    """Packets that stand for a probe, in each family that both its ends have.

    "Any" protocol or port becomes a few of each: with no port given, "any" protocol includes ICMP and GRE.
    """
    pods = list(of_kind("Pod", documents))
    return [
        Packet(source, destination, protocol, port)
        for source in _peer_addresses(probe.src, pods)
        for destination in _peer_addresses(probe.dst, pods)
        if source.version == destination.version
        for protocol, port in _representative_traffic(probe, source.version)
    ]


def _representative_traffic(probe: Probe, version: int) -> Iterator[tuple[int, int]]:
    ports = (1, 80, 5000, 65535) if probe.port is None else (probe.port,)
    every = probe.protocol == ANY_PROTOCOL
    for protocol in PROTOCOL_NUMBERS.values() if every else (PROTOCOL_NUMBERS[probe.protocol],):
        for port in ports:
            yield protocol, port
    if every and probe.port is None:
        yield (1 if version == 4 else 58), 0  # ICMP, ICMPv6
        yield 47, 0  # GRE


def _peer_addresses(peer: str, pods: Iterable[Document]) -> tuple[Address, ...]:
    if peer.startswith("ip:"):
        return (ip_address(peer.removeprefix("ip:")),)
    return next(pod_addresses(pod) for pod in pods if "/".join(namespaced_name(pod)) == peer)


def _at_address(pod: Document, address: Address) -> Document:
    status = (pod.get("status") or {}) | {"podIP": str(address), "podIPs": [{"ip": str(address)}]}
    return pod | {"status": status}


def _read_case(folder: Path) -> Case[Any]:
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return Case(
        id=meta["id"],
        category=folder.parent.name,
        input=folder / "input",
        expectation=_expectation(json.loads((folder / "expect.json").read_text(encoding="utf-8"))),
        plain=meta["plain_networkpolicy_only"],
        disputed=meta.get("disputed"),
    )


def _expectation(written: dict[str, Any]) -> Expectation:
    match written["type"]:
        case "matrix":
            return Traffic(tuple(probe for row in written["probes"] for probe in _matrix_probes(row)))
        case "flows":
            return Traffic(
                tuple(
                    Probe(flow["src"], flow["dst"], flow["protocol"], _port(flow["port"]), flow["allowed"])
                    for flow in written["flows"]
                )
            )
        case "validation":
            errors = tuple(FieldError(error["field"], error["type"]) for error in written["errors"])
            return Validation(written["valid"], errors)
        case "defaults":
            return Defaults(tuple(written["policyTypes"]))
        case "selector_table":
            return SelectorTable(tuple(SelectorRow(**row) for row in written["rows"]))
        case unknown:
            raise ValueError(f"unknown type of expectation: {unknown}")


def _matrix_probes(row: dict[str, Any]) -> Iterator[Probe]:
    for outcome in ("allowed", "denied"):
        for src, dst in row[outcome]:
            yield Probe(src, dst, row["protocol"], _port(row["port"]), outcome == "allowed")


def _port(written: int | str) -> int | None:
    return None if written == "any" else int(written)
