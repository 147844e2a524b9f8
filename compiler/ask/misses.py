"""Why no rule matches: the rules that come closest to a packet, each with what keeps it from matching.

Takes subjects that NetworkPolicies isolate and packets that none of their rules allows, gives rules by how
much about them would have to be otherwise: a port number first, a label next, an address that is not in a
block, a policy that does not select the subject last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address, format_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.ends import Place
from npc.compiler.ask.meaning import Meaning, numbers
from npc.compiler.ask.rulings import Decider, SubjectClass
from npc.compiler.ask.wording import peer_text, ports_text, traffic_text
from npc.compiler.frontend.syntax import (
    BehindService,
    Block,
    Direction,
    NamedPort,
    NetworkPolicy,
    Nodes,
    Peer,
    Pods,
    Port,
    Requirement,
    Rule,
    Selector,
)
from npc.compiler.inventory import Endpoint
from npc.compiler.labels import holds

MOST = 2
"""Rules that are named for one decision."""
AS_CLOSE = 1
"""How much further away than the first another rule may be to be named."""


class Aspect(Enum):
    """What of a rule does not fit."""

    PORT = "port"
    PROTOCOL = "protocol"
    POD_LABEL = "pod-label"
    NAMESPACE = "namespace"
    NAMESPACE_LABEL = "namespace-label"
    EXCEPT = "except"
    ADDRESS = "address"
    SUBJECT_LABEL = "subject-label"


_WEIGHTS = {
    Aspect.PORT: 2,
    Aspect.POD_LABEL: 3,
    Aspect.NAMESPACE_LABEL: 3,
    Aspect.EXCEPT: 3,
    Aspect.NAMESPACE: 4,
    Aspect.PROTOCOL: 4,
    Aspect.SUBJECT_LABEL: 5,
    Aspect.ADDRESS: 6,
}
"""How far away something of another aspect is; what is wrong with two is as far as both."""


@dataclass(frozen=True, slots=True)
class Miss:
    """One thing that keeps a rule from matching."""

    aspect: Aspect
    text: str
    """What the rule asks for, in the policy language, and what there is instead."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that does not match, with all that keeps it from matching."""

    rule: Decider
    misses: tuple[Miss, ...]
    example: Place | None = field(default=None, compare=False)

    @property
    def distance(self) -> int:
        return sum(_WEIGHTS[one.aspect] for one in self.misses)


def near_misses(
    meaning: Meaning,
    subjects: SubjectClass,
    subject: Endpoint,
    peer: Place,
    asked: Intervals,
    *,
    most: int = MOST,
) -> tuple[NearMiss, ...]:
    """The rules that come closest to matching any of the traffic that a subject would exchange with an end.

    No rule of the NetworkPolicies that isolate the subject matches any of it.
    """
    question = _Question(meaning, subjects.direction, subject, peer, asked)
    isolating = subjects.deciders.network
    found = [one for policy in isolating for one in question.rules(policy, ())]
    known = set(map(id, isolating))
    labels = subject.labels
    for policy in meaning.model.policies_in(subject.namespace):
        if id(policy) in known:
            continue
        others = [
            Miss(
                Aspect.SUBJECT_LABEL, f"it is for pods({one}); {_labelled(str(subject), subject.labels, one)}"
            )
            for one in _failing(policy.subject, labels)
        ]
        found += question.rules(policy, tuple(others))
    found.sort(key=lambda one: one.distance)
    return tuple(one for one in found[:most] if one.distance <= found[0].distance + AS_CLOSE)


@dataclass(frozen=True, slots=True)
class _Question:
    """A subject, the other end, and traffic that no rule allows."""

    meaning: Meaning
    direction: Direction
    subject: Endpoint
    peer: Place
    asked: Intervals

    def rules(self, policy: NetworkPolicy, others: tuple[Miss, ...]) -> Iterator[NearMiss]:
        """The rules of a policy, each with why it does not match; of those that mean nobody, none."""
        for index, rule in enumerate(policy.rules(self.direction)):
            misses = min((one for one in self._misses(rule, policy.namespace)), key=_distance, default=None)
            if misses is not None and (misses or others):
                yield NearMiss(Decider(policy, index, rule), (*others, *misses), self.peer)

    def _misses(self, rule: Rule, namespace: str) -> Iterator[tuple[Miss, ...]]:
        """What keeps a rule from matching by each of its peers."""
        if rule.peers is None:
            yield tuple(self._of_ports(rule, None, namespace))
            return
        for peer in rule.peers:
            yield (*self._of_peer(peer, namespace), *self._of_ports(rule, peer, namespace))

    def _of_ports(self, rule: Rule, peer: Peer | None, namespace: str) -> Iterator[Miss]:
        served = rule.ports
        if isinstance(peer, BehindService) and self.direction is Direction.EGRESS:
            targets = self.meaning.model.target_ports(peer, namespace)
            if not self._numbers(targets) & self.asked:
                served = targets
        if served is None:
            return
        numbers = self._numbers(served)
        if numbers & self.asked:
            return
        destination = self._destination
        names = [one for one in served if isinstance(one, NamedPort)]
        found = traffic_text(self.asked)
        if len(names) == len(served) and not numbers:
            who = str(destination) if destination is not None else "an address outside the cluster"
            yield Miss(Aspect.PORT, f"{ports_text(served)}; {who} has no port of that name")
            return
        protocols = set(traffic.by_protocol(numbers))
        is_protocol = protocols.isdisjoint(traffic.by_protocol(self.asked))
        text = ports_text(served)
        if names and (own := traffic.describe(numbers)) != text:
            text = f"{text} ({own})"
        words = f"{text}, not {found}" if len(self.asked.ranges) == 1 else text
        yield Miss(Aspect.PROTOCOL if is_protocol else Aspect.PORT, words)

    @property
    def _destination(self) -> Endpoint | None:
        return self.subject if self.direction is Direction.INGRESS else self._endpoint

    @property
    def _endpoint(self) -> Endpoint | None:
        number = self.peer.endpoint
        return None if number is None else self.meaning.model.inventory.endpoints[number]

    def _numbers(self, ports: Sequence[Port]) -> Intervals:
        """The traffic of ports, names looked up at the destination."""
        own = self._destination.ports if self._destination is not None else ()
        return Intervals.union(numbers(ports, own))

    def _of_peer(self, peer: Peer, namespace: str) -> Iterator[Miss]:
        if self.meaning.peer(peer, namespace) & self.peer.ends:
            return
        other = self._endpoint
        if isinstance(peer, Block):
            yield self._of_block(peer)
        elif isinstance(peer, Nodes):
            yield Miss(Aspect.ADDRESS, f"{peer_text(peer)}, not {self._name}")
        elif other is None:
            yield Miss(Aspect.ADDRESS, f"{peer_text(peer)}; {self._name} is no pod's address")
        elif isinstance(peer, Pods):
            yield from self._of_namespace(peer.namespaces, namespace, other)
            for one in _failing(peer.pods, other.labels):
                words = f"pods({one}); {_labelled(str(other), other.labels, one)}"
                yield Miss(Aspect.POD_LABEL, words)
        else:
            yield Miss(Aspect.POD_LABEL, f"{peer_text(peer)}; {other} is not behind it")

    def _of_namespace(self, namespaces: Selector | None, own: str, other: Endpoint) -> Iterator[Miss]:
        if namespaces is None:
            if other.namespace != own:
                yield Miss(Aspect.NAMESPACE, f"pods of its own namespace {own}; {other} is in another")
            return
        labels = self.meaning.model.inventory.namespaces.get(other.namespace, {})
        for one in _failing(namespaces, labels):
            words = _labelled(f"the namespace {other.namespace}", labels, one)
            yield Miss(Aspect.NAMESPACE_LABEL, f"ns({one}); {words}")

    def _of_block(self, block: Block) -> Miss:
        address = self._address
        if address is not None and block.cidr.range[0] <= address <= block.cidr.range[1]:
            hole = next((one for one in block.excepts if one.range[0] <= address <= one.range[1]), None)
            if hole is None:
                words = f"{block}; {self._name} is a pod, which is assumed to be in no block"
                return Miss(Aspect.ADDRESS, words)
            words = f"{format_cidr(block.cidr)} except {format_cidr(hole)}; {self._name} is in the except"
            return Miss(Aspect.EXCEPT, words)
        return Miss(Aspect.ADDRESS, f"{block}, not {self._name}")

    @property
    def _address(self) -> int | None:
        if self._endpoint is None:
            return self.peer.address
        return next((one for one in self._endpoint.addresses if Family.of(one) is self.peer.family), None)

    @property
    def _name(self) -> str:
        address = "" if self._address is None else format_address(self._address)
        if self._endpoint is None:
            return address
        return f"{self._endpoint} ({address})" if address else str(self._endpoint)


def _distance(misses: tuple[Miss, ...]) -> int:
    return sum(_WEIGHTS[one.aspect] for one in misses)


def _failing(selector: Selector, labels: Mapping[str, str]) -> list[Requirement]:
    """The requirements that do not hold."""
    return [one for one in selector.requirements if not holds(one, labels)]


def _labelled(name: str, labels: Mapping[str, str], need: Requirement) -> str:
    """What something has for the label that a requirement is about."""
    value = labels.get(need.key)
    return f"{name} has no {need.key}" if value is None else f"{name} has {need.key}={value}"
