"""Peers that match nobody in the inventory, and named ports that no destination has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, nearest
from npc.compiler.frontend.syntax import (
    Action,
    Block,
    ClusterPolicy,
    Direction,
    NamedPort,
    NetworkPolicy,
    Operator,
    Pods,
    Policy,
    Selector,
)
from npc.compiler.labels import Bits, members
from npc.compiler.lint.checked import Checked, Placed, about, namespace_of, peer_origin, port_origin
from npc.compiler.lint.label_sets import contradiction
from npc.compiler.resolve import Model, addresses_of, named, words_of


def unmatched_peers(checked: Checked) -> Iterator[Diagnostic]:
    """NPC704. A rule that denies nobody at all is NPC419's, a selector that can match nothing NPC710's."""
    if checked.model is None:
        return
    chosen, vocabulary = _Chosen(checked.model), _Vocabulary(checked.model)
    for one in checked.rules():
        peers = list(enumerate(one.rule.peers or ()))
        empty = [
            (index, peer)
            for index, peer in peers
            if isinstance(peer, Pods)
            and not chosen.by(peer, one.policy)
            and not contradiction(peer.pods)
            and not (peer.namespaces is not None and contradiction(peer.namespaces))
        ]
        if one.rule.action is Action.DENY and len(empty) == len(peers):
            continue
        for index, peer in empty:
            yield Diagnostic(
                codes.NO_PEERS,
                f"no pod of the inventory is meant by {words_of(peer, namespace_of(one.policy))}",
                peer_origin(one, index),
                help=vocabulary.nearest(peer) or "no pod has all of its labels in its namespaces",
                about=about(one.policy),
            )


def unresolved_ports(checked: Checked) -> Iterator[Diagnostic]:
    """NPC705: a port by name resolves at the destination (P10), and none of those has it."""
    if checked.model is None:
        return
    model, chosen = checked.model, _Chosen(checked.model)
    for one in checked.rules():
        for index, port in enumerate(one.rule.ports or ()):
            if not isinstance(port, NamedPort):
                continue
            destinations = list(_destinations(one, model, chosen))
            if destinations and not any(
                named(model.inventory.endpoints[number], port) for number in destinations
            ):
                yield Diagnostic(
                    codes.NO_SUCH_PORT,
                    f"no pod that the rule may lead to names a port {_port(port)} (of {len(destinations):,})",
                    port_origin(one, index),
                    help=_other_ports(port, destinations, model),
                    about=about(one.policy),
                )


@dataclass(slots=True)
class _Chosen:
    """The pods that peers and subjects mean; each is asked for once."""

    model: Model
    _known: dict[tuple[Pods, str], Bits] = field(default_factory=dict)

    def by(self, pods: Pods, policy: Policy) -> Bits:
        """Those that a peer of a policy means."""
        key = pods, namespace_of(policy) if pods.namespaces is None else ""
        if key not in self._known:
            self._known[key] = self.model.selected(pods, key[1])
        return self._known[key]

    def subjects(self, policy: Policy) -> Bits:
        """Those that a policy is for."""
        match policy:
            case NetworkPolicy(subject=subject):
                return self.by(Pods(subject), policy)
            case ClusterPolicy(subject=pods):
                return self.by(pods, policy)


def _destinations(one: Placed, model: Model, chosen: _Chosen) -> Iterator[int]:
    """The endpoints that a rule's traffic may go to."""
    if one.direction is Direction.INGRESS:
        yield from members(chosen.subjects(one.policy))
    elif one.rule.peers is None:
        yield from range(len(model.inventory.endpoints))
    else:
        for peer in one.rule.peers:
            if isinstance(peer, Pods):
                yield from members(chosen.by(peer, one.policy))
            elif isinstance(peer, Block):
                block = addresses_of(peer)
                for number, endpoint in enumerate(model.inventory.endpoints):
                    if any(address in block for address in endpoint.addresses):
                        yield number


@dataclass(slots=True)
class _Vocabulary:
    """The labels of pods and of namespaces, with their values."""

    model: Model
    _pods: dict[str, set[str]] = field(default_factory=dict)
    _spaces: dict[str, set[str]] = field(default_factory=dict)

    def nearest(self, peer: Pods) -> str:
        """What was probably meant by a peer, where a label is none that exists."""
        if not self._pods:
            _add(self._pods, (one.labels for one in self.model.inventory.endpoints))
            _add(self._spaces, self.model.inventory.namespaces.values())
        in_spaces = _nearest(peer.namespaces, self._spaces, "namespace") if peer.namespaces else ""
        return in_spaces or _nearest(peer.pods, self._pods, "pod")


def _add(known: dict[str, set[str]], things: Iterable[Mapping[str, str]]) -> None:
    for labels in things:
        for key, value in labels.items():
            known.setdefault(key, set()).add(value)


def _nearest(selector: Selector, known: Mapping[str, set[str]], what: str) -> str:
    for one in selector.requirements:
        if one.operator in (Operator.IN, Operator.EXISTS):
            if one.key not in known:
                return _meant(f"no {what} has a label {one.key}", one.key, known)
            for value in one.values:
                if value not in known[one.key]:
                    return _meant(f"no {what} has {one.key}={value}", value, known[one.key])
    return ""


def _meant(message: str, word: str, known: Iterable[str]) -> str:
    close = nearest(word, sorted(known))
    return f"{message}: did you mean {close!r}?" if close is not None else message


def _port(port: NamedPort) -> str:
    return f"{port.name!r}" if port.protocol is None else f"{traffic.NAMES[port.protocol]}/{port.name}"


def _other_ports(port: NamedPort, destinations: Iterable[int], model: Model) -> str:
    there = {one for number in destinations for one in model.inventory.endpoints[number].ports}
    names = sorted({one.name for one in there})
    close = nearest(port.name, names)
    if port.name in names:
        protocols = sorted({traffic.NAMES[one.protocol].upper() for one in there if one.name == port.name})
        return f"they name it for {' and '.join(protocols)}"
    if close is not None:
        return f"did you mean {close!r}?"
    few = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"they name {few}" if names else "they name no port: write its number"
