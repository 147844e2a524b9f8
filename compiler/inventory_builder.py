"""From the inventory objects that were read to an `Inventory`: live endpoints, each with its own addresses.

Takes the objects with their origins, gives the inventory and the diagnostics of what is wrong with it or
was left out of it (E1-E4).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import NO_HOSTS, Family, format_address, is_mapped, parse_address
from npc.compiler.bystanders import bystander
from npc.compiler.container_ports import named_ports
from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.codes import Code
from npc.compiler.frontend.diagnostics import Diagnostic, Related, did_you_mean
from npc.compiler.frontend.documents import InventoryObject
from npc.compiler.frontend.names import (
    dns_label_fault,
    dns_subdomain_fault,
    label_key_fault,
    label_value_fault,
    port_name_fault,
)
from npc.compiler.frontend.shapes import describe, quoted
from npc.compiler.frontend.source import Origin, PathInDocument, format_path
from npc.compiler.inventory import (
    LAST_OVS_PORT,
    NAME_LABEL,
    Absence,
    Bystander,
    ContainerPort,
    Endpoint,
    Inventory,
    Node,
    Service,
)
from npc.compiler.target_ports import read_compact_target_ports, read_target_ports


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
    bystanders: list[Bystander] = field(default_factory=list)
    endpoints: dict[tuple[str, str], tuple[Endpoint, Origin, PathInDocument]] = field(default_factory=dict)
    """Each with where it was written, and the path from there to its name."""
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    services: dict[tuple[str, str], Service] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    """Where the namespaces, nodes and services were written, by what they are called in messages."""

    def add(self, one: InventoryObject, origin: Origin) -> None:
        match one:
            case schema.Object(kind="Pod"):
                self._pod(one, origin)
            case schema.Inventory():
                for key in ("namespaces", "nodes", "services", "endpoints"):
                    for index, entry in enumerate(getattr(one, key) or ()):
                        self.add(entry, origin.at(key, index))
            case schema.InventoryEndpoint():
                self._host(one, origin)
            case schema.InventoryNamespace(name=name, labels=labels):
                self._namespace(name, labels, origin, ())
            case schema.InventoryNode(name=name, labels=labels, addresses=texts):
                places: list[tuple[str, PathInDocument]] = [
                    (text, ("addresses", position)) for position, text in enumerate(texts or ())
                ]
                self._node(name, labels, places, origin, ())
            case schema.Object(kind="Namespace", metadata=metadata):
                self._namespace(metadata.name, metadata.labels, origin, ("metadata",))
            case schema.Object(kind="Node", metadata=metadata, status=status):
                places = [
                    (entry.address, ("status", "addresses", index, "address"))
                    for index, entry in enumerate((status and status.addresses) or ())
                    if entry.address and (entry.type in _IP_TYPES or _is_address(entry.address))
                ]
                self._node(metadata.name, metadata.labels, places, origin, ("metadata",))
            case schema.InventoryService():
                self._compact_service(one, origin)
            case schema.Object(kind="Service"):
                self._kubernetes_service(one, origin)

    def build(self, policy_namespaces: Iterable[str]) -> Inventory:
        self._check_addresses()
        used = {endpoint.namespace for endpoint, _, _ in self.endpoints.values()} | set(policy_namespaces)
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
            tuple(one[0] for _, one in sorted(self.endpoints.items(), key=lambda item: item[0])),
            {name: self.namespaces[name] for name in sorted(self.namespaces)},
            tuple(self.nodes[name] for name in sorted(self.nodes)),
            tuple(self.services[key] for key in sorted(self.services)),
            tuple(self.bystanders),
        )

    def _pod(self, pod: schema.Object, origin: Origin) -> None:
        metadata, spec, status = pod.metadata, pod.spec, pod.status
        namespace = metadata.namespace or "default"
        about = f"Pod {namespace}/{metadata.name}"
        phase = status.phase if status is not None else None
        if spec is not None and spec.host_network:
            self.bystanders.append(bystander(pod, Absence.HOST_NETWORK))
            self._leave_out(codes.HOST_NETWORK, about, "it is on the host's network", origin)
            return
        if phase in ("Succeeded", "Failed"):
            self.bystanders.append(bystander(pod, Absence.FINISHED))
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
            self.bystanders.append(bystander(pod, Absence.NO_ADDRESS))
            self._leave_out(codes.NO_ADDRESS, about, "it has no address", origin)
            return
        addresses = self._addresses(texts, about, origin)
        ports: tuple[ContainerPort, ...] = ()
        if spec is not None:
            try:
                ports = named_ports(spec)
            except ValueError:
                self._bad_ports(spec, about, origin)
        node = self._node_name((spec and spec.node_name) or "", about, origin, ("spec", "nodeName"))
        labels = self._labels(metadata.labels, about, origin, ("metadata", "labels"))
        text = metadata.annotations.ovs_port if metadata.annotations is not None else None
        ovs_port = self._ovs_port(text, about, origin, ("metadata", "annotations", "npc/ovs-port"))
        endpoint = Endpoint(namespace, metadata.name, labels, addresses, ports, node, ovs_port)
        self._endpoint(endpoint, about, origin, ("metadata",))

    def _host(self, host: schema.InventoryEndpoint, origin: Origin) -> None:
        namespace = host.namespace or "default"
        about = f"endpoint {namespace}/{host.name}"
        texts: list[tuple[str, PathInDocument]] = [
            (text, ("addresses", position)) for position, text in enumerate(host.addresses)
        ]
        if not texts:
            self._leave_out(codes.NO_ADDRESS, about, "it has no address", origin)
            return
        ports = tuple(
            port
            for name, value in (host.ports or {}).items()
            if (port := self._compact_port(name, value, about, origin)) is not None
        )
        labels = self._labels(host.labels, about, origin, ("labels",))
        addresses = self._addresses(texts, about, origin)
        node = self._node_name(host.node or "", about, origin, ("node",))
        text = None if host.ovs_port is None else str(host.ovs_port)
        ovs_port = self._ovs_port(text, about, origin, ("ovsPort",))
        endpoint = Endpoint(namespace, host.name, labels, addresses, ports, node, ovs_port)
        self._endpoint(endpoint, about, origin, ())

    def _ovs_port(self, text: str | None, about: str, origin: Origin, path: PathInDocument) -> int | None:
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= LAST_OVS_PORT:
            message = f"{quoted(text)} is not an OpenFlow port"
            self._error(origin.at(*path), about, message, f"1 to {LAST_OVS_PORT}")
            return None
        return int(text)

    def _node_name(self, name: str, about: str, origin: Origin, path: PathInDocument) -> str:
        if name and (fault := _node_name_fault(name)) is not None:
            self._error(origin.at(*path), about, f"{quoted(name)} is not a node's name", fault)
        return name

    def _bad_ports(self, spec: schema.Spec, about: str, origin: Origin) -> None:
        """Report what `_named_ports` could not read."""
        lists = (("containers", spec.containers), ("initContainers", spec.init_containers))
        for list_name, containers in lists:
            for index, container in enumerate(containers or ()):
                for position, port in enumerate(container.ports or ()):
                    at = origin.at("spec", list_name, index, "ports", position)
                    if not 1 <= port.container_port <= traffic.LAST_PORT:
                        message = f"{describe(port.container_port)} is not a port number"
                        self._error(at.at("containerPort"), about, message, "1 to 65535")
                    if port.protocol and port.protocol not in traffic.NUMBERS:
                        message = f"{quoted(port.protocol)} is not a protocol"
                        help = did_you_mean(port.protocol, traffic.NUMBERS)
                        self._error(at.at("protocol"), about, message, help)

    def _compact_port(self, name: str, value: int | str, about: str, origin: Origin) -> ContainerPort | None:
        """`8080` (TCP), or `53/udp`."""
        number, _, protocol = str(value).partition("/")
        known = traffic.NUMBERS.get(protocol.upper() or "TCP")
        if (fault := port_name_fault(name)) is not None:
            self._error(origin.at("ports").key(name), about, f"{quoted(name)} is not a port name", fault)
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
        if not _are_names(endpoint.name, endpoint.namespace):
            self._bad_names(endpoint.name, endpoint.namespace, about, origin, named_at)
            return
        key = endpoint.namespace, endpoint.name
        if key in self.endpoints:
            other, first, first_named_at = self.endpoints[key]
            same = other == endpoint
            self._again(about, origin.at(*named_at), first.at(*first_named_at), same=same)
        else:
            self.endpoints[key] = endpoint, origin, named_at

    def _namespace(
        self, name: str, labels: schema.Labels | None, origin: Origin, named_at: PathInDocument
    ) -> None:
        about = f"Namespace {name}"
        read = {**self._labels(labels, about, origin, (*named_at, "labels")), NAME_LABEL: name}
        if (fault := dns_label_fault(name)) is not None:
            self._no_name(name, "a namespace's name", about, origin.at(*named_at, "name"), fault)
            return
        self._once(about, origin.at(*named_at), same=self.namespaces.get(name) == read)
        self.namespaces[name] = read

    def _node(
        self,
        name: str,
        labels: schema.Labels | None,
        texts: list[tuple[str, PathInDocument]],
        origin: Origin,
        named_at: PathInDocument,
    ) -> None:
        about = f"Node {name}"
        addresses = tuple(self._parse(text, path, about, origin) for text, path in texts)
        node = Node(
            name,
            self._labels(labels, about, origin, (*named_at, "labels")),
            tuple(sorted({address for address in addresses if address is not None})),
        )
        if (fault := _node_name_fault(name)) is not None:
            self._no_name(name, "a node's name", about, origin.at(*named_at, "name"), fault)
            return
        self._once(about, origin.at(*named_at), same=self.nodes.get(name) == node)
        self.nodes[name] = node

    def _kubernetes_service(self, service: schema.Object, origin: Origin) -> None:
        metadata, spec = service.metadata, service.spec or schema.Spec()
        namespace = metadata.namespace or "default"
        about = f"Service {namespace}/{metadata.name}"
        selector = self._labels(spec.selector, about, origin, ("spec", "selector"))
        report = self._report_at(about, origin.at("spec", "ports"))
        ports = tuple(read_target_ports(spec.ports or (), report))
        self._service(Service(namespace, metadata.name, selector, ports), about, origin, ("metadata",))

    def _compact_service(self, service: schema.InventoryService, origin: Origin) -> None:
        namespace = service.namespace or "default"
        about = f"Service {namespace}/{service.name}"
        selector = self._labels(dict(service.selector), about, origin, ("selector",))
        if not selector:
            help = "name labels of the endpoints behind the Service"
            self._error(origin.at("selector"), about, "the selector is empty, and selects none", help)
        if not service.target_ports:
            help = "name the ports at which the endpoints serve"
            self._error(origin.at("targetPorts"), about, "a Service without ports reaches nobody", help)
        report = self._report_at(about, origin.at("targetPorts"))
        ports = tuple(read_compact_target_ports(service.target_ports, report))
        self._service(Service(namespace, service.name, selector, ports), about, origin, ())

    def _service(self, service: Service, about: str, origin: Origin, named_at: PathInDocument) -> None:
        if not _are_names(service.name, service.namespace):
            self._bad_names(service.name, service.namespace, about, origin, named_at)
            return
        key = service.namespace, service.name
        self._once(about, origin.at(*named_at), same=self.services.get(key) == service)
        self.services[key] = service

    def _report_at(self, about: str, origin: Origin) -> Callable[[PathInDocument, str, str], None]:
        """Reports errors of an object, each at a path below an origin."""
        return lambda path, message, help: self._error(origin.at(*path), about, message, help)

    def _labels(
        self, labels: schema.Labels | None, about: str, origin: Origin, path: PathInDocument
    ) -> Mapping[str, str]:
        if not labels:
            return _NO_LABELS
        if labels.items() <= self.valid_labels:
            return labels  # type: ignore[return-value]  # no valid label has the value None
        for label in labels.items():
            key, value = label
            if (fault := label_key_fault(key)) is not None:
                self._error(origin.at(*path).key(key), about, f"{quoted(key)} is not a label key", fault)
            elif (fault := label_value_fault(value or "")) is not None:
                message = f"{quoted(value or '')} is not a label value"
                self._error(origin.at(*path, key), about, message, fault)
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
            self._second_of_a_family(texts, about, origin)
        return addresses

    def _second_of_a_family(
        self, texts: list[tuple[str, PathInDocument]], about: str, origin: Origin
    ) -> None:
        firsts: dict[Family, int] = {}
        for text, path in texts:
            address = parse_address(text)
            if firsts.setdefault(Family.of(address), address) != address:
                self._error(
                    origin.at(*path),
                    about,
                    "a second address of one family",
                    "an endpoint has one IPv4 address, one IPv6 address, or one of each",
                )
                return

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
            return None
        if address in NO_HOSTS:
            self._error(
                origin.at(*path), about, f"{quoted(text)} is no host's address", "a unicast one like 10.0.0.1"
            )
            return None
        return address

    def _check_addresses(self) -> None:
        """E2: an address belongs to one live endpoint."""
        owners: dict[int, Endpoint] = {}
        for endpoint, origin, named_at in self.endpoints.values():
            for address in endpoint.addresses:
                other = owners.setdefault(address, endpoint)
                if other is not endpoint:
                    _, first, first_named_at = self.endpoints[other.namespace, other.name]
                    self.diagnostics.append(
                        Diagnostic(
                            codes.DUPLICATE_ADDRESS,
                            f"{other} and {endpoint} both have the address {format_address(address)}",
                            origin.at(*_ADDRESSES_AT[named_at]),
                            help="one of the records is stale: rules for one would hit the other",
                            related=(
                                Related(first.at(*_ADDRESSES_AT[first_named_at]), f"{other} has it here"),
                            ),
                        )
                    )

    def _bad_names(
        self, name: str, namespace: str, about: str, origin: Origin, named_at: PathInDocument
    ) -> None:
        """Report what is wrong with a name or a namespace."""
        if (fault := dns_subdomain_fault(name)) is not None:
            self._no_name(name, "a name", about, origin.at(*named_at, "name"), fault)
        if (fault := dns_label_fault(namespace)) is not None:
            self._no_name(namespace, "a namespace's name", about, origin.at(*named_at, "namespace"), fault)

    def _no_name(self, name: str, expected: str, about: str, origin: Origin, fault: str) -> None:
        self._error(origin, about, f"{quoted(name)} is not {expected}", fault)

    def _once(self, about: str, origin: Origin, *, same: bool) -> None:
        """Note where an object is written; report it when it was before."""
        first = self.origins.setdefault(about, origin)
        if first is not origin:
            self._again(about, origin, first, same=same)

    def _again(self, about: str, origin: Origin, first: Origin, *, same: bool) -> None:
        code = codes.REPEATED if same else codes.DUPLICATE_OBJECT
        message = f"the {about} stands in the input twice" + ("" if same else ", and differs")
        related = (Related(first.at("name"), "first here"),)
        self.diagnostics.append(Diagnostic(code, message, origin.at("name"), related=related))

    def _leave_out(self, code: Code, about: str, why: str, origin: Origin) -> None:
        self.diagnostics.append(Diagnostic(code, f"{about[:_LONGEST_ABOUT]} is left out: {why}", origin))

    def _error(self, origin: Origin, about: str, message: str, help: str = "") -> None:
        path = origin.path
        while path[:1] == ("items",):  # as for policies, the path within the object
            path = path[2:]
        about = about[:_LONGEST_ABOUT].strip()
        self.diagnostics.append(
            Diagnostic(codes.INVALID_INVENTORY, message, origin, format_path(path), help=help, about=about)
        )


_LONGEST_ABOUT = 200
"""Characters of what an object is called in a message."""

_ADDRESSES_AT: Mapping[PathInDocument, PathInDocument] = {
    ("metadata",): ("status", "podIP"),
    (): ("addresses",),
}
"""Where an endpoint's addresses are, by where its name is."""

_node_name_fault = lru_cache(maxsize=65536)(dns_subdomain_fault)
"""Cached: many pods name one node."""

_IP_TYPES = (None, "InternalIP", "ExternalIP")
"""Of a node's addresses, those that must be IP addresses; a Hostname may be one."""

_NO_LABELS: Mapping[str, str] = {}


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except ValueError:
        return False
    return True


def _are_names(name: str, namespace: str) -> bool:
    """Whether an object's name and its namespace's are such."""
    return dns_subdomain_fault(name) is None and dns_label_fault(namespace) is None
