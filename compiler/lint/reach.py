"""Whom and what rules speak of, whatever the cluster holds: enough to tell that some rules cover another.

Pods and nodes are boxes of labels, blocks are addresses. A pod may have any address, so blocks cover pods
only where they cover everybody, and pods never cover a block: what is said to be covered is, what is
covered by chance is not said to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.frontend.syntax import (
    BehindService,
    Block,
    NamedPort,
    Nodes,
    Operator,
    Peer,
    Pods,
    Port,
    Ports,
    Requirement,
    Rule,
    Selector,
)
from npc.compiler.inventory import NAME_LABEL
from npc.compiler.lint.label_sets import Box
from npc.compiler.resolve import addresses_of

_SERVED = Intervals.union(map(traffic.every, traffic.NUMBERS.values()))
"""Where a port that names no protocol can be."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Peers that rules may have, by kind."""

    everyone: bool = False
    pods: tuple[Box, ...] = ()
    nodes: tuple[Box, ...] = ()
    services: frozenset[tuple[str, str]] = frozenset()
    addresses: Intervals = Intervals()

    @staticmethod
    def of(peers: tuple[Peer, ...] | None, namespace: str) -> Ends:
        """The peers of a rule of a policy in a namespace."""
        if peers is None:
            return Ends(everyone=True)
        pods, nodes, services, blocks = [], [], set(), []
        for peer in peers:
            match peer:
                case Pods():
                    pods.append(pods_box(peer, namespace))
                case Nodes():
                    nodes.append(Box.of(peer.nodes))
                case BehindService():
                    services.add((peer.namespace or namespace, peer.name))
                case Block():
                    blocks.append(addresses_of(peer))
        addresses = Intervals.union(blocks)
        everyone = addresses == EVERY_ADDRESS
        return Ends(everyone, tuple(pods), tuple(nodes), frozenset(services), addresses)

    @staticmethod
    def union(many: Sequence[Ends]) -> Ends:
        """All that some have together."""
        addresses = Intervals.union(one.addresses for one in many)
        return Ends(
            any(one.everyone for one in many) or addresses == EVERY_ADDRESS,
            tuple(box for one in many for box in one.pods),
            tuple(box for one in many for box in one.nodes),
            frozenset().union(*(one.services for one in many)),
            addresses,
        )

    def is_within(self, other: Ends) -> bool:
        """Whether others cover all of these, whoever they are."""
        if other.everyone:
            return True
        return (
            not self.everyone
            and self.addresses <= other.addresses
            and self.services <= other.services
            and all(box.is_within(other.pods) for box in self.pods)
            and all(box.is_within(other.nodes) for box in self.nodes)
        )


def pods_box(pods: Pods, namespace: str) -> Box:
    """The pods that a peer, or a subject, can mean: by their own labels and those of their namespaces."""
    spaces = pods.namespaces
    if spaces is None:
        spaces = Selector((Requirement(NAME_LABEL, Operator.IN, (namespace,)),))
    return Box.of(spaces, "ns ") & Box.of(pods.pods, "pod ")


@dataclass(frozen=True, slots=True)
class Reach:
    """What a rule is about: its ports by number, its ports by name, and its peers."""

    numbers: Intervals
    names: frozenset[NamedPort]
    ends: Ends

    @staticmethod
    def of(rule: Rule, namespace: str) -> Reach:
        """What a rule of a policy in a namespace is about."""
        ports: tuple[Port, ...] = rule.ports or ()
        numbers = traffic.ANY if rule.ports is None else Intervals.union(map(_numbers, ports))
        names = frozenset(one for one in ports if isinstance(one, NamedPort))
        return Reach(numbers, names, Ends.of(rule.peers, namespace))

    @property
    def is_empty(self) -> bool:
        """Whether a rule is about nothing: it has a peer that no version of the API has (C5)."""
        has_ends = self.ends != Ends()
        return not has_ends or not (self.numbers or self.names)

    def is_within(self, others: Sequence[Reach]) -> bool:
        """Whether others together are about all that this is about."""
        others = [one for one in others if _overlap(self, one)]
        if not others or not self.numbers <= Intervals.union(one.numbers for one in others):
            return False
        if self.numbers and not self._is_covered_at(self.numbers.ranges[0][0], others):
            return False  # so it is for most rules
        for name in self.names:
            if not self.ends.is_within(Ends.union([one.ends for one in others if one.has(name)])):
                return False
        cuts = {cut for low, high in self.numbers.ranges for cut in (low, high + 1)}
        for one in others:
            cuts |= {cut for low, high in one.numbers.ranges for cut in (low, high + 1)}
        inside = (low for low, _ in pairwise(sorted(cuts)) if low in self.numbers)
        return all(self._is_covered_at(low, others) for low in inside)

    def _is_covered_at(self, number: int, others: Sequence[Reach]) -> bool:
        """Whether others have all the peers at one kind of traffic."""
        return self.ends.is_within(Ends.union([one.ends for one in others if number in one.numbers]))

    def has(self, name: NamedPort) -> bool:
        """Whether it is about a port by name, whatever its number."""
        if name in self.names or NamedPort(None, name.name) in self.names:
            return True
        needed = _SERVED if name.protocol is None else traffic.every(name.protocol)
        return needed <= self.numbers


def _overlap(one: Reach, other: Reach) -> bool:
    """Whether another may cover a part: without this, most rules need no closer look."""
    mine, theirs = one.numbers.ranges, other.numbers.ranges
    if mine and theirs and mine[0][0] <= theirs[-1][1] and theirs[0][0] <= mine[-1][1]:
        return len(mine) == len(theirs) == 1 or bool(one.numbers & other.numbers)
    return any(other.has(name) for name in one.names)


def _numbers(port: Port) -> Intervals:
    return traffic.of(port.protocol, port.first, port.last) if isinstance(port, Ports) else Intervals()
