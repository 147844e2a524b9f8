"""Policies meet the inventory: who is decided for by which policies, and whom their peers mean.

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
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from npc.compiler.frontend.syntax import (
    EVERYTHING,
    BehindService,
    Block,
    ClusterPolicy,
    Direction,
    NamedPort,
    NetworkPolicy,
    Nodes,
    Operator,
    Peer,
    Pods,
    Policy,
    Port,
    Ports,
    Requirement,
    Rule,
    Selector,
    Tier,
)
from npc.compiler.inventory import NAME_LABEL, Endpoint, Inventory, Node, Service
from npc.compiler.labels import Bits, LabelIndex, bits_of, members
from npc.compiler.tiers import Deciders, Match

Rectangle = tuple[Intervals, Peers]
"""Traffic that is exchanged with peers."""


@dataclass(slots=True)
class Model:
    """Policies resolved against an inventory. What it has worked out once it keeps.

    The Services that rules name are in the inventory, and have a selector.
    """

    policies: tuple[NetworkPolicy, ...]
    cluster_policies: tuple[ClusterPolicy, ...]
    inventory: Inventory
    names: dict[int, str] = field(default_factory=dict)
    """The endpoint or node behind each address of the groups made so far."""
    _pods: LabelIndex = field(init=False)
    _spaces: LabelIndex = field(init=False)
    _space_names: list[str] = field(init=False)
    _nodes: LabelIndex = field(init=False)
    _services: dict[tuple[str, str], Service] = field(init=False)
    _subjects: dict[int, Bits] = field(default_factory=dict)
    """Of cluster policies, by identity."""
    _groups: dict[str, Group] = field(default_factory=dict)
    _group_endpoints: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _rule_peers: dict[tuple[str, tuple[Peer, ...]], Peers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pods = LabelIndex([endpoint.labels for endpoint in self.inventory.endpoints])
        self._space_names = list(self.inventory.namespaces)
        self._spaces = LabelIndex(list(self.inventory.namespaces.values()))
        self._nodes = LabelIndex([node.labels for node in self.inventory.nodes])
        self._services = {(one.namespace, one.name): one for one in self.inventory.services}

    def deciding(self, direction: Direction, node: str | None = None) -> Iterator[tuple[Endpoint, Deciders]]:
        """Each endpoint (of a node, or of all) that policies decide for, with them, in order of its name."""
        for number, deciders in self.deciders(direction, node):
            yield self.inventory.endpoints[number], deciders

    def deciders(self, direction: Direction, node: str | None = None) -> Iterator[tuple[int, Deciders]]:
        """As `deciding`, with the endpoints by their numbers in the inventory."""
        network = dict(self._isolating(direction, node))
        cluster = dict(self._governing(direction, node))
        for number in sorted(network.keys() | cluster.keys()) if cluster else network:
            admin, baseline = cluster.get(number, ((), ()))
            yield number, Deciders(admin, network.get(number, ()), baseline)

    def idle(self) -> Iterator[Policy]:
        """The policies that select no endpoint of the inventory."""
        by_namespace: dict[str, list[NetworkPolicy]] = {}
        for policy in self.policies:
            by_namespace.setdefault(policy.namespace, []).append(policy)
        for namespace, policies in by_namespace.items():
            first, last = self._endpoints_of(namespace)
            index = LabelIndex([endpoint.labels for endpoint in self.inventory.endpoints[first:last]])
            yield from (one for one in policies if not index.select(one.subject, index.everything))
        yield from (one for one in self.cluster_policies if not self.subjects(one))

    def subjects(self, policy: ClusterPolicy) -> Bits:
        """The endpoints that a cluster policy is for."""
        if id(policy) not in self._subjects:
            self._subjects[id(policy)] = self._select(policy.subject, "")
        return self._subjects[id(policy)]

    def selected(self, peer: Pods | BehindService, namespace: str) -> Bits:
        """The endpoints that a peer of a policy in `namespace` means (P7, X5)."""
        match peer:
            case Pods():
                return self._select(peer, namespace)
            case BehindService():
                service = self._service(peer, namespace)
                wanted = (Requirement(key, Operator.IN, (one,)) for key, one in service.selector.items())
                return self._pods.select(Selector.of([*wanted]), self._block_of(service.namespace))

    def selected_nodes(self, peer: Nodes) -> Iterator[Node]:
        """The nodes that a peer means (C4)."""
        chosen = members(self._nodes.select(peer.nodes, self._nodes.everything))
        return (self.inventory.nodes[number] for number in chosen)

    def match(self, policy: Policy, index: int, direction: Direction, subject: Endpoint) -> Match:
        """What one rule of a policy matches at a subject."""
        rule = policy.rules(direction)[index]
        packets = PacketSet.of(self._of_rule(rule, _namespace(policy), direction, subject))
        return Match(policy, index, rule, packets)

    def rectangles(
        self, policies: Iterable[NetworkPolicy], direction: Direction, subject: Endpoint
    ) -> Iterator[Rectangle]:
        """All that the rules of some policies let a subject exchange (P2, P6, P10)."""
        for policy in policies:
            for rule in policy.rules(direction):
                yield from self._of_rule(rule, policy.namespace, direction, subject)

    def _isolating(
        self, direction: Direction, node: str | None
    ) -> Iterator[tuple[int, tuple[NetworkPolicy, ...]]]:
        """Each isolated endpoint with the NetworkPolicies that isolate it (P1), in order."""
        by_namespace: dict[str, list[NetworkPolicy]] = {}
        for policy in self.policies:
            if direction in policy.isolates:
                by_namespace.setdefault(policy.namespace, []).append(policy)
        for namespace, policies in sorted(by_namespace.items()):
            first, last = self._endpoints_of(namespace)
            subjects = [
                number
                for number in range(first, last)
                if node is None or self.inventory.endpoints[number].node == node
            ]
            if not subjects:
                continue
            index = LabelIndex([self.inventory.endpoints[number].labels for number in subjects])
            isolated_by: dict[int, list[NetworkPolicy]] = {}
            for policy in sorted(policies, key=lambda policy: policy.name):
                for position in members(index.select(policy.subject, index.everything)):
                    isolated_by.setdefault(position, []).append(policy)
            for position, found in sorted(isolated_by.items()):
                yield subjects[position], tuple(found)

    def _governing(
        self, direction: Direction, node: str | None
    ) -> Iterator[tuple[int, tuple[tuple[ClusterPolicy, ...], tuple[ClusterPolicy, ...]]]]:
        """Each endpoint with the cluster policies of the Admin and of the Baseline tier that are for it.

        The endpoints are parted by one policy after the other: there are few different answers.
        """
        policies = sorted((one for one in self.cluster_policies if one.rules(direction)), key=_precedence)
        if not policies:
            return
        endpoints = self.inventory.endpoints
        everyone = self._pods.everything
        if node is not None:
            on_node = (number for number, one in enumerate(endpoints) if one.node == node)
            everyone = bits_of(on_node, len(endpoints))
        parts: dict[tuple[int, ...], Bits] = {(): everyone}
        for number, policy in enumerate(policies):
            bits = self.subjects(policy)
            parted = {before: part & ~bits for before, part in parts.items()}
            parted |= {(*before, number): part & bits for before, part in parts.items()}
            parts = {found: part for found, part in parted.items() if part}
        for found, part in parts.items():
            if found:
                governing = [policies[number] for number in found]
                admin, baseline = (tuple(one for one in governing if one.tier is tier) for tier in Tier)
                yield from ((number, (admin, baseline)) for number in members(part))

    def _of_rule(
        self, rule: Rule, namespace: str, direction: Direction, subject: Endpoint
    ) -> Iterator[Rectangle]:
        """What a rule matches at a subject; a Service is met at its target ports alone (X5)."""
        if direction is Direction.INGRESS or rule.peers is None:
            yield from self._exchanged(rule.ports, rule.peers, namespace, direction, subject)
            return
        for peer in rule.peers:
            if isinstance(peer, BehindService):
                asked = PacketSet.of(self._exchanged(rule.ports, (peer,), namespace, direction, subject))
                ports = self.target_ports(peer, namespace)
                served = PacketSet.of(self._exchanged(ports, (peer,), namespace, direction, subject))
                yield from (asked & served).rectangles()
        others = tuple(peer for peer in rule.peers if not isinstance(peer, BehindService))
        if others:
            yield from self._exchanged(rule.ports, others, namespace, direction, subject)

    def _exchanged(
        self,
        ports: tuple[Port, ...] | None,
        peers: tuple[Peer, ...] | None,
        namespace: str,
        direction: Direction,
        subject: Endpoint,
    ) -> Iterator[Rectangle]:
        """Some ports of the subject or of its peers, with these peers."""
        meant = self._peers(peers, namespace)
        for port in ports if ports is not None else (None,):
            match port:
                case None:
                    yield traffic.ANY, meant
                case Ports(protocol, first, last):
                    yield traffic.of(protocol, first, last), meant
                case NamedPort() if direction is Direction.INGRESS:
                    for found in named(subject, port):
                        yield found, meant
                case NamedPort():
                    yield from self._named_at_peers(port, peers, namespace)

    def _peers(self, peers: tuple[Peer, ...] | None, namespace: str) -> Peers:
        """Whom a rule of a policy in `namespace` means (P6, P7)."""
        if peers is None:
            return ANYONE
        key = namespace, peers
        if key not in self._rule_peers:
            groups, blocks = [], []
            for peer in peers:
                match peer:
                    case Block():
                        blocks.append(addresses_of(peer))
                    case _:
                        groups.append(self._group(peer, namespace))
            self._rule_peers[key] = Peers() | Peers(frozenset(groups), Intervals.union(blocks))
        return self._rule_peers[key]

    def _endpoints_of(self, namespace: str) -> tuple[int, int]:
        """The first endpoint of a namespace, and the one after its last."""
        endpoints = self.inventory.endpoints
        first = bisect_left(endpoints, namespace, key=_namespace_of)
        return first, bisect_left(endpoints, namespace + "\0", lo=first, key=_namespace_of)

    def _group(self, peer: Pods | Nodes | BehindService, namespace: str) -> Group:
        key = _group_key(peer, namespace)
        if key not in self._groups:
            match peer:
                case Nodes():
                    self._keep_nodes(key, self.selected_nodes(peer))
                case _:
                    self._keep(key, members(self.selected(peer, namespace)))
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

    def _keep_nodes(self, key: str, chosen: Iterable[Node]) -> None:
        """The group of some nodes' addresses; no endpoint stands behind them (C4)."""
        nodes = list(chosen)
        for node in nodes:
            for address in node.addresses:
                self.names.setdefault(address, node.name)
        self._group_endpoints[key] = ()
        self._groups[key] = Group(key, frozenset(one for node in nodes for one in node.addresses))

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

    def _service(self, peer: BehindService, namespace: str) -> Service:
        return self._services[peer.namespace or namespace, peer.name]

    def target_ports(self, peer: BehindService, namespace: str) -> tuple[Port, ...]:
        """Where a Service sends what it gets."""
        ports: list[Port] = []
        for one in self._service(peer, namespace).ports:
            match one.port:
                case str(name):
                    ports.append(NamedPort(one.protocol, name))
                case int(number):
                    ports.append(Ports(one.protocol, number, number))
        return tuple(ports)

    def _named_at_peers(
        self, port: NamedPort, peers: tuple[Peer, ...] | None, namespace: str
    ) -> Iterator[Rectangle]:
        """An egress named port, resolved at each peer endpoint by itself (P10)."""
        everyone = range(len(self.inventory.endpoints))
        if peers is None:
            yield from self._serving(port, "any", everyone)
            return
        for peer in peers:
            match peer:
                case Block():
                    yield from self._serving(port, str(_canonical(peer)), everyone, addresses_of(peer))
                case _:
                    group = self._group(peer, namespace)
                    yield from self._serving(port, group.key, self._group_endpoints[group.key])

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


def names_ports(policy: Policy, direction: Direction) -> bool:
    """Whether a rule of the direction names a port."""
    return any(isinstance(port, NamedPort) for rule in policy.rules(direction) for port in rule.ports or ())


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


def _namespace(policy: Policy) -> str:
    """The namespace that a policy's own pods are in; a cluster policy has none."""
    return policy.namespace if isinstance(policy, NetworkPolicy) else ""


def _namespace_of(endpoint: Endpoint) -> str:
    return endpoint.namespace


def _precedence(policy: ClusterPolicy) -> tuple[int, str, str]:
    """The order of policies in a tier: by priority, and where that is equal by name (C2)."""
    return policy.priority, policy.name, policy.kind


def _group_key(peer: Pods | Nodes | BehindService, namespace: str) -> str:
    """A peer in the policy language; one meaning, one text."""
    match peer:
        case Nodes():
            return f"nodes({peer.nodes})" if peer.nodes.requirements else "nodes"
        case BehindService():
            return f"svc/{peer.name} in ns/{peer.namespace or namespace}"
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
