"""Pods as nearly all are, read in bulk: running, with an address or two, and nothing wrong with them.

Takes the items of an inventory list, gives endpoints. A pod of which anything might have to be said, and
any other object, is passed on as it is: `inventory_builder` looks at those one by one. What many pods share
(labels, ports, namespaces, nodes) is validated, and kept, once.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from npc.compiler.algebra.addresses import Family, parse_host
from npc.compiler.container_ports import named_ports
from npc.compiler.frontend import schema
from npc.compiler.frontend.inventory_stream import Container, Item, OwnedMetadata, labels_in, ports_in, whole
from npc.compiler.frontend.names import (
    dns_label_fault,
    dns_subdomain_fault,
    label_key_fault,
    label_value_fault,
)
from npc.compiler.frontend.owners import controller_in
from npc.compiler.frontend.source import Origin
from npc.compiler.inventory import ContainerPort, Endpoint

_MOST = 65_536
"""Labels and ports that are kept to be found again: a workload's pods stand together."""
_NO_LABELS: Mapping[str, str] = {}
_Ports = tuple[ContainerPort, ...]


@dataclass(slots=True)
class PlainPods:
    """The endpoints of one list, and what else is in it."""

    origin: Origin
    """Of the list."""
    endpoints: list[Endpoint] = field(default_factory=list)
    places: array[int] = field(default_factory=lambda: array("Q"))
    """Of each endpoint, which of the list's items it is."""
    others: list[tuple[int, schema.Object]] = field(default_factory=list)
    """All other objects, each with the number of its item."""
    count: int = 0
    """Items that were read."""
    _labels: dict[bytes, Mapping[str, str] | None] = field(default_factory=dict, repr=False, compare=False)
    """By how they are written; None: something is wrong with them."""
    _ports: dict[bytes, _Ports | None] = field(default_factory=dict, repr=False, compare=False)
    _controllers: dict[bytes, str] = field(default_factory=dict, repr=False, compare=False)
    """What made pods, by how their owners are written."""
    _namespaces: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _nodes: dict[str | None, str] = field(
        default_factory=lambda: {None: "", "": ""}, repr=False, compare=False
    )
    """Valid names, each as one object for all pods that have it."""

    def __bool__(self) -> bool:
        return self.count > 0

    def add(self, items: Iterable[Item]) -> None:
        """Read the next items; raises NotStreamed when a part of one is not of its type."""
        for number, item in enumerate(items, self.count):
            endpoint = self._endpoint(item) if item.kind == "Pod" else None
            if endpoint is None:
                self.others.append((number, whole(item)))
            else:
                self.endpoints.append(endpoint)
                self.places.append(number)
            self.count += 1

    def _endpoint(self, item: Item) -> Endpoint | None:
        """The endpoint that a pod is; None: it is none, or there is something to be said of it."""
        metadata, spec, status = item.metadata, item.spec, item.status
        if (
            spec is None
            or spec.host_network
            or status is None
            or status.phase in ("Succeeded", "Failed")
            or not status.pod_IPs
            or not metadata.namespace
            or (metadata.annotations is not None and metadata.annotations.ovs_port is not None)
            or spec.selector
            or spec.ports
            or status.addresses
        ):
            return None
        addresses = _addresses([one.ip or "" for one in status.pod_IPs])
        labels = self._labels_in(bytes(metadata.labels))
        namespace = self._namespaces.get(metadata.namespace) or self._namespace(metadata.namespace)
        node = self._nodes.get(spec.node_name)
        if node is None:
            node = self._node(spec.node_name or "")
        ports = self._ports_of(spec.containers, spec.init_containers)
        is_named = dns_subdomain_fault(metadata.name) is None
        if (
            addresses is None
            or labels is None
            or not namespace
            or node is None
            or ports is None
            or not is_named
        ):
            return None
        if not isinstance(metadata, OwnedMetadata):
            return Endpoint(namespace, metadata.name, labels, addresses, ports, node)
        controller = self._controller(bytes(metadata.owner_references))
        return Endpoint(namespace, metadata.name, labels, addresses, ports, node, None, controller)

    def _controller(self, text: bytes) -> str:
        try:
            return self._controllers[text]
        except KeyError:
            pass
        if len(self._controllers) >= _MOST:
            self._controllers.clear()
        found = self._controllers[text] = controller_in(text)
        return found

    def _labels_in(self, text: bytes) -> Mapping[str, str] | None:
        try:
            return self._labels[text]
        except KeyError:
            pass
        if len(self._labels) >= _MOST:
            self._labels.clear()
        labels = labels_in(text)
        found: Mapping[str, str] | None = _NO_LABELS
        if labels:
            found = labels if _are_valid(labels) else None  # type: ignore[assignment]  # no value is None
        self._labels[text] = found
        return found

    def _ports_of(self, containers: list[Container] | None, first: list[Container] | None) -> _Ports | None:
        """The ports that a pod names (P10); None where one has a number or a protocol that is none."""
        if not first and containers is not None and len(containers) == 1:
            return self._ports_in(bytes(containers[0].ports))
        found: _Ports = ()
        for one in containers or ():
            ports = self._ports_in(bytes(one.ports))
            if ports is None:
                return None
            found += ports
        for one in first or ():
            ports = self._ports_in(bytes(one.ports))
            if ports is None:
                return None
            if one.restart_policy == "Always":
                found += ports
        return tuple(dict.fromkeys(found)) if len(found) > 1 else found

    def _ports_in(self, text: bytes) -> _Ports | None:
        try:
            return self._ports[text]
        except KeyError:
            pass
        if len(self._ports) >= _MOST:
            self._ports.clear()
        found: _Ports | None = None
        try:
            found = named_ports(schema.Spec(containers=[schema.Container(ports_in(text))]))
        except ValueError:
            pass  # one of them is none
        self._ports[text] = found
        return found

    def _namespace(self, name: str) -> str | None:
        return self._namespaces.setdefault(name, name) if dns_label_fault(name) is None else None

    def _node(self, name: str) -> str | None:
        return self._nodes.setdefault(name, name) if dns_subdomain_fault(name) is None else None


def _are_valid(labels: Mapping[str, str | None]) -> bool:
    return all(
        value is not None and label_key_fault(key) is None and label_value_fault(value) is None
        for key, value in labels.items()
    )


def _addresses(texts: list[str]) -> tuple[int, ...] | None:
    """One address, or one of each family, IPv4 first (E3); None for anything else."""
    if len(texts) == 1:
        address = parse_host(texts[0])
        return None if address is None else (address,)
    one, other = parse_host(texts[0]), parse_host(texts[1])
    if len(texts) > 2 or one is None or other is None or Family.of(one) is Family.of(other):
        return None
    return (one, other) if one < other else (other, one)
