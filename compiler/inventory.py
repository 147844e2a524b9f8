"""The cluster as policies see it: endpoints, namespaces, nodes and services (E1-E4).

What the rest of the compiler knows of a cluster; `inventory_builder` makes it. Endpoints are sorted by
namespace and name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from msgspec import Struct

from npc.compiler.algebra.addresses import Cidr

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that every namespace has, with its name (E4)."""

LAST_OVS_PORT = 0xFEFF
"""The last number that Open vSwitch gives a port (ovs-fields(7), in_port)."""


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A port that a pod names (P10)."""

    name: str
    protocol: int
    number: int


class Endpoint(Struct, frozen=True, gc=False):
    """A live pod or host: what packets come from and go to.

    A struct of msgspec's, because there may be a million: made in a tenth of a dataclass's time, and
    nothing for the garbage collector to look at.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    addresses: tuple[int, ...]
    """One or two, on the number line, IPv4 first (E3)."""
    ports: tuple[ContainerPort, ...] = ()
    node: str = ""
    ovs_port: int | None = None
    """Its OpenFlow port on the bridge of its node, where the inventory tells."""
    controller: str = ""
    """`rs/web-6c8f7d9b54`: what made it, where its owners say so; `deploy/web`: what will make it, of a pod
    that is known from its controller's manifest alone.
    """

    def __hash__(self) -> int:
        """Of all but the labels, which are not hashable."""
        return hash((self.namespace, self.name, self.addresses, self.ports, self.node, self.ovs_port))

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Absence(Enum):
    """Why a pod is no endpoint (E1)."""

    HOST_NETWORK = "it is on the host's network"
    FINISHED = "it has finished"
    NO_ADDRESS = "it has no address"


@dataclass(frozen=True, slots=True)
class Bystander:
    """A pod or host that is no endpoint, as it would be one: kept to say so when somebody asks about it."""

    pod: Endpoint
    """Its labels and addresses as they were written, unless they cannot be read."""
    absence: Absence


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    labels: Mapping[str, str] = field(hash=False)
    addresses: tuple[int, ...]
    pod_blocks: tuple[Cidr, ...] = ()
    """What its pods get their addresses from, where that is known."""


@dataclass(frozen=True, slots=True)
class TargetPort:
    """A port of the endpoints behind a Service: its number, or the name that they give it."""

    protocol: int
    port: int | str


@dataclass(frozen=True, slots=True)
class Service:
    """A Service's selector, and where it sends what it gets: what stands behind it."""

    namespace: str
    name: str
    selector: Mapping[str, str] = field(hash=False)
    ports: tuple[TargetPort, ...]
    addresses: tuple[tuple[int, str], ...] = field(default=(), compare=False)
    """Its own, each with what it is (`clusterIP`). No policy is about them: for those who ask about one."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The addresses of some endpoints, one after the other: checking finds them, questions ask for them."""

    endpoints: tuple[Endpoint, ...]
    addresses: Sequence[int]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Endpoints sorted by (namespace, name); namespaces by name with all their labels."""

    endpoints: tuple[Endpoint, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    services: tuple[Service, ...] = ()
    bystanders: tuple[Bystander, ...] = field(default=(), compare=False, repr=False)
    """In the order in which they were written."""
    listed: Listed | None = field(default=None, compare=False, repr=False)
    """Of the endpoints that were read: it stands for these only where they are still the same."""

    @property
    def addresses(self) -> Sequence[int]:
        """The addresses of all endpoints, one after the other."""
        if self.listed is not None and self.listed.endpoints is self.endpoints:
            return self.listed.addresses
        return [address for one in self.endpoints for address in one.addresses]

    def node_names(self) -> set[str]:
        """Every node that is listed or that an endpoint runs on."""
        return {node.name for node in self.nodes} | {one.node for one in self.endpoints if one.node}
