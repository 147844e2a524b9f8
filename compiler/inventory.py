"""The cluster as policies see it: endpoints, namespaces, nodes and services (E1-E4).

Takes the inventory objects that were read, gives an `Inventory` whose endpoints are sorted by
namespace and name, each live and with its own addresses, and the diagnostics of what was left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address, is_mapped, parse_address
from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.codes import Code
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.documents import InventoryObject
from npc.compiler.frontend.names import (
    dns_label_fault,
    dns_subdomain_fault,
    label_key_fault,
    label_value_fault,
    port_name_fault,
)
from npc.compiler.frontend.shapes import quoted
from npc.compiler.frontend.source import Origin, PathInDocument, format_path

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that every namespace has, with its name (E4)."""


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A port that a pod names (P10)."""

    name: str
    protocol: int
    number: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A live pod or host: what packets come from and go to."""

    namespace: str
    name: str
    labels: Mapping[str, str] = field(hash=False)
    addresses: tuple[int, ...]
    """One or two, on the number line, IPv4 first (E3)."""
    ports: tuple[ContainerPort, ...] = ()
    node: str = ""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    labels: Mapping[str, str] = field(hash=False)
    addresses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """A Service's selector and its ports by name: what stands behind it."""

    namespace: str
    name: str
    selector: Mapping[str, str] = field(hash=False)
    ports: tuple[schema.ServicePort, ...] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Inventory:
    """Endpoints sorted by (namespace, name); namespaces by name with all their labels."""

    endpoints: tuple[Endpoint, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    services: tuple[Service, ...] = ()

    def node_names(self) -> set[str]:
        """Every node that is listed or that an endpoint runs on."""
        return {node.name for node in self.nodes} | {one.node for one in self.endpoints if one.node}


def build_inventory(
    objects: Iterable[tuple[InventoryObject, Origin]], policy_namespaces: Iterable[str] = ()
) -> tuple[Inventory, list[Diagnostic]]:
    """The inventory, and what is wrong with it or was left out of it.

    `policy_namespaces` exist even where the inventory does not list them (E4).
    """
    builder = _Builder()
    for one, origin in objects:
        builder.add(one, origin)
    return builder.build(policy_namespaces), builder.diagnostics


@dataclass(slots=True)
class _Builder:
    diagnostics: list[Diagnostic] = field(default_factory=list)
    valid_labels: set[tuple[str, str | None]] = field(default_factory=set)
    """Labels that were looked at already: most pods share theirs."""
    endpoints: dict[tuple[str, str], tuple[Endpoint, Origin]] = field(default_factory=dict)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    services: dict[tuple[str, str], Service] = field(default_factory=dict)
    origins: dict[tuple[str, str, str], Origin] = field(default_factory=dict)

    def add(self, one: InventoryObject, origin: Origin) -> None:
        match one:
            case schema.Inventory():
                self._compact(one, origin)
            case schema.Object(kind="Pod"):
                self._pod(one, origin)
            case schema.Object(kind="Namespace", metadata=metadata):
                self._namespace(metadata.name, metadata.labels, origin, ("metadata",))
            case schema.Object(kind="Node", metadata=metadata, status=status):
                listed: list[tuple[str, PathInDocument]] = [
                    (entry.address, ("status", "addresses", index, "address"))
                    for index, entry in enumerate((status and status.addresses) or ())
                    if entry.address and entry.type in (None, "InternalIP", "ExternalIP")
                ]
                self._node(metadata.name, metadata.labels, listed, origin, ("metadata",))
            case schema.Object(kind="Service"):
                self._service(one, origin)

    def build(self, policy_namespaces: Iterable[str]) -> Inventory:
        self._check_addresses()
        used = {endpoint.namespace for endpoint, _ in self.endpoints.values()} | set(policy_namespaces)
        if self.endpoints or self.namespaces:
            for name in sorted(used - self.namespaces.keys()):
                self.diagnostics.append(
                    Diagnostic(
                        codes.UNLISTED_NAMESPACE,
                        f"the namespace {name} is not in the inventory; it has no label but its name",
                    )
                )
        for name in used:
            self.namespaces.setdefault(name, {NAME_LABEL: name})
        return Inventory(
            tuple(endpoint for _, (endpoint, _) in sorted(self.endpoints.items(), key=lambda item: item[0])),
            {name: self.namespaces[name] for name in sorted(self.namespaces)},
            tuple(self.nodes[name] for name in sorted(self.nodes)),
            tuple(self.services[key] for key in sorted(self.services)),
        )

    def _pod(self, pod: schema.Object, origin: Origin) -> None:
        metadata, spec, status = pod.metadata, pod.spec, pod.status
        namespace = metadata.namespace or "default"
        about = f"Pod {namespace}/{metadata.name}"
        phase = status.phase if status is not None else None
        if spec is not None and spec.host_network:
            self._leave_out(codes.HOST_NETWORK, about, "it is on the host's network", origin)
            return
        if phase in ("Succeeded", "Failed"):
            self._leave_out(codes.FINISHED, about, f"its phase is {phase}", origin)
            return
        texts: list[tuple[str, PathInDocument]] = []
        if status is not None:
            for index, entry in enumerate(status.pod_IPs or ()):
                if entry.ip:
                    texts.append((entry.ip, ("status", "podIPs", index, "ip")))
            if not texts and status.pod_IP:
                texts.append((status.pod_IP, ("status", "podIP")))
        if not texts:
            self._leave_out(codes.NO_ADDRESS, about, "it has no address", origin)
            return
        addresses = self._addresses(texts, about, origin)
        ports: tuple[ContainerPort, ...] = ()
        if spec is not None:
            try:
                ports = _named_ports(spec)
            except ValueError:
                self._bad_ports(spec, about, origin)
        node = self._node_name((spec and spec.node_name) or "", about, origin, ("spec", "nodeName"))
        labels = self._labels(metadata.labels, about, origin, ("metadata", "labels"))
        self._endpoint(
            Endpoint(namespace, metadata.name, labels, addresses, ports, node), about, origin, ("metadata",)
        )

    def _compact(self, inventory: schema.Inventory, origin: Origin) -> None:
        for index, space in enumerate(inventory.namespaces or ()):
            self._namespace(space.name, space.labels, origin.at("namespaces", index), ())
        for index, node in enumerate(inventory.nodes or ()):
            listed: list[tuple[str, PathInDocument]] = [
                (text, ("addresses", position)) for position, text in enumerate(node.addresses or ())
            ]
            self._node(node.name, node.labels, listed, origin.at("nodes", index), ())
        for index, host in enumerate(inventory.endpoints or ()):
            at = origin.at("endpoints", index)
            namespace = host.namespace or "default"
            about = f"endpoint {namespace}/{host.name}"
            texts: list[tuple[str, PathInDocument]] = [
                (text, ("addresses", position)) for position, text in enumerate(host.addresses)
            ]
            if not texts:
                self._leave_out(codes.NO_ADDRESS, about, "it has no address", at)
                continue
            ports = tuple(
                port
                for name, value in (host.ports or {}).items()
                if (port := self._compact_port(name, value, about, at)) is not None
            )
            labels = self._labels(host.labels, about, at, ("labels",))
            addresses = self._addresses(texts, about, at)
            node_name = self._node_name(host.node or "", about, at, ("node",))
            endpoint = Endpoint(namespace, host.name, labels, addresses, ports, node_name)
            self._endpoint(endpoint, about, at, ())

    def _node_name(self, name: str, about: str, origin: Origin, path: PathInDocument) -> str:
        if name and (fault := _node_name_fault(name)) is not None:
            self._error(origin.at(*path), about, f"{quoted(name)} is not a node's name", fault)
        return name

    def _bad_ports(self, spec: schema.Spec, about: str, origin: Origin) -> None:
        lists = (("containers", spec.containers), ("initContainers", spec.init_containers))
        for list_name, containers in lists:
            for index, container in enumerate(containers or ()):
                for position, port in enumerate(container.ports or ()):
                    if not 1 <= port.container_port <= traffic.LAST_PORT:
                        path = ("spec", list_name, index, "ports", position, "containerPort")
                        message = f"{port.container_port} is not a port number"
                        self._error(origin.at(*path), about, message, "1 to 65535")

    def _compact_port(self, name: str, value: int | str, about: str, origin: Origin) -> ContainerPort | None:
        """`8080` (TCP), or `53/udp`."""
        number, _, protocol = str(value).partition("/")
        known = traffic.NUMBERS.get(protocol.upper() or "TCP")
        if port_name_fault(name) is not None:
            self._error(origin.at("ports").key(name), about, f"{quoted(name)} is not a port name")
        elif (
            known is None
            or not re.fullmatch(r"[0-9]{1,5}(/[a-zA-Z]+)?", str(value))
            or not 1 <= int(number) <= traffic.LAST_PORT
        ):
            self._error(
                origin.at("ports", name),
                about,
                f"{quoted(str(value))} is not a port",
                help="a number from 1 to 65535, and a protocol where it is not TCP: 53/udp",
            )
        else:
            return ContainerPort(name, known, int(number))
        return None

    def _endpoint(self, endpoint: Endpoint, about: str, origin: Origin, named_at: PathInDocument) -> None:
        self._check_name(endpoint.name, about, origin, named_at)
        if (fault := dns_label_fault(endpoint.namespace)) is not None:
            message = f"{quoted(endpoint.namespace)} is not a namespace's name"
            self._error(origin.at(*named_at, "namespace"), about, message, fault)
        key = endpoint.namespace, endpoint.name
        if key in self.endpoints:
            other, first = self.endpoints[key]
            self._again(about, origin, first, same=other == endpoint and other.labels == endpoint.labels)
        else:
            self.endpoints[key] = endpoint, origin

    def _namespace(
        self, name: str, labels: schema.Labels | None, origin: Origin, named_at: PathInDocument
    ) -> None:
        about = f"Namespace {name[:80]}"
        if (fault := dns_label_fault(name)) is not None:
            message = f"{quoted(name)} is not a namespace's name"
            self._error(origin.at(*named_at, "name"), about, message, fault)
        read = {**self._labels(labels, about, origin, (*named_at, "labels")), NAME_LABEL: name}
        if name in self.namespaces:
            first = self.origins["Namespace", "", name]
            self._again(about, origin, first, same=self.namespaces[name] == read)
        self.namespaces[name] = read
        self.origins["Namespace", "", name] = origin

    def _node(
        self,
        name: str,
        labels: schema.Labels | None,
        texts: list[tuple[str, PathInDocument]],
        origin: Origin,
        named_at: PathInDocument,
    ) -> None:
        about = f"Node {name[:80]}"
        self._check_name(name, about, origin, named_at)
        addresses = tuple(self._parse(text, path, about, origin) for text, path in texts)
        node = Node(
            name,
            self._labels(labels, about, origin, (*named_at, "labels")),
            tuple(sorted({address for address in addresses if address is not None})),
        )
        if name in self.nodes:
            same = self.nodes[name] == node
            self._again(about, origin, self.origins["Node", "", name], same=same)
        self.nodes[name] = node
        self.origins["Node", "", name] = origin

    def _service(self, service: schema.Object, origin: Origin) -> None:
        metadata, spec = service.metadata, service.spec or schema.Spec()
        namespace = metadata.namespace or "default"
        about = f"Service {namespace}/{metadata.name}"
        self._check_name(metadata.name, about, origin, ("metadata",))
        selector = self._labels(spec.selector, about, origin, ("spec", "selector"))
        key = namespace, metadata.name
        read = Service(namespace, metadata.name, selector, tuple(spec.ports or ()))
        if key in self.services:
            first = self.origins["Service", *key]
            self._again(about, origin, first, same=self.services[key] == read)
        self.services[key] = read
        self.origins["Service", *key] = origin

    def _labels(
        self, labels: schema.Labels | None, about: str, origin: Origin, path: PathInDocument
    ) -> Mapping[str, str]:
        if not labels:
            return _NO_LABELS
        if labels.items() <= self.valid_labels:
            return labels  # type: ignore[return-value]  # no valid label has the value None
        for label in labels.items():
            key, value = label
            if (fault := label_key_fault(key) or label_value_fault(value or "")) is not None:
                self._error(origin.at(*path, key), about, f"{quoted(key)} is not a label", fault)
            elif value is not None:
                self.valid_labels.add(label)
        if None in labels.values():
            return {key: value or "" for key, value in labels.items()}
        return labels  # type: ignore[return-value]  # no value is None

    def _addresses(
        self, texts: list[tuple[str, PathInDocument]], about: str, origin: Origin
    ) -> tuple[int, ...]:
        """One address of each family at most, IPv4 first (E3)."""
        if len(texts) == 1:
            address = self._parse(*texts[0], about, origin)
            return () if address is None else (address,)
        read = {self._parse(text, path, about, origin) for text, path in texts}
        addresses = tuple(sorted(address for address in read if address is not None))
        if len({Family.of(address) for address in addresses}) < len(addresses):
            path = texts[-1][1]
            self._error(
                origin.at(*path),
                about,
                "two addresses of one family",
                "an endpoint has one IPv4 address, one IPv6 address, or one of each",
            )
        return addresses

    def _parse(self, text: str, path: PathInDocument, about: str, origin: Origin) -> int | None:
        try:
            address = parse_address(text)
        except ValueError:
            self._error(
                origin.at(*path), about, f"{quoted(text)} is not an IP address", "like 10.0.0.1 or fd00::1"
            )
            return None
        if is_mapped(address):
            self._error(
                origin.at(*path), about, f"{quoted(text)} is an IPv4 address in IPv6 form", "write it as IPv4"
            )
        return address

    def _check_addresses(self) -> None:
        """E2: an address belongs to one live endpoint."""
        owners: dict[int, Endpoint] = {}
        for endpoint, origin in self.endpoints.values():
            for address in endpoint.addresses:
                other = owners.setdefault(address, endpoint)
                if other is not endpoint:
                    first = self.endpoints[other.namespace, other.name][1]
                    self.diagnostics.append(
                        Diagnostic(
                            codes.DUPLICATE_ADDRESS,
                            f"{other} and {endpoint} both have the address {format_address(address)}",
                            origin,
                            help="one of the records is stale: rules for one would hit the other",
                            related=(Related(first, f"{other} is here"),),
                        )
                    )

    def _check_name(self, name: str, about: str, origin: Origin, named_at: PathInDocument) -> None:
        if (fault := dns_subdomain_fault(name)) is not None:
            self._error(origin.at(*named_at, "name"), about, f"{quoted(name)} is not an object's name", fault)

    def _again(self, about: str, origin: Origin, first: Origin, *, same: bool) -> None:
        code = codes.REPEATED if same else codes.DUPLICATE_OBJECT
        message = f"{about} stands in the input twice" + ("" if same else ", and differs")
        related = (Related(first, "first here"),)
        self.diagnostics.append(Diagnostic(code, message, origin, about=about, related=related))

    def _leave_out(self, code: Code, about: str, why: str, origin: Origin) -> None:
        self.diagnostics.append(Diagnostic(code, f"{about} is left out: {why}", origin))

    def _error(self, origin: Origin, about: str, message: str, help: str = "") -> None:
        self.diagnostics.append(
            Diagnostic(
                codes.INVALID_INVENTORY, message, origin, format_path(origin.path), help=help, about=about
            )
        )


_node_name_fault = lru_cache(maxsize=65536)(dns_subdomain_fault)
"""Cached: many pods name one node."""

_NO_LABELS: Mapping[str, str] = {}


def _named_ports(spec: schema.Spec) -> tuple[ContainerPort, ...]:
    """The named ports of regular containers and of restartable init containers (P10).

    ValueError when a number is none of a port.
    """
    ports: list[ContainerPort] = []
    for container in spec.containers or ():
        if container.ports:
            ports.extend(_ports_of(container))
    for container in spec.init_containers or ():
        if container.restart_policy == "Always":
            ports.extend(_ports_of(container))
    return tuple(dict.fromkeys(ports)) if len(ports) > 1 else tuple(ports)


def _ports_of(container: schema.Container) -> Iterable[ContainerPort]:
    for port in container.ports or ():
        protocol = traffic.NUMBERS.get(port.protocol or "TCP")
        if port.name and protocol is not None:
            yield _interned(port.name, protocol, port.container_port)


@lru_cache(maxsize=65536)
def _interned(name: str, protocol: int, number: int) -> ContainerPort:
    """Pods of one workload share their ports. ValueError: `number` is no port's."""
    if not 1 <= number <= traffic.LAST_PORT:
        raise ValueError(number)
    return ContainerPort(name, protocol, number)
