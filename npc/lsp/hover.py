"""What a word of a policy comes to in the cluster: the endpoints of a peer, what a name stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import format_address
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.inventory import Node as KubernetesNode
from npc.compiler.inventory import Service as KubernetesService
from npc.compiler.language import tree
from npc.compiler.language.icmp import TYPES
from npc.compiler.language.tree import DEFAULT_NAMESPACE
from npc.lsp.cluster import Cluster
from npc.lsp.keywords import ICMP
from npc.lsp.project import Document, Project
from npc.lsp.trees import Node, path_at
from npc.lsp.trouble import inventory_trouble

MOST = 10
"""Endpoints that are listed; the rest is counted."""

_PEERS = (
    tree.Pods,
    tree.Namespaces,
    tree.NamedNamespace,
    tree.Nodes,
    tree.BehindService,
    tree.NamedEnd,
    tree.Block,
    tree.Everyone,
    tree.SetReference,
)
_Sets = dict[str, tuple[Document, tree.SetDefinition]]
"""Sets by name, each with where it is written."""
_NO_INVENTORY = "No inventory: name one in the editor's settings to see the endpoints."


@dataclass(frozen=True, slots=True)
class Hover:
    """A text in Markdown, and the characters that it is about."""

    markdown: str
    start: int
    end: int


def hover(document: Document, offset: int, project: Project) -> Hover | None:
    """What is to say about the word at an offset; None where there is nothing."""
    path = path_at(document.program, offset)
    if not path:
        return None
    home = _home(path[0])
    peer = next((one for one in path if isinstance(one, _PEERS)), None)
    if peer is not None:
        return _hover(peer, _peer(peer, home, document, project))
    match path:
        case [tree.PolicyBlock() | tree.ClusterPolicyBlock() as policy, *_, tree.Text() as name] if (
            name is policy.name
        ):
            return _hover(name, _policy(policy, home, project))
        case [tree.SetDefinition() as named, *_, tree.Text() as name] if name is named.name:
            return _hover(name, _set(named, document, home, project))
        case [tree.ServiceDefinition() as named, *_, tree.Text() as name] if name is named.name:
            return _hover(name, _services(named, document))
        case [*_, tree.ServiceReference() as reference] | [*_, tree.ServiceReference() as reference, _]:
            return _hover(reference, _referred(reference, document, project))
        case [*_, tree.Service(protocol=protocol, port=tree.Text(text=name)) as service] | [
            *_,
            tree.Service(protocol=protocol, port=tree.Text(text=name)) as service,
            _,
        ]:
            return _hover(service, _named_port(protocol, name, project))
        case _:
            return None


def _hover(node: Node, lines: Iterable[str]) -> Hover:
    return Hover("\n".join(lines), node.start, node.end)


def _without_inventory(project: Project) -> str:
    """Why nothing can be said of endpoints."""
    return inventory_trouble(project) or _NO_INVENTORY


def _referred(reference: tree.ServiceReference, document: Document, project: Project) -> Iterator[str]:
    """What a service's name stands for."""
    match project.definition(document, reference):
        case where, tree.ServiceDefinition() as target:
            yield from _services(target, where)
        case _:
            yield f"There is no service `{reference.name.text}`."


def _home(item: object) -> str | None:
    """The namespace of a policy; None outside of one."""
    if not isinstance(item, tree.PolicyBlock):
        return None
    return item.namespace.text if item.namespace is not None else DEFAULT_NAMESPACE


def _peer(peer: tree.Peer, home: str | None, document: Document, project: Project) -> Iterator[str]:
    """What a peer means, or a subject."""
    match peer:
        case tree.Everyone():
            yield "Every address, inside the cluster and outside."
            return
        case tree.SetReference():
            match project.definition(document, peer):
                case where, tree.SetDefinition() as target:
                    yield from _set(target, where, home, project)
                case _:
                    yield f"There is no set `{peer.name.text}`."
            return
    cluster = project.cluster()
    if cluster is None:
        yield _without_inventory(project)
        return
    match peer:
        case tree.Nodes(requirements=requirements):
            yield from _listed(cluster.nodes(requirements), "node")
        case tree.BehindService(name=name, namespace=namespace):
            service = cluster.service(name.text, namespace.text if namespace else home)
            if service is None:
                yield f"The inventory has no Service `{name.text}`."
                return
            yield _ports_of(service)
            yield ""
            yield from _listed(cluster.behind(service), "endpoint")
        case tree.NamedEnd(name=name):
            called = cluster.called(name.text)
            if isinstance(called, str):
                yield f"{called}."
                return
            yield from _listed(called, "endpoint")
        case tree.Block():
            inside = cluster.within(peer)
            if inside is None:
                yield "This is no block of addresses."
                return
            yield from _listed(inside, "endpoint", "inside")
        case _:
            endpoints = endpoints_of(peer, home, cluster)
            spaces = Counter(one.namespace for one in endpoints)
            extent = f"in {len(spaces)} namespaces" if len(spaces) > 1 else ""
            yield from _listed(endpoints, "endpoint", extent)
            if isinstance(peer, tree.Pods) and peer.namespaces is None and home is None:
                yield ""
                yield "Of all namespaces: each policy that uses the set means those of its own."


def endpoints_of(
    peer: tree.Pods | tree.Namespaces | tree.NamedNamespace, home: str | None, cluster: Cluster
) -> list[Endpoint]:
    """The endpoints that a selector means."""
    match peer:
        case tree.Pods(requirements=requirements, namespaces=chosen):
            return cluster.pods(requirements, cluster.namespaces(chosen, home))
        case _:
            return cluster.pods((), cluster.namespaces(peer, home))


def _policy(
    policy: tree.PolicyBlock | tree.ClusterPolicyBlock, home: str | None, project: Project
) -> Iterator[str]:
    """Whom a policy is for, and what it isolates or how many rules it has."""
    rules = [one for one in policy.statements if isinstance(one, tree.RuleStatement)]
    counted = Counter(one.direction for one in rules)
    shown = ", ".join(f"{_count(counted[one], f'{one.value} rule')}" for one in Direction if counted[one])
    if isinstance(policy, tree.ClusterPolicyBlock):
        yield f"Cluster policy of the {policy.tier.value} tier: {shown or 'no rules'}."
    else:
        stated = [one for one in policy.statements if isinstance(one, tree.Isolate)]
        isolated = {direction for one in stated for direction in one.directions}
        if not any(one.only for one in stated):
            isolated |= counted.keys()
        words = " and ".join(one.value for one in Direction if one in isolated) or "nothing"
        yield f"NetworkPolicy {home}/{policy.name.text}, isolates {words}: {shown or 'no rules'}."
    yield ""
    cluster = project.cluster()
    if cluster is None:
        yield _without_inventory(project)
    else:
        yield from _listed(endpoints_of(policy.subject, home, cluster), "endpoint", "selected")


def _set(
    definition: tree.SetDefinition, document: Document, home: str | None, project: Project
) -> Iterator[str]:
    """What a set expands to, each peer with how many endpoints it means."""
    yield f"**set {definition.name.text}**"
    yield ""
    for where, peer in _expanded(definition, document, project):
        count = _size(peer, home, project.cluster())
        yield f"- `{where.slice(peer)}`{count}"


def _expanded(
    definition: tree.SetDefinition, document: Document, project: Project
) -> Iterator[tuple[Document, tree.Peer]]:
    """The peers of a set with those of the sets that it names, each set once."""
    known: dict[Path, _Sets] = {}
    seen = {definition.name.text}
    within = [(document, iter(definition.peers))]
    """The sets that are being expanded, each in the one before it: a stack, for Python recurses less deep."""
    while within:
        where, peers = within[-1]
        peer = next(peers, None)
        if peer is None:
            within.pop()
        elif not isinstance(peer, tree.SetReference):
            yield where, peer
        elif peer.name.text not in seen:
            if where.path not in known:
                known[where.path] = _sets(where, project)
            if (found := known[where.path].get(peer.name.text)) is not None:
                seen.add(peer.name.text)
                within.append((found[0], iter(found[1].peers)))


def _sets(document: Document, project: Project) -> _Sets:
    """The sets that a document can name; the nearest, of those of one name."""
    found: _Sets = {}
    for where, definition in project.definitions(document):
        if isinstance(definition, tree.SetDefinition):
            found.setdefault(definition.name.text, (where, definition))
    return found


def _size(peer: tree.Peer, home: str | None, cluster: Cluster | None) -> str:
    """`: 3 endpoints`, where it can be said."""
    if cluster is None:
        return ""
    match peer:
        case tree.Pods() | tree.Namespaces() | tree.NamedNamespace():
            return f": {_count(len(endpoints_of(peer, home, cluster)), 'endpoint')}"
        case tree.Nodes(requirements=requirements):
            return f": {_count(len(cluster.nodes(requirements)), 'node')}"
        case tree.Block():
            inside = cluster.within(peer)
            return f": {_count(len(inside), 'endpoint')} inside" if inside else ""
        case tree.BehindService(name=name, namespace=namespace):
            service = cluster.service(name.text, namespace.text if namespace else home)
            return f": {_count(len(cluster.behind(service)), 'endpoint')}" if service else ""
        case _:
            return ""


def _services(definition: tree.ServiceDefinition, document: Document) -> Iterator[str]:
    yield f"**service {definition.name.text}**"
    yield ""
    for one in definition.services:
        yield f"- `{document.slice(one)}`"


def _named_port(protocol: str, name: str, project: Project) -> Iterator[str]:
    """The numbers that endpoints give a port, or that it is a type of ICMP."""
    if (number := ICMP.get(protocol)) is not None:
        code = TYPES[number].get(name)
        yield f"There is no type `{name}` of {protocol}." if code is None else f"Type {code} of {protocol}."
        return
    cluster = project.cluster()
    if cluster is None:
        yield _without_inventory(project)
        return
    known = traffic.NUMBERS.get(protocol.upper())
    numbers = Counter(
        (traffic.NAMES[port.protocol].lower(), port.number)
        for one in cluster.inventory.endpoints
        for port in one.ports
        if port.name == name and known in (None, port.protocol)
    )
    if not numbers:
        yield f"No endpoint of the inventory has a {protocol} port named `{name}`."
    for (at, number), count in sorted(numbers.items()):
        yield f"- {at}/{number} at {_count(count, 'endpoint')}"


def _ports_of(service: KubernetesService) -> str:
    ports = [f"`{traffic.NAMES[one.protocol].lower()}/{one.port}`" for one in service.ports]
    return f"Service {service.namespace}/{service.name}, at {', '.join(ports) or 'no port'}."


def _listed(
    found: Sequence[Endpoint] | Sequence[KubernetesNode], word: str, extent: str = ""
) -> Iterator[str]:
    """How many there are, and the first of them with their addresses."""
    yield f"**{_count(len(found), word)}**" + (f" {extent}" if extent else "")
    if found:
        yield ""
    for one in found[:MOST]:
        addresses = ", ".join(map(format_address, one.addresses))
        name = str(one) if isinstance(one, Endpoint) else one.name
        yield f"- {name}" + (f" ({addresses})" if addresses else "")
    if len(found) > MOST:
        yield f"- and {len(found) - MOST:,} more"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")
