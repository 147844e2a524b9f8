"""nftables' own words: table, set, map, chain, rule. What the template prints, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

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
    text: str = field(init=False, compare=False, repr=False)
    """As it is printed: many rulesets may have the same rule."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", " ".join([*map(str, self.matches), self.action]))

    def __str__(self) -> str:
        return self.text


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
    """A member of a set or map, as text without a comma, and whom it stands for."""

    text: str
    note: str = ""

    @property
    def line(self) -> str:
        return f"\t\t\t{self.text},{f' # {self.note}' if self.note else ''}\n"


@dataclass(frozen=True, slots=True)
class Set:
    """A named set, or a map when `type` says `key : value`."""

    name: str
    type: str
    lines: str
    """The elements as they are printed, a line each: there may be very many, and nodes share them."""
    count: int
    """How many elements there are."""
    interval: bool = False
    comment: str = ""

    @staticmethod
    def of(name: str, type: str, elements: Iterable[Element], *, interval: bool = False) -> Set:
        """A set of some elements."""
        lines = [one.line for one in elements]
        return Set(name, type, "".join(lines), len(lines), interval)

    @property
    def elements(self) -> tuple[Element, ...]:
        """The elements one by one."""
        found = (line.strip().partition(",") for line in self.lines.splitlines())
        return tuple(Element(text, note.removeprefix(" # ")) for text, _, note in found)

    @property
    def word(self) -> str:
        return "map" if " : " in self.type else "set"

    @property
    def size(self) -> int:
        """What a large hash is declared to hold, twice what it does at least; 0 where nothing is declared.

        The kernel then makes a table without locks, in which few buckets have two elements: a look-up
        touches less memory.
        """
        is_small = self.interval or self.count < SIZED_FROM
        return 0 if is_small else 1 << (2 * self.count - 1).bit_length()


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
