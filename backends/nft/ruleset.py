"""nftables' own words: table, set, map, chain, rule. What the template prints, line by line."""

from __future__ import annotations

from dataclasses import dataclass

SIZED_FROM = 1024
"""Elements from which on a hash is declared with a size."""


@dataclass(frozen=True, slots=True)
class Match:
    """A comparison of a packet field with a value, a range, `@set`, or any of several values."""

    field: str
    values: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        right = self.values[0] if len(self.values) == 1 else f"{{ {', '.join(self.values)} }}"
        return f"{self.field} {'!= ' if self.negated else ''}{right}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Matches that all hold, then a statement or verdict."""

    matches: tuple[Match, ...]
    action: str

    def __str__(self) -> str:
        return " ".join([*map(str, self.matches), self.action])


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A verdict by the value of a packet field: from a named map, or from entries of its own."""

    field: str
    map_name: str = ""
    entries: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if self.map_name:
            return f"{self.field} vmap @{self.map_name}"
        return f"{self.field} vmap {{ {', '.join(f'{key} : {verdict}' for key, verdict in self.entries)} }}"


@dataclass(frozen=True, slots=True)
class Element:
    """A member of a set or map, as text, and whom it stands for."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Set:
    """A named set, or a map when `type` says `key : value`."""

    name: str
    type: str
    elements: tuple[Element, ...]
    interval: bool = False
    comment: str = ""

    @property
    def word(self) -> str:
        return "map" if " : " in self.type else "set"

    @property
    def size(self) -> int:
        """What a large hash is declared to hold, twice what it does at least; 0 where nothing is declared.

        The kernel then makes a table without locks, in which few buckets have two elements: a look-up
        touches less memory.
        """
        count = len(self.elements)
        return 0 if self.interval or count < SIZED_FROM else 1 << (2 * count - 1).bit_length()


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in order; with a hook, where packets enter."""

    name: str
    rules: tuple[Rule | Dispatch, ...]
    hook: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of family inet: all that npc owns on a host."""

    name: str
    sets: tuple[Set, ...]
    chains: tuple[Chain, ...]
    heading: tuple[str, ...] = ()
    """Lines of comment at the top of the file."""
