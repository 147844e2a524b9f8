"""The tree of what the grammar has recognized: a method for each rule and each word that says something.

The parser calls the method that is named like a rule of `grammar/policy.lark` with what its parts came
to, and with the characters that it covers. Parts that say nothing (keywords, commas, brackets) have no
method and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from npc.compiler.frontend.syntax import Action, Direction, Tier
from npc.compiler.language import tree
from npc.compiler.language.quoting import InvalidStringError, unquote

Parts: TypeAlias = list[Any]
"""What the parts of a rule came to, in order; which types they have, the grammar says."""

_PORTS = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a sentence that the grammar lets pass."""

    start: int
    end: int
    message: str
    help: str = ""
    first: tuple[int, int] | None = None
    """Where a thing that may stand once stands first."""


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes the nodes; what is wrong with them is put down in `faults`."""

    faults: list[Fault] = field(default_factory=list)

    # --- words

    def name(self, text: str, start: int, end: int) -> tree.Text:
        return tree.Text(text, start, end)

    def string(self, text: str, start: int, end: int) -> tree.Text:
        try:
            return tree.Text(unquote(text), start, end)
        except InvalidStringError as error:
            at = start + error.offset
            help = r"escapes are \" \\ \/ \n \r \t \b \f and \u with four hexadecimal digits"
            self.faults.append(Fault(at, min(at + 2, end), str(error), help))
            return tree.Text(text[1:-1], start, end)

    def number(self, text: str, start: int, end: int) -> tree.Number:
        if not _NUMBER.fullmatch(text):
            help = "a priority is 0 to 1000; the lowest is asked first"
            self.faults.append(Fault(start, end, f"expected a number, found {shown(text)}", help))
            return tree.Number(0, start, end)
        return tree.Number(int(text), start, end)

    def traffic(self, text: str, start: int, end: int) -> tree.Service:
        protocol, slash, port = text.partition("/")
        if not slash:
            return tree.Service(protocol, None, start, end)
        at = start + len(protocol) + 1
        match = _PORTS.fullmatch(port)
        if match is None:
            return tree.Service(protocol, tree.Text(port, at, end), start, end)
        first, last = match.groups()
        if last is None:
            return tree.Service(protocol, tree.Number(int(first), at, end), start, end)
        return tree.Service(protocol, tree.PortRange(int(first), int(last), at, end), start, end)

    def named_namespace(self, text: str, start: int, end: int) -> tree.NamedNamespace:
        return tree.NamedNamespace(tree.Text(text[3:], start + 3, end), start, end)

    def service_name(self, text: str, start: int, end: int) -> tree.Text:
        return tree.Text(text[4:], start + 4, end)

    def reference_name(self, text: str, start: int, end: int) -> tree.Text:
        return tree.Text(text[1:], start + 1, end)

    def pair(self, text: str, start: int, end: int) -> tree.Requirement:
        left, _, right = text.partition("=")
        key, value = left.rstrip(), right.lstrip()
        at = end - len(value)
        return tree.Requirement(
            tree.Text(key, start, start + len(key)),
            tree.Comparison.EQUALS,
            (self.string(value, at, end) if value[0] == '"' else tree.Text(value, at, end),),
            start,
            end,
        )

    def not_key(self, text: str, start: int, end: int) -> tree.Requirement:
        key = text[1:].lstrip()
        return tree.Requirement(
            tree.Text(key, end - len(key), end), tree.Comparison.NOT_EXISTS, (), start, end
        )

    # --- labels

    def requirement(self, parts: Parts, start: int, end: int) -> tree.Requirement:
        match parts:
            case [key]:
                return tree.Requirement(key, tree.Comparison.EXISTS, (), start, end)
            case [key, tree.Comparison.NOT_IN, *values]:
                return tree.Requirement(key, tree.Comparison.NOT_IN, tuple(values), start, end)
            case _:
                return tree.Requirement(parts[0], tree.Comparison.IN, tuple(parts[1:]), start, end)

    # --- peers

    def any(self, _parts: Parts, start: int, end: int) -> tree.Everyone:
        return tree.Everyone(start, end)

    def pods(self, parts: Parts, start: int, end: int) -> tree.Pods:
        return tree.Pods(tuple(parts), None, start, end)

    def pods_in(self, parts: Parts, start: int, end: int) -> tree.Pods:
        pods, namespaces = parts
        return tree.Pods(pods.requirements, namespaces, start, end)

    def namespaces(self, parts: Parts, start: int, end: int) -> tree.Namespaces | tree.NamedNamespace:
        if parts and isinstance(parts[0], tree.NamedNamespace):
            return parts[0]
        return tree.Namespaces(tuple(parts), start, end)

    def nodes(self, parts: Parts, start: int, end: int) -> tree.Nodes:
        return tree.Nodes(tuple(parts), start, end)

    def behind_service(self, parts: Parts, start: int, end: int) -> tree.BehindService:
        return tree.BehindService(parts[0], parts[1].name if len(parts) > 1 else None, start, end)

    def block(self, parts: Parts, start: int, end: int) -> tree.Block:
        return tree.Block(parts[0], tuple(parts[1:]), start, end)

    def reference(self, parts: Parts, start: int, end: int) -> tree.SetReference:
        return tree.SetReference(parts[0], start, end)

    def named_end(self, parts: Parts, start: int, end: int) -> tree.NamedEnd:
        return tree.NamedEnd(parts[0], start, end)

    def ends(self, parts: Parts, start: int, end: int) -> tuple[tree.Peer, ...]:
        return self.peers(parts, start, end)

    def peers(self, parts: Parts, _start: int, _end: int) -> tuple[tree.Peer, ...]:
        return tuple(parts)

    # --- services

    def services(self, parts: Parts, _start: int, _end: int) -> tree.Traffic:
        return tuple(parts)

    def service_reference(self, parts: Parts, start: int, end: int) -> tree.ServiceReference:
        return tree.ServiceReference(parts[0], start, end)

    # --- statements

    def isolate(self, parts: Parts, start: int, end: int) -> tree.Isolate:
        only = not isinstance(parts[0], Direction)
        return tree.Isolate(tuple(parts[only:]), only, start, end)

    def rule(self, parts: Parts, start: int, end: int) -> tree.RuleStatement:
        action, services, direction, peers, *clauses = parts
        if not clauses:
            return tree.RuleStatement(action, services, direction, peers, None, None, None, start, end)
        found: dict[str, _Clause] = {}
        for one in clauses:
            self._once(found, one.keyword, one)
        log, label, until = (found[key].value if key in found else None for key in ("log", "as", "until"))
        return tree.RuleStatement(action, services, direction, peers, log, label, until, start, end)

    def log(self, parts: Parts, start: int, end: int) -> _Clause:
        return _Clause("log", tree.Log(parts[0] if parts else None, start, end), start, end)

    def label(self, parts: Parts, start: int, end: int) -> _Clause:
        return _Clause("as", parts[0], start, end)

    def until(self, parts: Parts, start: int, end: int) -> _Clause:
        return _Clause("until", parts[0], start, end)

    # --- items

    def pairs(self, parts: Parts, _start: int, _end: int) -> tuple[tree.Pair, ...]:
        return tuple(tree.Pair(one.key, one.values[0], one.start, one.end) for one in parts)

    def metadata(self, parts: Parts, start: int, end: int) -> _Clause:
        return _Clause(parts[0], parts[1], start, end)

    def namespace(self, parts: Parts, _start: int, _end: int) -> tree.Text:
        text: tree.Text = parts[0]
        return text

    def priority(self, parts: Parts, _start: int, _end: int) -> tree.Number:
        number: tree.Number = parts[0]
        return number

    def policy(self, parts: Parts, start: int, end: int) -> tree.PolicyBlock:
        name, *rest = parts
        namespace = rest.pop(0) if isinstance(rest[0], tree.Text) else None
        labels, annotations = self._take_metadata(rest)
        subject, *statements = rest
        return tree.PolicyBlock(name, namespace, labels, annotations, subject, tuple(statements), start, end)

    def cluster_policy(self, parts: Parts, start: int, end: int) -> tree.ClusterPolicyBlock:
        name, tier, *rest = parts
        priority = rest.pop(0) if isinstance(rest[0], tree.Number) else None
        labels, annotations = self._take_metadata(rest)
        subject, *statements = rest
        return tree.ClusterPolicyBlock(
            name, tier, priority, labels, annotations, subject, tuple(statements), start, end
        )

    def include(self, parts: Parts, start: int, end: int) -> tree.Include:
        return tree.Include(parts[0], start, end)

    def set_definition(self, parts: Parts, start: int, end: int) -> tree.SetDefinition:
        return tree.SetDefinition(parts[0], tuple(parts[1:]), start, end)

    def service_definition(self, parts: Parts, start: int, end: int) -> tree.ServiceDefinition:
        return tree.ServiceDefinition(parts[0], tuple(parts[1:]), start, end)

    def start(self, parts: Parts, _start: int, _end: int) -> tuple[tree.Item, ...]:
        return tuple(parts)

    def assertion(self, parts: Parts, start: int, end: int) -> tree.Assertion:
        action, services, _, sources, _, destinations, *clauses = parts
        label = clauses[0].value if clauses else None
        return tree.Assertion(action, services, sources, destinations, label, start, end)

    def assertions(self, parts: Parts, _start: int, _end: int) -> tuple[tree.Item, ...]:
        return tuple(parts)

    # --- what may stand once

    def _take_metadata(self, rest: Parts) -> tuple[tuple[tree.Pair, ...], tuple[tree.Pair, ...]]:
        """The labels and annotations at the beginning of `rest`, which they are taken from."""
        found: dict[str, _Clause] = {}
        while isinstance(rest[0], _Clause):
            one = rest.pop(0)
            self._once(found, one.keyword, one)
        labels, annotations = (found[key].value if key in found else () for key in ("labels", "annotations"))
        return labels, annotations

    def _once(self, found: dict[str, _Clause], keyword: str, one: _Clause) -> None:
        first = found.setdefault(keyword, one)
        if first is not one:
            message = f"{keyword!r} stands here twice"
            at = (first.start, first.start + len(keyword))
            self.faults.append(Fault(one.start, one.start + len(keyword), message, first=at))


@dataclass(frozen=True, slots=True)
class _Clause:
    """A part that may stand in any order, and once: its keyword, and what it says."""

    keyword: str
    value: Any
    start: int
    end: int


Word: TypeAlias = Callable[[Builder, str, int, int], Any]

WORDS: Mapping[str, Word] = {
    "NAME": Builder.name,
    "DATE": Builder.name,
    "ADDRESS": Builder.name,
    "NAMED_END": Builder.name,
    "NUMBER": Builder.number,
    "STRING": Builder.string,
    "TRAFFIC": Builder.traffic,
    "NAMED_NAMESPACE": Builder.named_namespace,
    "BEHIND_SERVICE": Builder.service_name,
    "REFERENCE": Builder.reference_name,
    "PAIR": Builder.pair,
    "NOT_KEY": Builder.not_key,
    "LABELS": lambda *_: "labels",
    "ANNOTATIONS": lambda *_: "annotations",
    "ADMIN": lambda *_: Tier.ADMIN,
    "BASELINE": lambda *_: Tier.BASELINE,
    "ALLOW": lambda *_: Action.ALLOW,
    "DENY": lambda *_: Action.DENY,
    "PASS": lambda *_: Action.PASS,
    "FROM": lambda *_: Direction.INGRESS,
    "TO": lambda *_: Direction.EGRESS,
    "INGRESS": lambda *_: Direction.INGRESS,
    "EGRESS": lambda *_: Direction.EGRESS,
    "ONLY": lambda *_: "only",
    "NOT": lambda *_: tree.Comparison.NOT_IN,
}
"""The terminals of the grammar that say something, and what they say."""


def shown(text: str) -> str:
    """A piece of the input as messages show it: in quotes, and not too long.

    >>> shown("allow")
    "'allow'"
    """
    return f"'{text}'" if len(text) <= 60 else f"'{text[:60]}...'"
