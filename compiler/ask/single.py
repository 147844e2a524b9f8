"""One packet at a time: rules asked in turn, for those who ask about many packets and each time about others.

Sets of ends pay where a decision is asked often. Of a large cluster no decision is asked twice by random
packets; then it is faster to ask the few rules that decide for the one endpoint. Says what `relation` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from npc.compiler.algebra.addresses import Cidr, Family
from npc.compiler.ask.assumptions import AS_COMPILED, Reading
from npc.compiler.ask.ends import Place
from npc.compiler.frontend.syntax import (
    Action,
    BehindService,
    Block,
    ClusterPolicy,
    Direction,
    NamedPort,
    NetworkPolicy,
    Nodes,
    Peer,
    Pods,
    Port,
    Ports,
    Rule,
    Selector,
)
from npc.compiler.inventory import ContainerPort, Endpoint
from npc.compiler.labels import matches
from npc.compiler.resolve import Model


@dataclass(slots=True)
class SinglePackets:
    """The packets of a model."""

    model: Model
    reading: Reading = AS_COMPILED
    _nodes: dict[str, frozenset[int]] = field(init=False)
    """The addresses of each node."""
    _selected_nodes: dict[Selector, frozenset[int]] = field(default_factory=dict)
    _served: dict[tuple[str, str | None, str], tuple[Port, ...]] = field(default_factory=dict)
    """The target ports of Services, by the policy's namespace, the Service's, and its name."""

    def __post_init__(self) -> None:
        self._nodes = {one.name: frozenset(one.addresses) for one in self.model.inventory.nodes}

    def passes(self, source: Place, destination: Place, number: int) -> bool:
        """Whether a packet of some traffic passes; from an endpoint to itself, what comes through a
        Service.
        """
        if source.family is not destination.family:
            return False
        endpoints = self.model.inventory.endpoints
        sender = None if source.endpoint is None else endpoints[source.endpoint]
        receiver = None if destination.endpoint is None else endpoints[destination.endpoint]
        if not self.reading.own_node_is_policed and (
            (sender is not None and destination.address in self._nodes.get(sender.node, ()))
            or (receiver is not None and source.address in self._nodes.get(receiver.node, ()))
        ):
            return True
        packet = _Packet(number, sender, receiver, source, destination)
        return (sender is None or self._lets(Direction.EGRESS, sender, packet)) and (
            receiver is None or self._lets(Direction.INGRESS, receiver, packet)
        )

    def _lets(self, direction: Direction, subject: Endpoint, packet: _Packet) -> bool:
        deciders = self.model.deciders_of(direction, subject)
        if deciders is None:
            return True
        if deciders.admin:
            action = self._first(deciders.admin, direction, packet)
            if action is Action.ALLOW or action is Action.DENY:
                return action is Action.ALLOW
        if deciders.network and packet.sender is not packet.receiver:
            return self._any(deciders.network, direction, packet)
        return self._first(deciders.baseline, direction, packet) is not Action.DENY

    def _first(
        self, policies: Iterable[ClusterPolicy], direction: Direction, packet: _Packet
    ) -> Action | None:
        """What the first rule that matches does (C2)."""
        for policy in policies:
            for rule in policy.rules(direction):
                if self._matches(rule, "", direction, packet):
                    return rule.action
        return None

    def _any(self, policies: Iterable[NetworkPolicy], direction: Direction, packet: _Packet) -> bool:
        """Whether any rule matches (P2)."""
        return any(
            self._matches(rule, policy.namespace, direction, packet)
            for policy in policies
            for rule in (policy.ingress if direction is Direction.INGRESS else policy.egress)
        )

    def _matches(self, rule: Rule, namespace: str, direction: Direction, packet: _Packet) -> bool:
        if rule.ports is not None and not _is_at(rule.ports, packet):
            return False
        if rule.peers is None:
            return True
        return any(self._means(peer, namespace, direction, packet) for peer in rule.peers)

    def _means(self, peer: Peer, namespace: str, direction: Direction, packet: _Packet) -> bool:
        """Whether a peer is the other end of a packet."""
        is_sender = direction is Direction.INGRESS
        other = packet.sender if is_sender else packet.receiver
        match peer:
            case Pods(pods=pods, namespaces=namespaces):
                if other is None:
                    return False
                if namespaces is None:
                    if other.namespace != namespace:
                        return False
                elif not matches(namespaces, self.model.inventory.namespaces[other.namespace]):
                    return False
                return matches(pods, other.labels)
            case Block(cidr=cidr, excepts=excepts):
                if other is not None and self.reading.blocks_are_external:
                    return False
                address = packet.address(is_sender)
                return _is_in(address, cidr) and not any(_is_in(address, one) for one in excepts)
            case Nodes(nodes=selector):
                if other is not None and self.reading.blocks_are_external:
                    return False
                return packet.address(is_sender) in self._addresses(selector)
            case BehindService():
                return other is not None and self._is_behind(peer, namespace, direction, other, packet)

    def _is_behind(
        self, peer: BehindService, namespace: str, direction: Direction, other: Endpoint, packet: _Packet
    ) -> bool:
        if other.namespace != (peer.namespace or namespace):
            return False
        if not self.model.service(peer, namespace).selector.items() <= other.labels.items():
            return False
        if direction is Direction.INGRESS:
            return True
        key = namespace, peer.namespace, peer.name
        if key not in self._served:
            self._served[key] = self.model.target_ports(peer, namespace)
        return _is_at(self._served[key], packet)

    def _addresses(self, nodes: Selector) -> frozenset[int]:
        if nodes not in self._selected_nodes:
            chosen = self.model.selected_nodes(Nodes(nodes))
            self._selected_nodes[nodes] = frozenset(address for one in chosen for address in one.addresses)
        return self._selected_nodes[nodes]


@dataclass(slots=True)
class _Packet:
    number: int
    """Its traffic."""
    sender: Endpoint | None
    receiver: Endpoint | None
    source: Place
    destination: Place

    def address(self, of_sender: bool) -> int:
        """The address that it carries; -1, which is in no block, of an endpoint without any."""
        place = self.source if of_sender else self.destination
        if place.address is not None:
            return place.address
        endpoint = self.sender if of_sender else self.receiver
        own = endpoint.addresses if endpoint is not None else ()
        return next((one for one in own if Family.of(one) is place.family), -1)


def _is_at(ports: Sequence[Port], packet: _Packet) -> bool:
    """Whether a packet goes to one of some ports; names are looked up at the destination (P10)."""
    number = packet.number
    protocol, own = number >> 16, number & 0xFFFF
    for port in ports:
        if isinstance(port, Ports):
            if port.protocol == protocol and port.first <= own <= port.last:
                return True
        elif packet.receiver is not None and any(
            _is_named(one, port) and one.protocol == protocol and one.number == own
            for one in packet.receiver.ports
        ):
            return True
    return False


def _is_named(one: ContainerPort, port: NamedPort) -> bool:
    return one.name == port.name and port.protocol in (one.protocol, None)


def _is_in(address: int, block: Cidr) -> bool:
    """Whether an address is in a block: all bits of the prefix are the same."""
    bits = 128 if block.first >> 128 else 32
    return (address ^ block.first) >> (bits - block.prefix) == 0
