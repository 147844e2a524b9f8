"""The outline of a text: its policies with their named rules, its sets and its services."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from npc.compiler.language import tree
from npc.lsp.project import Document


class SymbolKind(Enum):
    POLICY = "policy"
    CLUSTER_POLICY = "cluster policy"
    SET = "set"
    SERVICE = "service"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something with a name: all of it, and where its name stands."""

    kind: SymbolKind
    name: str
    detail: str
    start: int
    end: int
    name_start: int
    name_end: int
    inside: tuple[Symbol, ...] = ()


def symbols(document: Document) -> Iterator[Symbol]:
    """The named things of a document, in order."""
    for item in document.program.items:
        match item:
            case tree.PolicyBlock(name=name, namespace=namespace, statements=statements):
                home = namespace.text if namespace is not None else tree.DEFAULT_NAMESPACE
                yield _symbol(SymbolKind.POLICY, item, name, home, tuple(_rules(statements)))
            case tree.ClusterPolicyBlock(name=name, tier=tier, statements=statements):
                inside = tuple(_rules(statements))
                yield _symbol(SymbolKind.CLUSTER_POLICY, item, name, f"{tier.value} tier", inside)
            case tree.SetDefinition(name=name):
                yield _symbol(SymbolKind.SET, item, name, "set")
            case tree.ServiceDefinition(name=name):
                yield _symbol(SymbolKind.SERVICE, item, name, "service")
            case tree.Assertion(label=label) if label is not None:
                yield _symbol(SymbolKind.RULE, item, label, item.action.value)
            case tree.Include() | tree.Assertion():
                pass


def _rules(statements: tuple[tree.Statement, ...]) -> Iterator[Symbol]:
    for one in statements:
        if isinstance(one, tree.RuleStatement) and one.label is not None:
            yield _symbol(SymbolKind.RULE, one, one.label, one.action.value)


def _symbol(
    kind: SymbolKind,
    node: tree.Item | tree.RuleStatement,
    name: tree.Text,
    detail: str,
    inside: tuple[Symbol, ...] = (),
) -> Symbol:
    return Symbol(kind, name.text or "(no name)", detail, node.start, node.end, name.start, name.end, inside)
