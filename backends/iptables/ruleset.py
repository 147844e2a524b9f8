"""The words of iptables-restore and ipset: chain, rule, set. What the templates print, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Rule:
    """Options that all match, then `-j TARGET` or `-g CHAIN`."""

    matches: tuple[str, ...]
    action: str

    def __str__(self) -> str:
        return " ".join([*self.matches, self.action])

    def sets(self) -> list[str]:
        """The names of the sets that it refers to."""
        return [value for option, value in pairwise(self.matches) if option == "--match-set"]


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in order; `comment` is for readers of the file, the kernel never sees it."""

    name: str
    rules: tuple[Rule, ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The chains of one family's filter table that npc owns, and the chains that must jump into them."""

    heading: tuple[str, ...]
    chains: tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class IpSet:
    """A set of ipset's: `type` and `options` as `ipset create` takes them."""

    name: str
    type: str
    options: str
    elements: tuple[str, ...]
    comment: str = ""

    @property
    def temporary(self) -> str:
        """The name under which it is filled before it takes the old one's place."""
        return f"{self.name}-n"

    @property
    def additions(self) -> str:
        """The commands that fill it, a line each: there may be very many."""
        if not self.elements:
            return ""
        command = f"add {self.temporary} "
        return command + f"\n{command}".join(self.elements) + "\n"


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All artifacts: the sets, a table for each family, and what `load.sh` must know."""

    prefix: str
    """Of every chain; the sets' names begin with it in lower case."""
    heading: tuple[str, ...]
    sets: tuple[IpSet, ...]
    v4: Table
    v6: Table
    hooks: tuple[tuple[str, str], ...]
    """Built-in chain and own chain: each gets one guarded jump."""
    unhooks: tuple[tuple[str, str], ...] = ()
    """Jumps that an earlier load may have left, and that are to go."""
