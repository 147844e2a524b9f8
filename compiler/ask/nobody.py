"""Why a peer in a question is nobody: the namespace or the label that nothing has, and what was meant.

Takes a peer that means nobody in a model, gives a sentence and help.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from npc.compiler.ask.wording import listed, peer_text
from npc.compiler.frontend.diagnostics import nearest
from npc.compiler.frontend.shapes import quoted
from npc.compiler.frontend.syntax import EVERYTHING, Nodes, Operator, Peer, Pods, Requirement, Selector
from npc.compiler.inventory import NAME_LABEL
from npc.compiler.labels import holds, matches, members
from npc.compiler.resolve import Model

_MOST_COMPARED = 2_000
"""Labels that are compared with one that nothing has."""
_FEW = 5

Labels = Mapping[str, str]


def why_nobody(model: Model, peer: Peer, namespace: str) -> tuple[str, str]:
    """What keeps a peer from meaning anybody, and what may have been meant."""
    inventory = model.inventory
    match peer:
        case Pods(pods=pods, namespaces=spaces):
            if spaces is None:
                spaces = Selector.of([Requirement(NAME_LABEL, Operator.IN, (namespace,))])
            labels = list(inventory.namespaces.values())
            for one in spaces.requirements:
                if one.key == NAME_LABEL and one.operator is Operator.IN:
                    if not inventory.namespaces.keys() & set(one.values):
                        return absent_namespace(model, one.values[0])
                elif found := _unmet(one, labels, "namespace"):
                    return found
            if not any(matches(spaces, one) for one in labels):
                return f"no namespace has all of {spaces}", ""
            own = model.selected(Pods(EVERYTHING, spaces), namespace)
            if not own:
                return "no pod is in such a namespace", ""
            there = [inventory.endpoints[number].labels for number in members(own)]
            return _no_match(pods, there, "pod there")
        case Nodes(nodes=selector):
            if not inventory.nodes:
                return "the inventory has no nodes", ""
            return _no_match(selector, [one.labels for one in inventory.nodes], "node")
        case _:
            return f"nobody is behind {peer_text(peer)}", "check the labels of its pods"


def absent_namespace(model: Model, name: str) -> tuple[str, str]:
    """That there is no such namespace."""
    names = sorted(model.inventory.namespaces)
    close = nearest(name, names)
    help = f"did you mean ns/{close}?" if close else f"it has {listed(names)}"
    return f"the inventory has no namespace {quoted(name)}", help


def _no_match(selector: Selector, labels: Sequence[Labels], what: str) -> tuple[str, str]:
    for one in selector.requirements:
        if found := _unmet(one, labels, what):
            return found
    return f"no {what} has all of {selector}", "each of them is had by some, but by none all"


def _unmet(need: Requirement, labels: Sequence[Labels], what: str) -> tuple[str, str] | None:
    """That nothing meets one requirement; None where something does."""
    if any(holds(need, one) for one in labels):
        return None
    match need.operator:
        case Operator.NOT_IN | Operator.DOES_NOT_EXIST:
            return f"every {what} has {'one of ' if len(need.values) > 1 else ''}{_positive(need)}", ""
        case Operator.IN | Operator.EXISTS:
            values = _few({one[need.key] for one in labels if need.key in one})
            if not values:
                close = nearest(need.key, _few({key for one in labels for key in one}))
                return f"no {what} has the label {need.key}", f"did you mean {close}?" if close else ""
            close = nearest(need.values[0], values) if need.values else None
            help = f"did you mean {need.key}={close}?" if close else f"{need.key} is {listed(values, _FEW)}"
            return f"no {what} has {need}", help


def _positive(need: Requirement) -> str:
    return ", ".join(f"{need.key}={one}" for one in need.values) if need.values else need.key


def _few(words: Iterable[str]) -> list[str]:
    return sorted(words)[:_MOST_COMPARED]
