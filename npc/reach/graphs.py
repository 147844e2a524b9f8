"""A report as a graph: for Graphviz (dot) and for Mermaid.

Workloads of a namespace that send and receive the same are one node, so that a graph has as many nodes as
there are different workloads. Where all may be reached there is one edge to `everyone`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from npc.compiler.algebra.intervals import Intervals
from npc.compiler.labels import Bits, members
from npc.reach.names import blocks
from npc.reach.report import Report, Sentence

_MOST_NAMES = 4
"""Workloads that a node names."""


@dataclass(frozen=True, slots=True)
class _Edge:
    source: str
    destination: str
    ports: str


@dataclass(frozen=True, slots=True)
class _Graph:
    """Nodes by their ids, in the namespaces that they are drawn in (empty: in none), and edges."""

    namespaces: dict[str, dict[str, list[str]]]
    """The lines of each node, by its id, by namespace."""
    edges: tuple[_Edge, ...]


def as_dot(report: Report) -> str:
    """For Graphviz."""
    graph = _graph(report)
    lines = ["digraph connections {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    lines.append('  edge [fontname="sans-serif", fontsize=10];')
    for number, (namespace, nodes) in enumerate(graph.namespaces.items()):
        indent = "  "
        if namespace:
            lines += [f"  subgraph cluster_{number} {{", f"    label={_dot(namespace)};"]
            indent = "    "
        lines += [f"{indent}{node} [label={_dot(*words)}];" for node, words in nodes.items()]
        if namespace:
            lines.append("  }")
    lines += [f"  {one.source} -> {one.destination} [label={_dot(one.ports)}];" for one in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def as_mermaid(report: Report) -> str:
    """For Mermaid."""
    graph = _graph(report)
    lines = ["flowchart LR"]
    for number, (namespace, nodes) in enumerate(graph.namespaces.items()):
        indent = "  "
        if namespace:
            lines.append(f"  subgraph ns{number}[{_mermaid(namespace)}]")
            indent = "    "
        lines += [f"{indent}{node}[{_mermaid(*words)}]" for node, words in nodes.items()]
        if namespace:
            lines.append("  end")
    lines += [f"  {one.source} -->|{_mermaid(one.ports)}| {one.destination}" for one in graph.edges]
    return "\n".join(lines) + "\n"


def _graph(report: Report) -> _Graph:
    groups = list(_groups(report))
    connections = report.connections
    group_of = {number: place for place, group in enumerate(groups) for number in group}
    namespaces: dict[str, dict[str, list[str]]] = {}
    joined: dict[tuple[str, str], list[str]] = {}
    special: dict[str, list[str]] = {}

    def ids(who: Bits | Intervals) -> Iterator[str]:
        if isinstance(who, Intervals):
            words = blocks(who)
            node = next((one for one, known in special.items() if known == words), f"o{len(special)}")
            special[node] = words
            yield node
        elif who == connections.everyone and len(groups) > 2:
            special["everyone"] = ["everyone"]
            yield "everyone"
        else:
            yield from dict.fromkeys(f"w{group_of[number]}" for number in members(who))

    for place, group in enumerate(groups):
        namespace = connections.parties[group[0]].workload.namespace
        names = [report.names.parties[number].removeprefix(f"{namespace}/") for number in group]
        if len(names) > _MOST_NAMES + 1:
            names = [*names[:_MOST_NAMES], f"and {len(names) - _MOST_NAMES:,} more"]
        namespaces.setdefault(namespace, {})[f"w{place}"] = names
    for one in (*report.arriving, *report.inside, *report.leaving):
        for source in ids(one.source):
            for destination in ids(one.destination):
                if not _is_alone(report, groups, source, destination):
                    joined.setdefault((source, destination), []).append(one.ports)
    used = {node for pair in joined for node in pair}
    if special:
        namespaces[""] = {node: words for node, words in special.items() if node in used}
    edges = tuple(_Edge(*pair, ", ".join(ports)) for pair, ports in joined.items())
    return _Graph(namespaces, edges)


def _is_alone(report: Report, groups: Sequence[Sequence[int]], source: str, destination: str) -> bool:
    """Whether an edge would lead from a single pod to itself."""
    if source != destination or not source.startswith("w"):
        return False
    group = groups[int(source[1:])]
    return len(group) == 1 and not report.connections.has_others(group[0])


def _groups(report: Report) -> Iterator[list[int]]:
    """The parties in groups: those of a namespace that are in the same sentences on either side."""
    sides: list[list[int]] = [[] for _ in report.connections.parties]
    sentences: tuple[Sentence, ...] = (*report.arriving, *report.inside, *report.leaving)
    for number, one in enumerate(sentences):
        for at, who in enumerate((one.source, one.destination)):
            if not isinstance(who, Intervals) and who != report.connections.everyone:
                for party in members(who):
                    sides[party].append(2 * number + at)
    alike: dict[tuple[str, tuple[int, ...]], list[int]] = {}
    for party, found in enumerate(sides):
        namespace = report.connections.parties[party].workload.namespace
        alike.setdefault((namespace, tuple(found)), []).append(party)
    yield from alike.values()


def _dot(*words: str) -> str:
    r"""A quoted string of Graphviz, whose words stand on lines of their own.

    >>> print(_dot('a"b', "c"))
    "a\"b\nc"
    """
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return '"' + "\\n".join(escaped) + '"'


def _mermaid(*words: str) -> str:
    """A quoted string of Mermaid: everything that it, Markdown or HTML could take for more is an entity.

    >>> _mermaid('a"b', "c")
    '"a#34;b<br/>c"'
    """
    return '"' + "<br/>".join("".join(_entity(one) for one in word) for word in words) + '"'


def _entity(character: str) -> str:
    return character if character.isalnum() or character in " /.,:-()=" else f"#{ord(character)};"
