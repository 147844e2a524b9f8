"""What rules mean at a subject: the packets that they match, as traffic with the ends that it is exchanged
with.

The same meaning that `resolve.Model` gives to targets as groups and blocks (P6-P11, C4, X5), in ends: this
is for questions, which are about endpoints by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.ask.assumptions import AS_COMPILED, Reading
from npc.compiler.ask.ends import Census, Ends
from npc.compiler.frontend.syntax import (
    BehindService,
    Block,
    Direction,
    NamedPort,
    NetworkPolicy,
    Nodes,
    Peer,
    Pods,
    Policy,
    Port,
    Ports,
    Rule,
)
from npc.compiler.inventory import ContainerPort
from npc.compiler.labels import bits_of
from npc.compiler.resolve import Model, addresses_of

Packets = PacketSet[Ends]
_Rectangle = tuple[Intervals, Ends]


@dataclass(slots=True)
class Meaning:
    """The rules of a model; what has been worked out once is kept."""

    model: Model
    reading: Reading = AS_COMPILED
    census: Census = field(init=False)
    everything: Packets = field(init=False)
    """All traffic with everyone."""
    _peers: dict[tuple[str, Peer], Ends] = field(default_factory=dict)
    _matches: dict[tuple[int, Direction, int, tuple[ContainerPort, ...]], Packets] = field(
        default_factory=dict
    )
    _by_port: dict[tuple[str, int | None], dict[Intervals, Ends]] = field(default_factory=dict)
    """The endpoints that serve a named port, by the traffic that they mean by it."""

    def __post_init__(self) -> None:
        self.census = Census.of(self.model.inventory.endpoints)
        self.everything = PacketSet.of([(traffic.ANY, self.census.everyone)])

    def match(
        self, policy: Policy, index: int, direction: Direction, ports: tuple[ContainerPort, ...]
    ) -> Packets:
        """What a rule of a policy matches at a subject that names some ports."""
        rule = policy.rules(direction)[index]
        key = id(policy), direction, index, ports if names_ports(rule, direction) else ()
        found = self._matches.get(key)
        if found is None:
            namespace = policy.namespace if isinstance(policy, NetworkPolicy) else ""
            found = PacketSet.of(self.packets(rule, namespace, direction, ports))
            self._matches[key] = found
        return found

    def peer(self, peer: Peer, namespace: str) -> Ends:
        """Whom a peer of a policy in a namespace means."""
        key = namespace, peer
        if key not in self._peers:
            self._peers[key] = self._meant(peer, namespace)
        return self._peers[key]

    def at(self, addresses: Intervals) -> Ends:
        """Whom a rule means by addresses."""
        ends = self.census.at(addresses)
        return Ends(outside=ends.outside) if self.reading.blocks_are_external else ends

    def serving(self, port: NamedPort) -> dict[Intervals, Ends]:
        """The endpoints that have a named port, by the traffic that they mean by it (P10)."""
        key = port.name, port.protocol
        if key not in self._by_port:
            endpoints = self.model.inventory.endpoints
            numbers: dict[Intervals, list[int]] = {}
            for number, endpoint in enumerate(endpoints):
                for found in traffic_of(port, endpoint.ports):
                    numbers.setdefault(found, []).append(number)
            self._by_port[key] = {
                found: self.census.endpoints(bits_of(serving, len(endpoints)))
                for found, serving in numbers.items()
            }
        return self._by_port[key]

    def _meant(self, peer: Peer, namespace: str) -> Ends:
        match peer:
            case Pods() | BehindService():
                return self.census.endpoints(self.model.selected(peer, namespace))
            case Nodes():
                nodes = self.model.selected_nodes(peer)
                return self.at(Intervals.of(*((one, one) for node in nodes for one in node.addresses)))
            case Block():
                return self.at(addresses_of(peer))

    def packets(
        self, rule: Rule, namespace: str, direction: Direction, ports: tuple[ContainerPort, ...]
    ) -> Iterator[_Rectangle]:
        """What a rule of a policy in a namespace matches at a subject that names some ports."""
        if rule.peers is None:
            yield from self.exchanged(rule.ports, self.census.everyone, direction, ports)
            return
        for peer in rule.peers:
            ends = self.peer(peer, namespace)
            asked = self.exchanged(rule.ports, ends, direction, ports)
            if isinstance(peer, BehindService) and direction is Direction.EGRESS:
                served = self.exchanged(self.model.target_ports(peer, namespace), ends, direction, ports)
                if rule.ports is None:
                    yield from served
                else:
                    yield from (PacketSet.of(asked) & PacketSet.of(served)).rectangles()
            else:
                yield from asked

    def exchanged(
        self,
        wanted: tuple[Port, ...] | None,
        ends: Ends,
        direction: Direction,
        ports: tuple[ContainerPort, ...],
    ) -> Iterator[_Rectangle]:
        """Some ports of the subject or of its peers, with these peers."""
        for port in wanted if wanted is not None else (None,):
            match port:
                case None:
                    yield traffic.ANY, ends
                case Ports(protocol, first, last):
                    yield traffic.of(protocol, first, last), ends
                case NamedPort() if direction is Direction.INGRESS:
                    for found in traffic_of(port, ports):
                        yield found, ends
                case NamedPort():
                    for found, serving in self.serving(port).items():
                        yield found, serving & ends


def names_ports(rule: Rule, direction: Direction) -> bool:
    """Whether what a rule matches depends on the ports that the subject names."""
    return direction is Direction.INGRESS and any(isinstance(one, NamedPort) for one in rule.ports or ())


def numbers(ports: Iterable[Port], own: tuple[ContainerPort, ...]) -> Iterator[Intervals]:
    """The traffic of some ports at an endpoint that names ports of its own."""
    for port in ports:
        match port:
            case Ports(protocol, first, last):
                yield traffic.of(protocol, first, last)
            case NamedPort():
                yield from traffic_of(port, own)


def traffic_of(port: NamedPort, ports: tuple[ContainerPort, ...]) -> Iterator[Intervals]:
    """The traffic that an endpoint means by a named port."""
    for one in ports:
        if one.name == port.name and port.protocol in (one.protocol, None):
            yield traffic.of(one.protocol, one.number, one.number)
