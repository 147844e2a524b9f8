"""What goes wrong with rulesets' text: an element is lost, a port is off by one, a rule stands elsewhere.

A mutation takes lines of one file and changes one place of them, chosen by a seeded `Random`; None where the
file has no such place. It knows as much of a target's notation as it needs to find places, and nothing of
what they mean: many mutants say something else, some say the same, a few say nothing that can be loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from random import Random
from typing import Final, TypeAlias

Lines: TypeAlias = list[str]
Mutation: TypeAlias = Callable[[Random, Lines], Lines | None]
Groups: TypeAlias = Callable[[Sequence[str]], Mapping[str, list[int]]]
"""The lines that stand in one chain, set or table, by its name."""
New: TypeAlias = Callable[[Random, str, Sequence[str]], str | None]
"""What is written in place of a text, in these lines; None: there is nothing else."""

ADDRESS: Final = r"(?<![\w.:])(?:\d+(?:\.\d+){3}|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})(?![\w.:])"
NUMBER: Final = r"(?<![\w.:/])\d+(?![\w.:/])"


@dataclass(frozen=True, slots=True)
class _Site:
    line: int
    start: int
    end: int


# --- places -------------------------------------------------------------------------------------------------


def code(line: str) -> str:
    """A line without what is for people alone."""
    return "" if 'comment "' in line else line.split("#", 1)[0]


def replaced(new: New, region: str, inner: str = r".+") -> Mutation:
    """A text that `inner` finds in what `region` finds (in its first group, where it has one)."""
    outer, part = re.compile(region), re.compile(inner)

    def sites(lines: Sequence[str]) -> Iterator[_Site]:
        for number, line in enumerate(lines):
            for found in outer.finditer(code(line)):
                start, end = found.span(1 if outer.groups else 0)
                for match in part.finditer(line, start, end):
                    yield _Site(number, match.start(), match.end())

    def mutation(chance: Random, lines: Lines) -> Lines | None:
        places = list(sites(lines))
        if not places:
            return None
        site = chance.choice(places)
        line = lines[site.line]
        text = new(chance, line[site.start : site.end], lines)
        if text is None:
            return None
        changed = list(lines)
        changed[site.line] = f"{line[: site.start]}{text}{line[site.end :]}"
        return changed

    return mutation


def either(*mutations: Mutation) -> Mutation:
    """One of several, where it finds a place."""

    def mutation(chance: Random, lines: Lines) -> Lines | None:
        for one in chance.sample(mutations, len(mutations)):
            changed = one(chance, lines)
            if changed is not None:
                return changed
        return None

    return mutation


# --- lines --------------------------------------------------------------------------------------------------


def dropped(groups: Groups) -> Mutation:
    """A line is gone."""

    def mutation(chance: Random, lines: Lines) -> Lines | None:
        places = [number for group in groups(lines).values() for number in group]
        if not places:
            return None
        gone = chance.choice(places)
        return [line for number, line in enumerate(lines) if number != gone]

    return mutation


def doubled(groups: Groups) -> Mutation:
    """A line stands in another place of its group once more."""
    return _copied(groups, is_moved=False)


def moved(groups: Groups) -> Mutation:
    """A line stands elsewhere in its group."""
    return _copied(groups, is_moved=True)


def _copied(groups: Groups, *, is_moved: bool) -> Mutation:
    def mutation(chance: Random, lines: Lines) -> Lines | None:
        places = [group for group in groups(lines).values() if len(group) > 1]
        if not places:
            return None
        here, there = chance.sample(chance.choice(places), 2)
        return _inserted(lines, lines[here], there + (there > here), here if is_moved else None)

    return mutation


def moved_elsewhere(groups: Groups, rename: Callable[[str, str, str], str] | None = None) -> Mutation:
    """A line stands in another group; `rename` tells it so (the line, the old group, the new one)."""

    def mutation(chance: Random, lines: Lines) -> Lines | None:
        places = {name: group for name, group in groups(lines).items() if group}
        if len(places) < 2:
            return None
        old, new = chance.sample(sorted(places), 2)
        here = chance.choice(places[old])
        line = rename(lines[here], old, new) if rename else lines[here]
        return _inserted(lines, line, chance.choice(places[new]), here)

    return mutation


def added(groups: Groups, near: Mutation) -> Mutation:
    """A line that is almost another one stands beside it."""

    def mutation(chance: Random, lines: Lines) -> Lines | None:
        places = [number for group in groups(lines).values() for number in group]
        if not places:
            return None
        here = chance.choice(places)
        changed = near(chance, [lines[here]])
        if changed is None or changed[0] in lines:
            return None
        return _inserted(lines, changed[0], here + 1, None)

    return mutation


def within(groups: Groups, inner: Mutation) -> Mutation:
    """A mutation of what stands in groups alone."""

    def mutation(chance: Random, lines: Lines) -> Lines | None:
        places = sorted(number for group in groups(lines).values() for number in group)
        part = inner(chance, [lines[number] for number in places])
        if part is None:
            return None
        changed = list(lines)
        for number, line in zip(places, part, strict=True):
            changed[number] = line
        return changed

    return mutation


def _inserted(lines: Sequence[str], line: str, place: int, without: int | None) -> Lines:
    changed = [*lines[:place], line, *lines[place:]]
    if without is not None:
        del changed[without + (place <= without)]
    return changed


# --- texts --------------------------------------------------------------------------------------------------


def off_by_one(chance: Random, text: str, _lines: Sequence[str]) -> str | None:
    """A number, decimal or hexadecimal, one more or less."""
    is_hexadecimal = text.startswith("0x")
    number = int(text, 16 if is_hexadecimal else 10) + chance.choice((-1, 1))
    if number < 0:
        return None
    return hex(number) if is_hexadecimal else str(number)


def other_address(chance: Random, text: str, _lines: Sequence[str]) -> str | None:
    """The address before or after an address."""
    try:
        return str(ip_address(text) + chance.choice((-1, 1)))
    except ValueError:
        return None


def swapped(*pairs: tuple[str, str]) -> New:
    """One word for another, either way."""
    words = {**dict(pairs), **{two: one for one, two in pairs}}

    def new(_chance: Random, text: str, _lines: Sequence[str]) -> str | None:
        return words.get(text)

    return new


def one_of(*words: str) -> New:
    """Another of some words."""

    def new(chance: Random, text: str, _lines: Sequence[str]) -> str | None:
        return chance.choice([word for word in words if word != text])

    return new


def another(pattern: str) -> New:
    """Another text that a pattern finds in the same lines (in its first group): a name, an address."""
    known = re.compile(pattern)

    def new(chance: Random, text: str, lines: Sequence[str]) -> str | None:
        found = {match[1] for line in lines for match in known.finditer(code(line))} - {text}
        return chance.choice(sorted(found)) if found else None

    return new


def nothing(_chance: Random, _text: str, _lines: Sequence[str]) -> str:
    return ""


def constant(text: str) -> New:
    """The same text whatever stood there."""

    def new(_chance: Random, _old: str, _lines: Sequence[str]) -> str:
        return text

    return new


def item_dropped(chance: Random, text: str, _lines: Sequence[str]) -> str | None:
    """A list with commas, less one of its items."""
    items = text.split(",")
    if len(items) < 2:
        return None
    del items[chance.randrange(len(items))]
    return ",".join(items)


ADDRESS_OFF: Final = replaced(other_address, ADDRESS)
PREFIX_CHANGED: Final = replaced(off_by_one, r"[0-9a-f.:]/(\d+)(?![\w.:])")
