"""Hints: what to write instead of something that cannot be where it is.

A hint holds where certain words could stand, and for what stands there instead; `usual` has the tables.

>>> colon = hint("FROM", "(?P<word>from|to):", "write '{word}' without the ':'")
>>> hint_for([colon], "allow from: any", (6, 11), frozenset({"TRAFFIC", "FROM", "TO"}))
"write 'from' without the ':'"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from npc.compiler.language.quoting import WORD

_REACH: Final = 120
"""How many characters before a mistake are looked at."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What to write instead of something that cannot be where it is."""

    needed: frozenset[str]
    """The terminals that could be there, among others."""
    barred: frozenset[str]
    """Terminals that could not be there."""
    is_exact: bool
    """Whether no other than the needed ones could be there."""
    found: str
    """What stands there, as a regular expression, whatever its case: the whole word, string or sign."""
    help: str
    """What to write; `{found}`, and the groups of the patterns by their names."""
    behind: str
    """What stands before it; empty for anything."""
    ahead: str
    """What stands after it; empty for anything."""

    def applied(self, text: str, place: tuple[int, int], accepted: frozenset[str]) -> str | None:
        """The help for what stands at a place where `accepted` could stand; None: the hint does not fit."""
        if not self.needed <= accepted or self.barred & accepted:
            return None
        if self.is_exact and self.needed != accepted:
            return None
        start, end = place
        if (found := _whole(self.found).fullmatch(text, start, end)) is None:
            return None
        matches = (
            found,
            _before(self.behind).search(text[max(0, start - _REACH) : start]),
            _after(self.ahead).match(text, end),
        )
        groups = {"found": text[start:end]}
        for match in matches:
            if match is None:
                return None
            groups |= match.groupdict("")
        return self.help.format(**groups)


def hint_for(
    hints: Sequence[Hint], text: str, place: tuple[int, int], accepted: frozenset[str]
) -> str | None:
    """The first help of a table that fits; None: none does."""
    found = (one.applied(text, place, accepted) for one in hints)
    return next((one for one in found if one is not None), None)


def hint(place: str, found: str, help: str, *, behind: str = "", ahead: str = "") -> Hint:
    """A row of a table.

    `place`: `A B`, where both could stand; `A !B`, where A could and B could not; `=A`, where only A could.
    """
    words = place.removeprefix("=").split()
    return Hint(
        frozenset(one for one in words if not one.startswith("!")),
        frozenset(one[1:] for one in words if one.startswith("!")),
        place.startswith("="),
        found,
        help,
        behind,
        ahead,
    )


# Compiled when they are first needed: most texts have no mistakes.


@cache
def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


@cache
def _before(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:(?<!{WORD})|(?!{WORD}))(?:{pattern})\s*\Z" if pattern else "")


@cache
def _after(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{pattern})")
