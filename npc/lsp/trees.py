"""Finding one's way in a tree of the policy language: what stands at an offset, and what it is part of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from npc.compiler.language import tree
from npc.compiler.language.tree import Program

Node = (
    tree.Item
    | tree.Statement
    | tree.Peer
    | tree.Service
    | tree.ServiceReference
    | tree.Requirement
    | tree.PortRange
    | tree.Log
    | tree.Pair
    | tree.Text
    | tree.Number
)
"""What has a place in the text."""


def path_at(program: Program, offset: int) -> tuple[Node, ...]:
    """The nodes around an offset, from the item to the innermost; none between items.

    A node's end counts as in it, so that a cursor behind a word is still at the word.
    """
    path: list[Node] = []
    nodes: Iterator[Node] = iter(program.items)
    while (found := _around(nodes, offset)) is not None:
        path.append(found)
        nodes = children(found)
    return tuple(path)


def children(node: Node) -> Iterator[Node]:
    """The nodes that a node is made of, in the order of its fields."""
    for field in fields(node):
        yield from _nodes(getattr(node, field.name))


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, tuple):
        for one in value:
            yield from _nodes(one)
    elif is_dataclass(value) and not isinstance(value, type):
        yield value  # type: ignore[misc]  # every dataclass of a tree has a place


def _around(nodes: Iterator[Node], offset: int) -> Node | None:
    """The node that an offset is in; where two touch there, the one that begins."""
    found = None
    for node in nodes:
        if node.start <= offset <= node.end and node.start < node.end:
            found = node
    return found
