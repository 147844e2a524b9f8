"""Who is in a cluster, found by what policies go by: namespace, labels, node, named port, address.

Takes an inventory, gives the numbers of its endpoints (their places in `Inventory.endpoints`), always in
order. Every index is made when it is first asked for, and costs as much as what it lists: a question about
one namespace or one node never looks at the endpoints of the others.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from npc.compiler.frontend.syntax import EVERYTHING, Selector
from npc.compiler.inventory import ContainerPort, Endpoint, Inventory
from npc.compiler.labels import LabelIndex

_ENDPOINTS_A_NAMESPACE = 2_000
"""To ask one namespace's index costs about as much as a bitset over so many endpoints."""


@dataclass
class Population:
    """The endpoints and nodes of an inventory."""

    inventory: Inventory
    _local: dict[str, LabelIndex] = field(default_factory=dict, init=False, repr=False)
    _spans: dict[str, tuple[int, int]] = field(default_factory=dict, init=False, repr=False)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return self.inventory.endpoints

    @cached_property
    def names(self) -> Mapping[int, str]:
        """`namespace/name` of the endpoint behind each address; of a node's address its name."""
        return _Names(self)

    def within(self, namespace: str, selector: Selector) -> Sequence[int]:
        """The endpoints of a namespace that a selector matches."""
        first, last = self.span(namespace)
        if not selector.requirements:
            return range(first, last)
        index = self._local.get(namespace)
        if index is None:
            index = LabelIndex([endpoint.labels for endpoint in self.endpoints[first:last]])
            self._local[namespace] = index
        return [first + number for number in index.find(selector)]

    def across(self, namespaces: Selector, pods: Selector) -> Sequence[int]:
        """The endpoints that a selector matches, of the namespaces that another matches."""
        if namespaces == EVERYTHING:
            return self._everywhere.find(pods)
        names = [self._space_names[number] for number in self._spaces.find(namespaces)]
        if not pods.requirements or len(names) * _ENDPOINTS_A_NAMESPACE <= len(self.endpoints):
            return [number for name in names for number in self.within(name, pods)]
        among = set(names)
        return [one for one in self._everywhere.find(pods) if self.endpoints[one].namespace in among]

    def nodes(self, selector: Selector) -> Sequence[int]:
        """The nodes that a selector matches, by their places in the inventory."""
        return self._nodes.find(selector)

    def on_node(self, node: str) -> Sequence[int]:
        """The endpoints that run on a node."""
        return self._by_node.get(node, ())

    def serving(self, port: str) -> Mapping[int, Sequence[ContainerPort]]:
        """The endpoints that give a port some name, each with the ports of that name."""
        return self._by_port.get(port, {})

    def span(self, namespace: str) -> tuple[int, int]:
        """The first endpoint of a namespace, and the one after its last."""
        known = self._spans.get(namespace)
        if known is None:
            first = bisect_left(self.endpoints, namespace, key=_namespace_of)
            # No name sorts between a name and the name followed by NUL.
            last = bisect_left(self.endpoints, namespace + "\0", lo=first, key=_namespace_of)
            known = self._spans[namespace] = first, last
        return known

    @cached_property
    def _everywhere(self) -> LabelIndex:
        return LabelIndex([endpoint.labels for endpoint in self.endpoints])

    @cached_property
    def _space_names(self) -> Sequence[str]:
        return list(self.inventory.namespaces)

    @cached_property
    def _spaces(self) -> LabelIndex:
        return LabelIndex(list(self.inventory.namespaces.values()))

    @cached_property
    def _nodes(self) -> LabelIndex:
        return LabelIndex([node.labels for node in self.inventory.nodes])

    @cached_property
    def _by_node(self) -> Mapping[str, Sequence[int]]:
        found: dict[str, list[int]] = {}
        for number, endpoint in enumerate(self.endpoints):
            found.setdefault(endpoint.node, []).append(number)
        return found

    @cached_property
    def _by_port(self) -> Mapping[str, Mapping[int, Sequence[ContainerPort]]]:
        found: dict[str, dict[int, list[ContainerPort]]] = {}
        for number, endpoint in enumerate(self.endpoints):
            for port in endpoint.ports:
                found.setdefault(port.name, {}).setdefault(number, []).append(port)
        return found


@dataclass
class _Names(Mapping[int, str]):
    """Names by address. Only those that are looked at become text."""

    population: Population

    def __getitem__(self, address: int) -> str:
        return str(self._owners[address])

    def __iter__(self) -> Iterator[int]:
        return iter(self._owners)

    def __len__(self) -> int:
        return len(self._owners)

    @cached_property
    def _owners(self) -> Mapping[int, object]:
        inventory = self.population.inventory
        found: dict[int, object] = {}
        for node in reversed(inventory.nodes):  # of two nodes with one address the first counts
            for address in node.addresses:
                found[address] = node.name
        for endpoint in inventory.endpoints:
            for address in endpoint.addresses:
                found[address] = endpoint
        return found


def _namespace_of(endpoint: Endpoint) -> str:
    return endpoint.namespace
