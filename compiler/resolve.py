"""Policies meet the inventory: who is decided for by which policies, and whom their peers mean.

Takes valid policies and an inventory, gives a `Model`. Subjects and peers become endpoints when they
are asked for: peers as `Group`s, each selector once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import cidrs
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from npc.compiler.deciding import Subjects
from npc.compiler.frontend.syntax import (
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
)
from npc.compiler.inventory import NAME_LABEL, ContainerPort, Endpoint, Inventory, Node, Service
from npc.compiler.labels import Bits, bits_of
from npc.compiler.population import Population
from npc.compiler.tiers import Deciders, Match

Rectangle = tuple[Intervals, Peers]
"""Traffic that is exchanged with peers."""


@dataclass(slots=True)
class Model:
    """Policies resolved against an inventory. What it has worked out once it keeps.

    The Services that rules name are in the inventory, and have a selector.
    """

    policies: tuple[NetworkPolicy, ...]
    """Sorted by namespace and name."""
    cluster_policies: tuple[ClusterPolicy, ...]
    inventory: Inventory
    population: Population = field(init=False)
    _deciding: dict[Direction, Subjects] = field(init=False)
    _services: dict[tuple[str, str], Service] = field(init=False)
    _subjects: dict[int, Bits] = field(default_factory=dict)
    """Of cluster policies, by identity."""
    _groups: dict[str, Group] = field(default_factory=dict)
    _group_endpoints: dict[str, Sequence[int]] = field(default_factory=dict)
    _rule_peers: dict[tuple[str, tuple[Peer, ...]], Peers] = field(default_factory=dict)
    _served: dict[tuple[str, NamedPort], tuple[Rectangle, ...]] = field(default_factory=dict)
    """By whom an egress named port is met, and at which numbers."""

    def __post_init__(self) -> None:
        self.population = Population(self.inventory)
        self._deciding = {
            one: Subjects(one, self.policies, self.cluster_policies, self.inventory.namespaces)
            for one in Direction
        }
        self._services = {(one.namespace, one.name): one for one in self.inventory.services}

    def __reduce__(self) -> tuple[type[Model], tuple[object, ...]]:
        """A copy in another process works things out again: identities are not the same there."""
        return Model, (self.policies, self.cluster_policies, self.inventory)

    @property
    def names(self) -> Mapping[int, str]:
        """`namespace/name` of the endpoint behind each address of the inventory, or the node's name."""
        return self.population.names

    def deciding(self, direction: Direction, node: str | None = None) -> Iterator[tuple[Endpoint, Deciders]]:
        """Each endpoint (of a node, or of all) that policies decide for, with them, in order of its name.

        Endpoints that the same policies decide for have the same object.
        """
        for number, deciders in self.deciders(direction, node):
            yield self.inventory.endpoints[number], deciders

    def deciders(self, direction: Direction, node: str | None = None) -> Iterator[tuple[int, Deciders]]:
        """As `deciding`, with the endpoints by their numbers in the inventory."""
        endpoints = self.inventory.endpoints
        subjects = self._deciding[direction]
        for number in range(len(endpoints)) if node is None else self.population.on_node(node):
            deciders = subjects.deciders(endpoints[number])
            if deciders is not None:
                yield number, deciders

    def deciders_of(self, direction: Direction, endpoint: Endpoint) -> Deciders | None:
        """The policies that decide for one endpoint; None: none does."""
        return self._deciding[direction].deciders(endpoint)

    def policies_in(self, namespace: str) -> tuple[NetworkPolicy, ...]:
        """The NetworkPolicies of a namespace, without a look at the others."""
        first = bisect_left(self.policies, namespace, key=_namespace)
        return self.policies[first : bisect_right(self.policies, namespace, lo=first, key=_namespace)]

    def idle(self) -> Iterator[Policy]:
        """The policies that select no endpoint of the inventory."""
        yield from (one for one in self.policies if not self.population.within(one.namespace, one.subject))
        yield from (one for one in self.cluster_policies if not self.subjects(one))

    def subjects(self, policy: ClusterPolicy) -> Bits:
        """The endpoints that a cluster policy is for."""
        if id(policy) not in self._subjects:
            self._subjects[id(policy)] = self.selected(policy.subject, "")
        return self._subjects[id(policy)]

    def selected(self, peer: Pods | BehindService, namespace: str) -> Bits:
        """The endpoints that a peer of a policy in `namespace` means (P7, X5)."""
        return bits_of(self._select(peer, namespace), len(self.inventory.endpoints))

    def selected_nodes(self, peer: Nodes) -> Iterator[Node]:
        """The nodes that a peer means (C4)."""
        return (self.inventory.nodes[number] for number in self.population.nodes(peer.nodes))

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

    def _group(self, peer: Pods | Nodes | BehindService, namespace: str) -> Group:
        key = words_of(peer, namespace)
        if key not in self._groups:
            match peer:
                case Nodes():
                    # No endpoint stands behind a node's address (C4).
                    self._group_endpoints[key] = ()
                    addresses = (one for node in self.selected_nodes(peer) for one in node.addresses)
                    self._groups[key] = Group(key, frozenset(addresses))
                case _:
                    self._keep(key, self._select(peer, namespace))
        return self._groups[key]

    def _keep(self, key: str, chosen: Sequence[int], among: Intervals | None = None) -> Group:
        """The group of some endpoints' addresses, or of those among some addresses."""
        endpoints = self.inventory.endpoints
        addresses = (address for number in chosen for address in endpoints[number].addresses)
        if among is not None:
            addresses = (address for address in addresses if address in among)
        self._group_endpoints[key] = chosen
        self._groups[key] = group = Group(key, frozenset(addresses))
        return group

    def _select(self, peer: Pods | BehindService, namespace: str) -> Sequence[int]:
        """The numbers of those that a peer means: of the policy's namespace, or of those it selects (P7)."""
        if isinstance(peer, BehindService):
            service = self.service(peer, namespace)
            wanted = [Requirement(key, Operator.IN, (one,)) for key, one in service.selector.items()]
            return self.population.within(service.namespace, Selector.of(wanted))
        match peer.namespaces:
            case None:
                return self.population.within(namespace, peer.pods)
            case Selector(requirements=(one,)) if _is_name(one):
                return self.population.within(one.values[0], peer.pods)
            case namespaces:
                return self.population.across(namespaces, peer.pods)

    def service(self, peer: BehindService, namespace: str) -> Service:
        """The Service that a peer of a policy in `namespace` names."""
        return self._services[peer.namespace or namespace, peer.name]

    def target_ports(self, peer: BehindService, namespace: str) -> tuple[Port, ...]:
        """Where a Service sends what it gets."""
        ports: list[Port] = []
        for one in self.service(peer, namespace).ports:
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
        if peers is None:
            yield from self._serving(port, "any", None)
            return
        for peer in peers:
            match peer:
                case Block():
                    yield from self._serving(port, str(_canonical(peer)), None, addresses_of(peer))
                case _:
                    group = self._group(peer, namespace)
                    yield from self._serving(port, group.key, self._group_endpoints[group.key])

    def _serving(
        self, port: NamedPort, key: str, endpoints: Sequence[int] | None, among: Intervals | None = None
    ) -> tuple[Rectangle, ...]:
        """The endpoints (None: of all) that have a named port, by the number that they give it."""
        if (key, port) not in self._served:
            self._served[key, port] = tuple(self._resolved(port, key, endpoints, among))
        return self._served[key, port]

    def _resolved(
        self, port: NamedPort, key: str, endpoints: Sequence[int] | None, among: Intervals | None
    ) -> Iterator[Rectangle]:
        serving = self.population.serving(port.name)
        by_traffic: dict[Intervals, list[int]] = {}
        for one in _in_both(serving, endpoints):
            if among is not None and not any(a in among for a in self.inventory.endpoints[one].addresses):
                continue
            for found in serving[one]:
                if port.protocol in (found.protocol, None):
                    by_traffic.setdefault(_traffic(found), []).append(one)
        name = f"{'any' if port.protocol is None else traffic.NAMES[port.protocol]}/{port.name}"
        for met, numbers in sorted(by_traffic.items(), key=lambda item: item[0].ranges):
            number = met.ranges[0][0] & traffic.LAST_PORT
            at = number if port.protocol is not None else traffic.describe(met)
            group_key = f"{key} serving {name} at {at}"
            group = self._groups.get(group_key) or self._keep(group_key, numbers, among)
            yield met, Peers(frozenset({group}))


def names_ports(policy: Policy, direction: Direction) -> bool:
    """Whether a rule of the direction names a port."""
    return any(isinstance(port, NamedPort) for rule in policy.rules(direction) for port in rule.ports or ())


def named(endpoint: Endpoint, port: NamedPort) -> list[Intervals]:
    """The traffic that an endpoint means by a named port (P10)."""
    return [
        _traffic(one)
        for one in endpoint.ports
        if one.name == port.name and port.protocol in (one.protocol, None)
    ]


def _traffic(port: ContainerPort) -> Intervals:
    return traffic.of(port.protocol, port.number, port.number)


def _in_both(serving: Mapping[int, object], endpoints: Sequence[int] | None) -> Iterable[int]:
    """The endpoints, in order, that serve a port; of all endpoints where none are given."""
    if endpoints is None:
        return serving
    if len(endpoints) <= len(serving):
        return (one for one in endpoints if one in serving)
    return (one for one in serving if _is_among(one, endpoints))


def _is_among(number: int, numbers: Sequence[int]) -> bool:
    """Whether a number is among others, which are in order."""
    at = bisect_left(numbers, number)
    return at < len(numbers) and numbers[at] == number


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


def _is_name(one: Requirement) -> bool:
    """Whether a condition on a namespace's labels is met by the one of that name alone (E4)."""
    return one.key == NAME_LABEL and one.operator is Operator.IN and len(one.values) == 1


def words_of(peer: Pods | Nodes | BehindService, namespace: str) -> str:
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
        case Selector(requirements=(one,)) if _is_name(one):
            return f"{pods} in ns/{one.values[0]}"
        case namespaces:
            return f"{pods} in ns({namespaces})"
