"""Policies meet the inventory: who is isolated by which policies, and whom their peers mean.

Takes valid policies and an inventory, gives a `Model`. Subjects are found namespace by namespace;
peers become `Group`s when they are asked for, each selector once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import cidrs
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from npc.compiler.frontend.syntax import (
    EVERYTHING,
    Block,
    Direction,
    NamedPort,
    NetworkPolicy,
    Operator,
    Peer,
    Pods,
    Ports,
    Rule,
    Selector,
)
from npc.compiler.inventory import NAME_LABEL, Endpoint, Inventory
from npc.compiler.labels import Bits, LabelIndex, members

Rectangle = tuple[Intervals, Peers]
"""Traffic that is exchanged with peers."""


@dataclass(slots=True)
class Model:
    """Policies resolved against an inventory. What it has worked out once it keeps."""

    policies: tuple[NetworkPolicy, ...]
    inventory: Inventory
    names: dict[int, str] = field(default_factory=dict)
    """The endpoint behind each address of the groups made so far."""
    _pods: LabelIndex = field(init=False)
    _spaces: LabelIndex = field(init=False)
    _space_names: list[str] = field(init=False)
    _groups: dict[str, Group] = field(default_factory=dict)
    _group_endpoints: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _rule_peers: dict[tuple[str, tuple[Peer, ...]], Peers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pods = LabelIndex([endpoint.labels for endpoint in self.inventory.endpoints])
        self._space_names = list(self.inventory.namespaces)
        self._spaces = LabelIndex(list(self.inventory.namespaces.values()))

    def isolating(
        self, direction: Direction, node: str | None = None
    ) -> Iterator[tuple[Endpoint, tuple[NetworkPolicy, ...]]]:
        """Each isolated endpoint (of a node, or of all) with the policies that isolate it (P1)."""
        by_namespace: dict[str, list[NetworkPolicy]] = {}
        for policy in self.policies:
            if direction in policy.isolates:
                by_namespace.setdefault(policy.namespace, []).append(policy)
        for namespace, policies in sorted(by_namespace.items()):
            first, last = self._endpoints_of(namespace)
            subjects = [
                endpoint
                for endpoint in self.inventory.endpoints[first:last]
                if node is None or endpoint.node == node
            ]
            if not subjects:
                continue
            index = LabelIndex([endpoint.labels for endpoint in subjects])
            isolated_by: dict[int, list[NetworkPolicy]] = {}
            for policy in sorted(policies, key=lambda policy: policy.name):
                for number in members(index.select(policy.subject, index.everything)):
                    isolated_by.setdefault(number, []).append(policy)
            for number, found in sorted(isolated_by.items()):
                yield subjects[number], tuple(found)

    def idle(self) -> Iterator[NetworkPolicy]:
        """The policies that select no endpoint of the inventory."""
        by_namespace: dict[str, list[NetworkPolicy]] = {}
        for policy in self.policies:
            by_namespace.setdefault(policy.namespace, []).append(policy)
        for namespace, policies in by_namespace.items():
            first, last = self._endpoints_of(namespace)
            index = LabelIndex([endpoint.labels for endpoint in self.inventory.endpoints[first:last]])
            yield from (one for one in policies if not index.select(one.subject, index.everything))

    def rectangles(
        self, policies: Iterable[NetworkPolicy], direction: Direction, subject: Endpoint
    ) -> Iterator[Rectangle]:
        """All that the rules of some policies let a subject exchange (P2, P6, P10)."""
        for policy in policies:
            for rule in policy.rules(direction):
                peers = self.peers(rule, policy.namespace)
                for port in rule.ports if rule.ports is not None else (None,):
                    match port:
                        case None:
                            yield traffic.ANY, peers
                        case Ports(protocol, first, last):
                            yield traffic.of(protocol, first, last), peers
                        case NamedPort() if direction is Direction.INGRESS:
                            for found in named(subject, port):
                                yield found, peers
                        case NamedPort():
                            yield from self._named_at_peers(port, rule, policy.namespace)

    def peers(self, rule: Rule, namespace: str) -> Peers:
        """Whom a rule of a policy in `namespace` means (P6, P7)."""
        if rule.peers is None:
            return ANYONE
        key = namespace, rule.peers
        if key not in self._rule_peers:
            groups, blocks = [], []
            for peer in rule.peers:
                match peer:
                    case Pods():
                        groups.append(self._group(peer, namespace))
                    case Block():
                        blocks.append(addresses_of(peer))
            self._rule_peers[key] = Peers() | Peers(frozenset(groups), Intervals.union(blocks))
        return self._rule_peers[key]

    def _endpoints_of(self, namespace: str) -> tuple[int, int]:
        """The first endpoint of a namespace, and the one after its last."""
        endpoints = self.inventory.endpoints
        first = bisect_left(endpoints, namespace, key=_namespace_of)
        return first, bisect_left(endpoints, namespace + "\0", lo=first, key=_namespace_of)

    def _group(self, peer: Pods, namespace: str) -> Group:
        key = _group_key(peer, namespace)
        if key not in self._groups:
            self._keep(key, members(self._select(peer, namespace)))
        return self._groups[key]

    def _keep(self, key: str, endpoints: Iterable[int], among: Intervals | None = None) -> Group:
        """The group of some endpoints' addresses, or of those among some addresses."""
        chosen = tuple(endpoints)
        addresses = []
        for number in chosen:
            endpoint = self.inventory.endpoints[number]
            for address in endpoint.addresses:
                if among is None or address in among:
                    addresses.append(address)
                    self.names[address] = str(endpoint)
        self._group_endpoints[key] = chosen
        self._groups[key] = group = Group(key, frozenset(addresses))
        return group

    def _select(self, peer: Pods, namespace: str) -> Bits:
        """The endpoints that a peer means: of the policy's namespace, or of those it selects (P7)."""
        if peer.namespaces is None:
            return self._pods.select(peer.pods, self._block_of(namespace))
        if peer.namespaces == EVERYTHING:
            return self._pods.select(peer.pods, self._pods.everything)
        among = 0
        for number in members(self._spaces.select(peer.namespaces, self._spaces.everything)):
            among |= self._block_of(self._space_names[number])
        return self._pods.select(peer.pods, among)

    def _block_of(self, namespace: str) -> Bits:
        first, last = self._endpoints_of(namespace)
        return ((1 << (last - first)) - 1) << first

    def _named_at_peers(self, port: NamedPort, rule: Rule, namespace: str) -> Iterator[Rectangle]:
        """An egress named port, resolved at each peer endpoint by itself (P10)."""
        if rule.peers is None:
            yield from self._serving(port, "any", range(len(self.inventory.endpoints)))
            return
        for peer in rule.peers:
            match peer:
                case Pods():
                    group = self._group(peer, namespace)
                    yield from self._serving(port, group.key, self._group_endpoints[group.key])
                case Block():
                    everyone = range(len(self.inventory.endpoints))
                    yield from self._serving(port, str(_canonical(peer)), everyone, addresses_of(peer))

    def _serving(
        self, port: NamedPort, key: str, endpoints: Iterable[int], among: Intervals | None = None
    ) -> Iterator[Rectangle]:
        """The endpoints that have a named port, by the number that they give it."""
        by_traffic: dict[Intervals, list[int]] = {}
        for one in endpoints:
            if among is not None and not any(a in among for a in self.inventory.endpoints[one].addresses):
                continue
            for found in named(self.inventory.endpoints[one], port):
                by_traffic.setdefault(found, []).append(one)
        name = f"{'any' if port.protocol is None else traffic.NAMES[port.protocol]}/{port.name}"
        for found, serving in sorted(by_traffic.items(), key=lambda item: item[0].ranges):
            number = found.ranges[0][0] & traffic.LAST_PORT
            at = number if port.protocol is not None else traffic.describe(found)
            group_key = f"{key} serving {name} at {at}"
            group = self._groups.get(group_key) or self._keep(group_key, serving, among)
            yield found, Peers(frozenset({group}))


def uses_names(policies: Iterable[NetworkPolicy], direction: Direction) -> bool:
    """Whether a rule of the direction names a port."""
    return any(
        isinstance(port, NamedPort)
        for policy in policies
        for rule in policy.rules(direction)
        for port in rule.ports or ()
    )


def named(endpoint: Endpoint, port: NamedPort) -> list[Intervals]:
    """The traffic that an endpoint means by a named port (P10)."""
    return [
        traffic.of(one.protocol, one.number, one.number)
        for one in endpoint.ports
        if one.name == port.name and port.protocol in (one.protocol, None)
    ]


def addresses_of(block: Block) -> Intervals:
    """The addresses of a block; its excepts cut nothing but this block (P7)."""
    return Intervals.of(block.cidr.range) - Intervals.of(*(one.range for one in block.excepts))


def _canonical(block: Block) -> Block:
    """The block with its excepts merged and in order, however they were written."""
    holes = Intervals.of(block.cidr.range) - addresses_of(block)
    return Block(block.cidr, tuple(one for hole in holes.ranges for one in cidrs(hole)))


def _namespace_of(endpoint: Endpoint) -> str:
    return endpoint.namespace


def _group_key(peer: Pods, namespace: str) -> str:
    """A peer in the policy language; one meaning, one text."""
    pods = f"pods({peer.pods})" if peer.pods.requirements else "pods"
    match peer.namespaces:
        case None:
            return f"{pods} in ns/{namespace}"
        case Selector(requirements=()):
            return f"{pods} in ns"
        case Selector(requirements=(one,)) if (
            one.key == NAME_LABEL and one.operator is Operator.IN and len(one.values) == 1
        ):
            return f"{pods} in ns/{one.values[0]}"
        case namespaces:
            return f"{pods} in ns({namespaces})"
