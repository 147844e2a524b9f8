"""Formatting as an edit: what `npc fmt` would change of a text, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from npc.compiler.frontend.diagnostics import has_errors
from npc.compiler.frontend.source import Source
from npc.compiler.language.format import format_program
from npc.compiler.language.parser import parse


@dataclass(frozen=True, slots=True)
class Edit:
    """The characters from `start` to `end` give way to a text."""

    start: int
    end: int
    text: str


def formatting(path: Path, text: str) -> list[Edit] | None:
    """The edit, by whole lines, that formats a text; None for one with mistakes, which is left alone."""
    parsed = parse(Source(str(path), path), text)
    if has_errors(parsed.diagnostics):
        return None
    return list(_edits(text, format_program(parsed.program, text)))


def _edits(before: str, after: str) -> Iterator[Edit]:
    r"""One edit, from the first line that differs to the last; none where all are the same.

    >>> list(_edits("a\n b\nc\n", "a\nb\nc\n"))
    [Edit(start=2, end=5, text='b\n')]
    """
    if before == after:
        return
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    first = _alike(old, new)
    last = _alike(reversed(old[first:]), reversed(new[first:]))
    start = sum(map(len, old[:first]))
    tail = sum(map(len, old[len(old) - last :]))
    yield Edit(start, len(before) - tail, after[start : len(after) - tail])


def _alike(old: Iterable[str], new: Iterable[str]) -> int:
    """How many lines are the same before the first that differs."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
