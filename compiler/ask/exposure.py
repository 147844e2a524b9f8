"""What could be exchanged with pods that do not exist yet: whoever comes with the labels that rules ask for.

Takes a model, gives strangers: for each peer of a rule that speaks of pods, a pod with the labels that it
asks for and no others, in a namespace made likewise. They are endpoints without addresses beside the
inventory's, so that the relation decides about them as about any other; only the decision at the end that
exists counts, for which policies a pod to come will bring is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.relation import Relation
from npc.compiler.frontend.syntax import (
    EVERYTHING,
    BehindService,
    Block,
    Direction,
    NamedPort,
    NetworkPolicy,
    Nodes,
    Operator,
    Pods,
    Policy,
    Port,
    Requirement,
    Rule,
    Selector,
)
from npc.compiler.inventory import NAME_LABEL, ContainerPort, Endpoint
from npc.compiler.labels import Bits, LabelIndex, bits_of, members
from npc.compiler.resolve import Model

_NAMELESS = 24
"""Bits from which on the numbers of named ports of strangers begin: beyond all that is on the number line."""
_SOME_VALUE = "?"
"""The value of a label of which any is asked for: no selector names it, for it is no label's."""

ANY_POD = Pods(EVERYTHING, EVERYTHING)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A pod that does not exist, of those that a peer means."""

    peer: Pods
    """Of which the namespaces are never None."""
    endpoint: int
    """Its number in the inventory that has the strangers."""
    below: Bits
    """The strangers, by their places, that the peer means too, and whose own peers mean fewer."""
    matching: Bits
    """The endpoints that exist which it means."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """Traffic that may be exchanged with whoever comes as some peers say; the widest of them alone."""

    traffic: Intervals
    named: tuple[str, ...]
    """Ports that they would name, `tcp/postgres`: which numbers that means, they will tell."""
    strangers: tuple[int, ...]
    """By their places."""


@dataclass(frozen=True, slots=True)
class Populated:
    """A model with strangers among its endpoints."""

    model: Model
    present: Bits
    """The endpoints that exist, or that a manifest makes."""
    strangers: tuple[Stranger, ...]
    ports: tuple[ContainerPort, ...]
    """The ports that rules name, each of another number that no port has."""
    places: Mapping[int, int]
    """The place among the strangers of each endpoint that is one."""

    @property
    def absent(self) -> Bits:
        """The endpoints that are strangers."""
        return (1 << len(self.model.inventory.endpoints)) - 1 & ~self.present


def populated(model: Model) -> Populated:
    """A model with a stranger for each peer of its rules, and one that nobody asks for."""
    inventory = model.inventory
    namespaces = {name: dict(labels) for name, labels in inventory.namespaces.items()}
    ports = tuple(_ports(model))
    made: list[tuple[Pods, Endpoint]] = []
    for number, peer in enumerate(dict.fromkeys([ANY_POD, *_peers(model)])):
        for variant, (pod, space) in enumerate(_variants(peer)):
            name = space.get(NAME_LABEL, f"?{number}.{variant}")
            if space.keys() <= {NAME_LABEL}:
                namespaces.setdefault(name, {NAME_LABEL: name})
            else:
                name = f"?{number}.{variant}"
                namespaces[name] = {NAME_LABEL: name} | space
            made.append((_narrowed(peer, pod, space), Endpoint(name, f"?{number}.{variant}", pod, (), ports)))
    tagged = [(one, -1) for one in inventory.endpoints] + [(one, at) for at, (_, one) in enumerate(made)]
    tagged.sort(key=lambda pair: (pair[0].namespace, pair[0].name))
    endpoints = tuple(one for one, _ in tagged)
    present = bits_of((number for number, (_, at) in enumerate(tagged) if at < 0), len(endpoints))
    places = {at: number for number, (_, at) in enumerate(tagged) if at >= 0}
    enlarged = Model(
        model.policies,
        model.cluster_policies,
        replace(inventory, endpoints=endpoints, namespaces=dict(sorted(namespaces.items()))),
    )
    related = _related(enlarged, present, [peer for peer, _ in made], places)
    return Populated(enlarged, present, related, ports, {one: at for at, one in places.items()})


def exposure(
    relation: Relation, populated: Populated, direction: Direction, endpoint: int
) -> tuple[Exposed, ...]:
    """What an endpoint may exchange with strangers in a direction, as far as it decides."""
    strangers, places, absent = populated.strangers, populated.places, populated.absent
    met: list[tuple[Intervals, Intervals, list[int]]] = []
    for ends, traffic_ in relation.profile(relation.of(direction, endpoint)):
        if own := sorted(places[number] for number in members(ends.endpoints & absent)):
            met.append((*_named_apart(traffic_), own))
    found: list[Exposed] = []
    for traffic_, named, own in met:
        covered = 0
        for more, more_named, others in met:
            if traffic_ <= more and named <= more_named | _of_all_ports(more, named):
                for one in others:
                    covered |= strangers[one].below
        if widest := tuple(one for one in own if not covered >> one & 1):
            words = tuple(
                f"{traffic.NAMES[port.protocol]}/{port.name}"
                for port in populated.ports
                if port.protocol << 16 | port.number in named
            )
            found.append(Exposed(traffic_, words, widest))
    return tuple(sorted(found, key=lambda one: (one.traffic.ranges, one.named)))


def _named_apart(mixed: Intervals) -> tuple[Intervals, Intervals]:
    """Traffic of known numbers, and the named ports beside it that its numbers do not cover."""
    known = mixed & traffic.ANY
    named = mixed - traffic.ANY
    return known, named - _of_all_ports(known, named)


def _of_all_ports(known: Intervals, named: Intervals) -> Intervals:
    """The named ports of protocols of which all ports are among some traffic."""
    return Intervals(
        tuple(
            (low, high)
            for low, high in named.ranges
            if traffic.every(low >> 16 & traffic.LAST_PROTOCOL) <= known
        )
    )


def _ports(model: Model) -> Iterator[ContainerPort]:
    """The ports that egress rules name, and the Services that they are to."""
    names = {
        (protocol, port.name): None
        for policy in _policies(model)
        for rule in policy.rules(Direction.EGRESS)
        for port in (*(rule.ports or ()), *_target_ports(model, policy, rule))
        if isinstance(port, NamedPort)
        for protocol in (traffic.NUMBERS.values() if port.protocol is None else (port.protocol,))
    }
    for number, (protocol, name) in enumerate(names):
        yield ContainerPort(name, protocol, number + 1 << _NAMELESS)


def _target_ports(model: Model, policy: Policy, rule: Rule) -> Iterator[Port]:
    """Where the Services of a rule send what they get."""
    for peer in rule.peers or ():
        if isinstance(peer, BehindService):
            yield from model.target_ports(peer, _home(policy))


def _peers(model: Model) -> Iterator[Pods]:
    """The pods that rules speak of, with the namespaces that they are in; of a Service, by its labels."""
    for policy in _policies(model):
        home = _home(policy)
        for direction in Direction:
            for rule in policy.rules(direction):
                for peer in rule.peers or ():
                    match peer:
                        case Pods(pods=pods, namespaces=None):
                            yield Pods(pods, _named(home))
                        case Pods():
                            yield peer
                        case BehindService():
                            labels = model.service(peer, home).selector
                            yield Pods(_labelled(labels), _named(peer.namespace or home))
                        case Block() | Nodes():
                            pass


def _policies(model: Model) -> tuple[Policy, ...]:
    return (*model.policies, *model.cluster_policies)


def _home(policy: Policy) -> str:
    return policy.namespace if isinstance(policy, NetworkPolicy) else ""


def _labelled(labels: Mapping[str, str]) -> Selector:
    return Selector.of([Requirement(key, Operator.IN, (value,)) for key, value in labels.items()])


def _named(namespace: str) -> Selector:
    return Selector((Requirement(NAME_LABEL, Operator.IN, (namespace,)),))


def _variants(peer: Pods) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """The labels of pods and namespaces that a peer means, with no more than it asks for."""
    spaces = list(_fulfilling(peer.namespaces or EVERYTHING))
    for pod in _fulfilling(peer.pods):
        for space in spaces:
            yield pod, space


def _fulfilling(selector: Selector) -> Iterator[dict[str, str]]:
    """The least labels that a selector matches, one set for each choice; none if it cannot match."""
    choices: list[list[tuple[str, str]]] = []
    for need in selector.requirements:
        if need.operator is Operator.IN:
            choices.append([(need.key, value) for value in need.values])
        elif need.operator is Operator.EXISTS:
            choices.append([(need.key, _SOME_VALUE)])
    for chosen in product(*choices):
        named = [pair for pair in chosen if pair[1] != _SOME_VALUE]
        labels = dict([pair for pair in chosen if pair[1] == _SOME_VALUE] + named)
        index = LabelIndex([labels])
        if index.select(selector, index.everything):
            yield labels


def _narrowed(peer: Pods, pod: Mapping[str, str], space: Mapping[str, str]) -> Pods:
    """A peer for one of the choices that it leaves."""
    return Pods(_chosen(peer.pods, pod), _chosen(peer.namespaces or EVERYTHING, space))


def _chosen(selector: Selector, labels: Mapping[str, str]) -> Selector:
    return Selector.of(
        [
            Requirement(need.key, Operator.IN, (labels[need.key],)) if need.operator is Operator.IN else need
            for need in selector.requirements
        ]
    )


def _related(
    model: Model, present: Bits, peers: Sequence[Pods], places: Mapping[int, int]
) -> tuple[Stranger, ...]:
    """The strangers, each with those that its peer means too."""
    selected = [model.selected(peer, "") for peer in peers]
    at = {endpoint: place for place, endpoint in places.items()}
    everyone = bits_of(at, len(model.inventory.endpoints))
    met = [bits_of((at[number] for number in members(bits & everyone)), len(peers)) for bits in selected]
    found = []
    for place, peer in enumerate(peers):
        below = 0
        for other in members(met[place]):
            is_mutual = met[other] >> place & 1
            if other != place and (not is_mutual or place < other):
                below |= 1 << other
        found.append(Stranger(peer, places[place], below, selected[place] & present))
    return tuple(found)
