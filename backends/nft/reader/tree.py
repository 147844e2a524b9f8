"""An nftables ruleset as it is written, whichever notation it is in: what its words mean comes later.

Values stay texts: `10.0.0.0/8`, `80-90`, `echo-request`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from npc.compiler.verify.program import Line

CATCH_ALL = "*"
"""The element for every value that no other element has."""
TERMINAL = frozenset({"accept", "drop", "return", "jump", "goto"})
"""Verdicts after which a rule has nothing to say."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`accept`, `drop`, `return`, `continue`; or `jump` and `goto` with a chain."""

    word: str
    chain: str = ""

    def __str__(self) -> str:
        return f"{self.word} {self.chain}".strip()


@dataclass(slots=True)
class Elements:
    """Members of a set or map: a key of one or more values, its verdict where it is a map, its line."""

    file: str
    keys: list[tuple[str, ...]] = field(default_factory=list)
    verdicts: list[Verdict | None] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Of the lines."""

    def add(self, key: tuple[str, ...], verdict: Verdict | None, number: int) -> None:
        self.keys.append(key)
        self.verdicts.append(verdict)
        self.numbers.append(number)

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], Verdict | None, Line]]:
        for key, verdict, number in zip(self.keys, self.verdicts, self.numbers, strict=True):
            yield key, verdict, Line(self.file, number)

    def __str__(self) -> str:
        texts = (
            " . ".join(key) + (f" : {verdict}" if verdict else "")
            for key, verdict in zip(self.keys, self.verdicts, strict=True)
        )
        return f"{{ {', '.join(texts)} }}"


Right: TypeAlias = "str | Elements"
"""What a field is compared with: a value, `@set`, or a set in place."""


@dataclass(frozen=True, slots=True)
class Match:
    """A comparison of fields with values: all must hold for the rest of a rule to be asked."""

    fields: tuple[str, ...]
    """As `ip saddr`; more than one are a concatenation."""
    operator: str
    """`==`, `!=`, `<`, `<=`, `>`, `>=`; or `in`, of several flags one."""
    right: Right

    def __str__(self) -> str:
        operator = "" if self.operator in ("==", "in") else f"{self.operator} "
        return f"{' . '.join(self.fields)} {operator}{self.right}"


@dataclass(frozen=True, slots=True)
class VerdictMap:
    """A verdict by the value of fields."""

    fields: tuple[str, ...]
    right: Right

    def __str__(self) -> str:
        return f"{' . '.join(self.fields)} vmap {self.right}"


@dataclass(frozen=True, slots=True)
class Reject:
    """The packet is dropped and answered; `header` is what it must have for that answer, or empty."""

    header: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """A known word that lets only some packets on, which ones is not modelled: `limit`, `iifname`."""

    construct: str
    help: str | None = None


Statement: TypeAlias = Match | VerdictMap | Verdict | Reject | Opaque


@dataclass(frozen=True, slots=True)
class Rule:
    """Statements in order, but for those that change nothing: `log`, `counter`, `comment`."""

    statements: tuple[Statement, ...]
    line: Line


@dataclass(frozen=True, slots=True)
class Hook:
    """Where packets enter a chain."""

    name: str
    priority: int
    line: Line


@dataclass(slots=True)
class Chain:
    """Rules, and with a hook what becomes of packets that none decides."""

    name: str
    line: Line
    rules: list[Rule] = field(default_factory=list)
    hook: Hook | None = None
    policy: str = "accept"


@dataclass(slots=True)
class Set:
    """A named set, or map."""

    name: str
    line: Line
    elements: Elements
    types: tuple[str, ...] = ()
    """The names of the types of a key's values."""
    typeof: tuple[str, ...] = ()
    """Or the fields that they are of."""
    value: str = ""
    """The type that a map leads to; empty for a set."""
    flags: set[str] = field(default_factory=set)
    auto_merge: bool = False
    size: int = 0
    unlike: str = ""
    """A property that makes elements come or go by themselves."""


@dataclass(slots=True)
class Table:
    """A table of family inet."""

    name: str
    chains: dict[str, Chain] = field(default_factory=dict)
    sets: dict[str, Set] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Ruleset:
    """The one table that is read, and of others who they are."""

    table: Table | None = None
    others: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """The hooks of each other table, by family and name."""
