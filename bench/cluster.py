"""The synthetic cluster: which namespaces, apps, nodes and addresses there are, before any JSON or YAML.

Everything follows from `Size` (its seed included) by arithmetic and seeded generators, so that the
writers can stream: no object needs another object's text.

>>> Topology(Size(policies=10, pods=6, namespaces=2, nodes=3)).node(2).pod_cidr
'10.64.2.0/24'
"""

from __future__ import annotations

import itertools
import random
from dataclasses import asdict, dataclass
from functools import cached_property
from ipaddress import IPv4Address
from typing import Literal

# What only some pods have; all of them on one pod would take it beyond 4 kB.
Part = Literal["annotations", "env", "probe", "tolerations", "volume"]

POD_NETWORK = int(IPv4Address("10.64.0.0"))
POD_NETWORK_BITS = 22
NODE_NETWORK = int(IPv4Address("192.168.0.0"))
SERVICE_NETWORK = int(IPv4Address("10.96.0.0"))
SERVICE_NETWORK_BITS = 20


@dataclass(frozen=True, slots=True)
class Size:
    """How many of each kind; equal sizes (seed included) make equal files."""

    policies: int = 10_000
    pods: int = 100_000
    namespaces: int = 1_000
    nodes: int = 1_000
    seed: int = 1

    def __post_init__(self) -> None:
        if min(self.policies, self.pods) < 0 or min(self.namespaces, self.nodes) < 1:
            raise ValueError(f"a cluster needs at least one namespace and one node: {asdict(self)}")


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A container port that the app listens on."""

    name: str
    number: int
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True)
class App:
    """A workload of the catalogue; every namespace runs some of them under these names and labels."""

    name: str
    role: str
    tier: str
    image: str
    ports: tuple[ContainerPort, ...]
    parts: tuple[Part, ...]
    stateful: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A node with its address and the ranges that its pods get addresses from."""

    name: str
    address: str
    pod_cidr: str
    pod_cidr6: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace, the labels that namespace selectors choose it by, and its apps."""

    name: str
    project: str
    environment: str
    apps: tuple[App, ...]


def _tcp(**ports: int) -> tuple[ContainerPort, ...]:
    return tuple(ContainerPort(name, number) for name, number in ports.items())


APPS = (
    App("web", "frontend", "web", "nginx:1.27", _tcp(http=8080), ("annotations", "probe")),
    App("storefront", "frontend", "web", "storefront:4.2.1", _tcp(http=3000), ("env", "probe")),
    App("gateway", "gateway", "web", "envoy:1.31", _tcp(https=8443, admin=9901), ("env",)),
    App("api", "backend", "app", "api:2.17.0", _tcp(http=8000), ("annotations", "env", "probe")),
    App("orders", "backend", "app", "orders:1.9.3", _tcp(grpc=50051), ("env", "tolerations")),
    App("billing", "backend", "app", "billing:0.44.0", _tcp(http=8080), ("volume",)),
    App("search", "search", "app", "opensearch:2.15", _tcp(http=9200), ("volume",), stateful=True),
    App("worker", "worker", "app", "worker:2.17.0", _tcp(metrics=9090), ("annotations", "tolerations")),
    App("redis", "cache", "data", "redis:7.2", _tcp(redis=6379), ("annotations", "env", "probe")),
    App("postgres", "db", "data", "postgres:16.4", _tcp(sql=5432), ("volume",), stateful=True),
    App("mysql", "db", "data", "mysql:8.4", _tcp(sql=3306), ("env", "probe"), stateful=True),
    App("rabbitmq", "queue", "data", "rabbitmq:3.13", _tcp(amqp=5672), ("tolerations",), stateful=True),
    App("statsd", "monitor", "ops", "statsd:0.26", (ContainerPort("statsd", 8125, "UDP"),), ("env",)),
    App("prometheus", "monitor", "ops", "prometheus:2.54", _tcp(http=9090), ("annotations", "volume")),
)
ENVIRONMENTS = ("production", "staging", "development")
APPS_PER_NAMESPACE = 10
NAMESPACES_PER_PROJECT = 10


class Topology:
    """The cluster of one `Size`: its namespaces, nodes, and where each pod goes."""

    def __init__(self, size: Size) -> None:
        """Raise ValueError when the pods or the Services do not fit the address ranges."""
        self.size = size
        pods_per_node = -(-size.pods // size.nodes)
        # Host parts 0 and 1 are the network and the gateway, the last one is the broadcast address.
        self._host_bits = max(8, (pods_per_node + 2).bit_length())
        if size.nodes << self._host_bits > 1 << POD_NETWORK_BITS or size.nodes > 60_000:
            raise ValueError(f"{size.nodes} nodes of {pods_per_node} pods do not fit 10.64.0.0/10")
        if size.namespaces * APPS_PER_NAMESPACE >= 1 << SERVICE_NETWORK_BITS:
            raise ValueError(f"the Services of {size.namespaces} namespaces do not fit 10.96.0.0/12")

    def rng(self, *what: str | int) -> random.Random:
        """A generator of its own for each purpose, so that one part's draws never shift another's."""
        return random.Random("/".join(str(word) for word in (self.size.seed, *what)))

    @cached_property
    def namespaces(self) -> tuple[Namespace, ...]:
        """All namespaces in the order of their names."""
        projects = max(1, self.size.namespaces // NAMESPACES_PER_PROJECT)
        rng = self.rng("namespaces")
        return tuple(
            Namespace(
                name="kube-system" if index == 0 else f"team-{index:05}",
                project=f"project-{rng.randrange(projects):03}",
                environment=rng.choice(ENVIRONMENTS),
                apps=tuple(rng.sample(APPS, APPS_PER_NAMESPACE)),
            )
            for index in range(self.size.namespaces)
        )

    def shares(self, total: int, what: str) -> list[int]:
        """Split `total` over the namespaces, each between about half and one and a half times the mean."""
        rng = self.rng("shares", what)
        cumulative = list(itertools.accumulate(rng.uniform(0.5, 1.5) for _ in range(self.size.namespaces)))
        cuts = [0, *(round(total * value / cumulative[-1]) for value in cumulative)]
        return [after - before for before, after in itertools.pairwise(cuts)]

    def node(self, index: int) -> Node:
        """Node number `index`."""
        pod_network = IPv4Address(POD_NETWORK + (index << self._host_bits))
        return Node(
            name=f"node-{index:05}",
            # Never .0 or .255: 250 nodes to a /24.
            address=str(IPv4Address(NODE_NETWORK + (index // 250 << 8) + index % 250 + 4)),
            pod_cidr=f"{pod_network}/{32 - self._host_bits}",
            pod_cidr6=f"fd00:10:64:{index:x}::/64",
        )

    @cached_property
    def slots(self) -> list[int]:
        """A random order of the pods' places: place s is host s // nodes of node s % nodes."""
        order = list(range(self.size.pods))
        self.rng("slots").shuffle(order)
        return order

    def place(self, slot: int) -> tuple[int, str, str]:
        """The node number, IPv4 address and IPv6 address of a place; no two places share one."""
        host, index = divmod(slot, self.size.nodes)
        address = IPv4Address(POD_NETWORK + (index << self._host_bits) + host + 2)
        return index, str(address), f"fd00:10:64:{index:x}::{host + 2:x}"
