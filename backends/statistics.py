"""What a ruleset comes to: how large it is, and how much of it one packet can meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Statistics:
    """The size of a ruleset, and the most that it does for the first packet of a connection."""

    rules: int
    """Rules, or flows."""
    sets: int
    """Sets and maps, named or not."""
    elements: int
    """Of all sets and maps."""
    tried: int
    """Rules that the kernel compares a packet with, at most; tables, where a table is one look-up."""
    lookups: int
    """Look-ups in sets, maps and tables that a packet costs, at most."""


@dataclass(frozen=True, slots=True)
class Step:
    """A rule on a packet's way through a chain."""

    lookups: int = 0
    calls: tuple[str, ...] = ()
    """Chains of which it may enter one, to come back."""
    leaves: tuple[str, ...] = ()
    """Chains of which it may enter one, not to come back here."""
    ends: bool = False
    """Whether no packet goes on to the next rule."""


def worst_case(chains: Mapping[str, Sequence[Step]], entries: Iterable[str]) -> tuple[int, int]:
    """The most rules that are tried and the most look-ups, each on the way that has most of them.

    Every comparison is taken to be made, as if a packet missed each rule by its last one: an upper bound.

    >>> forward, web = [Step(1, leaves=("web",)), Step()], [Step(1), Step(leaves=("deny",), ends=True)]
    >>> worst_case({"forward": forward, "web": web, "deny": [Step(ends=True)]}, ["forward"])
    (4, 2)
    """

    @cache
    def most(name: str, tries: bool) -> int:
        way = longest = 0
        for step in chains.get(name, ()):
            way += 1 if tries else step.lookups
            longest = max(longest, way + max((most(one, tries) for one in step.leaves), default=0))
            way += max((most(one, tries) for one in step.calls), default=0)
            if step.ends:
                return max(longest, way) if step.calls else longest
        return max(longest, way)

    starts = [*entries]
    tried, lookups = (max((most(one, tries) for one in starts), default=0) for tries in (True, False))
    return tried, lookups
