"""From the inventory objects that were read to an `Inventory`: live endpoints, each with its own addresses.

Takes the objects with their origins, gives the inventory and the diagnostics of what is wrong with it or
was left out of it (E1-E4).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from npc.compiler.algebra.addresses import Cidr, parse_address, parse_cidr
from npc.compiler.bystanders import bystander
from npc.compiler.container_ports import named_ports
from npc.compiler.endpoint_list import EndpointList, repeated
from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.codes import Code
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.documents import Collected, InventoryObject
from npc.compiler.frontend.names import (
    dns_label_fault,
)
from npc.compiler.frontend.owners import controller_of
from npc.compiler.frontend.plain_pods import PlainPods
from npc.compiler.frontend.source import Origin, PathInDocument
from npc.compiler.inventory import (
    NAME_LABEL,
    Absence,
    Bystander,
    ContainerPort,
    Endpoint,
    Inventory,
    Node,
    Service,
)
from npc.compiler.inventory_fields import LONGEST_ABOUT, FieldReader, are_names, node_name_fault
from npc.compiler.service_addresses import service_addresses
from npc.compiler.target_ports import read_compact_target_ports, read_target_ports


def build_inventory(
    objects: Iterable[Collected], policy_namespaces: Iterable[str] = ()
) -> tuple[Inventory, list[Diagnostic]]:
    """The inventory, and what is wrong with it or was left out of it.

    `policy_namespaces` exist even where the inventory does not list them (E4).
    """
    builder = _Builder()
    for one in objects:
        if isinstance(one, PlainPods):
            builder.add_list(one)
        else:
            builder.add(*one)
    return builder.build(policy_namespaces), builder.fields.diagnostics


@dataclass(slots=True)
class _Builder:
    fields: FieldReader = field(default_factory=FieldReader)
    endpoints: EndpointList = field(default_factory=EndpointList)
    bystanders: list[Bystander] = field(default_factory=list)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    services: dict[tuple[str, str], Service] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    """Where the namespaces, nodes and services were written, by what they are called in messages."""

    def add_list(self, pods: PlainPods) -> None:
        """Add what is in a list: endpoints, and all other objects one by one."""
        self.endpoints.extend(pods)
        for number, one in pods.others:
            self.add(one, pods.origin.at("items", number))

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
            case schema.Object(kind="Node", metadata=metadata, spec=spec, status=status):
                places = [
                    (entry.address, ("status", "addresses", index, "address"))
                    for index, entry in enumerate((status and status.addresses) or ())
                    if entry.address and (entry.type in _IP_TYPES or _is_address(entry.address))
                ]
                blocks = _pod_blocks(spec) if spec is not None else ()
                self._node(metadata.name, metadata.labels, places, origin, ("metadata",), blocks)
            case schema.InventoryService():
                self._compact_service(one, origin)
            case schema.Object(kind="Service"):
                self._kubernetes_service(one, origin)

    def build(self, policy_namespaces: Iterable[str]) -> Inventory:
        endpoints, listed, conflicts = self.endpoints.checked()
        self.fields.diagnostics += conflicts
        used = self.endpoints.namespaces() | set(policy_namespaces)
        if endpoints or self.namespaces:
            for name in sorted(used - self.namespaces.keys()):
                self.fields.diagnostics.append(
                    Diagnostic(
                        codes.UNLISTED_NAMESPACE,
                        f"the namespace {name} is not in the inventory; it has no label but its name",
                    )
                )
        for name in used:
            self.namespaces.setdefault(name, {NAME_LABEL: name})
        return Inventory(
            endpoints,
            {name: self.namespaces[name] for name in sorted(self.namespaces)},
            tuple(self.nodes[name] for name in sorted(self.nodes)),
            tuple(self.services[key] for key in sorted(self.services)),
            tuple(self.bystanders),
            listed,
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
        addresses = self.fields.addresses(texts, about, origin)
        ports: tuple[ContainerPort, ...] = ()
        if spec is not None:
            try:
                ports = named_ports(spec)
            except ValueError:
                self.fields.bad_ports(spec, about, origin)
        node = self.fields.node_name((spec and spec.node_name) or "", about, origin, ("spec", "nodeName"))
        labels = self.fields.labels(metadata.labels, about, origin, ("metadata", "labels"))
        text = metadata.annotations.ovs_port if metadata.annotations is not None else None
        ovs_port = self.fields.ovs_port(text, about, origin, ("metadata", "annotations", "npc/ovs-port"))
        controller = controller_of(metadata.owner_references or [])
        endpoint = Endpoint(namespace, metadata.name, labels, addresses, ports, node, ovs_port, controller)
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
            if (port := self.fields.compact_port(name, value, about, origin)) is not None
        )
        labels = self.fields.labels(host.labels, about, origin, ("labels",))
        addresses = self.fields.addresses(texts, about, origin)
        node = self.fields.node_name(host.node or "", about, origin, ("node",))
        text = None if host.ovs_port is None else str(host.ovs_port)
        ovs_port = self.fields.ovs_port(text, about, origin, ("ovsPort",))
        endpoint = Endpoint(namespace, host.name, labels, addresses, ports, node, ovs_port)
        self._endpoint(endpoint, about, origin, ())

    def _endpoint(self, endpoint: Endpoint, about: str, origin: Origin, named_at: PathInDocument) -> None:
        if not are_names(endpoint.name, endpoint.namespace):
            self.fields.bad_names(endpoint.name, endpoint.namespace, about, origin, named_at)
            return
        self.endpoints.add(endpoint, origin, named_at)

    def _namespace(
        self, name: str, labels: schema.Labels | None, origin: Origin, named_at: PathInDocument
    ) -> None:
        about = f"Namespace {name}"
        read = {**self.fields.labels(labels, about, origin, (*named_at, "labels")), NAME_LABEL: name}
        if (fault := dns_label_fault(name)) is not None:
            self.fields.no_name(name, "a namespace's name", about, origin.at(*named_at, "name"), fault)
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
        blocks: tuple[Cidr, ...] = (),
    ) -> None:
        about = f"Node {name}"
        addresses = tuple(self.fields.parse(text, path, about, origin) for text, path in texts)
        node = Node(
            name,
            self.fields.labels(labels, about, origin, (*named_at, "labels")),
            tuple(sorted({address for address in addresses if address is not None})),
            blocks,
        )
        if (fault := node_name_fault(name)) is not None:
            self.fields.no_name(name, "a node's name", about, origin.at(*named_at, "name"), fault)
            return
        self._once(about, origin.at(*named_at), same=self.nodes.get(name) == node)
        self.nodes[name] = node

    def _kubernetes_service(self, service: schema.Object, origin: Origin) -> None:
        metadata, spec = service.metadata, service.spec or schema.Spec()
        namespace = metadata.namespace or "default"
        about = f"Service {namespace}/{metadata.name}"
        selector = self.fields.labels(spec.selector, about, origin, ("spec", "selector"))
        report = self.fields.report_at(about, origin.at("spec", "ports"))
        ports = tuple(read_target_ports(spec.ports or (), report))
        addresses = service_addresses(spec, service.status or schema.Status())
        made = Service(namespace, metadata.name, selector, ports, addresses)
        self._service(made, about, origin, ("metadata",))

    def _compact_service(self, service: schema.InventoryService, origin: Origin) -> None:
        namespace = service.namespace or "default"
        about = f"Service {namespace}/{service.name}"
        selector = self.fields.labels(dict(service.selector), about, origin, ("selector",))
        if not selector:
            help = "name labels of the endpoints behind the Service"
            self.fields.error(origin.at("selector"), about, "the selector is empty, and selects none", help)
        if not service.target_ports:
            help = "name the ports at which the endpoints serve"
            self.fields.error(origin.at("targetPorts"), about, "a Service without ports reaches nobody", help)
        report = self.fields.report_at(about, origin.at("targetPorts"))
        ports = tuple(read_compact_target_ports(service.target_ports, report))
        self._service(Service(namespace, service.name, selector, ports), about, origin, ())

    def _service(self, service: Service, about: str, origin: Origin, named_at: PathInDocument) -> None:
        if not are_names(service.name, service.namespace):
            self.fields.bad_names(service.name, service.namespace, about, origin, named_at)
            return
        key = service.namespace, service.name
        self._once(about, origin.at(*named_at), same=self.services.get(key) == service)
        self.services[key] = service

    def _once(self, about: str, origin: Origin, *, same: bool) -> None:
        """Note where an object is written; report it when it was before."""
        first = self.origins.setdefault(about, origin)
        if first is not origin:
            self.fields.diagnostics.append(repeated(about, origin, first, same=same))

    def _leave_out(self, code: Code, about: str, why: str, origin: Origin) -> None:
        message = f"{about[:LONGEST_ABOUT]} is left out: {why}"
        self.fields.diagnostics.append(Diagnostic(code, message, origin))


_IP_TYPES = (None, "InternalIP", "ExternalIP")
"""Of a node's addresses, those that must be IP addresses; a Hostname may be one."""


def _pod_blocks(spec: schema.Spec) -> tuple[Cidr, ...]:
    """A Node's podCIDRs; what is none is passed over: no ruleset depends on them."""
    listed = spec.pod_CIDRs if isinstance(spec.pod_CIDRs, list) else [spec.pod_CIDR]
    found = []
    for text in listed:
        with suppress(ValueError):
            found.append(parse_cidr(text if isinstance(text, str) else "").block)
    return tuple(found)


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except ValueError:
        return False
    return True
