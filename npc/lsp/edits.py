"""Formatting as an edit: what `npc fmt` would change of a text, and no more."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
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
    """The edits, by whole lines, that format a text; None for one with mistakes, which is left alone."""
    parsed = parse(Source(str(path), path), text)
    if has_errors(parsed.diagnostics):
        return None
    return list(_edits(text, format_program(parsed.program, text)))


def _edits(before: str, after: str) -> Iterator[Edit]:
    r"""The lines that differ.

    >>> list(_edits("a\n b\nc\n", "a\nb\nc\n"))
    [Edit(start=2, end=5, text='b\n')]
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, first, last, new_first, new_last in matcher.get_opcodes():
        if tag != "equal":
            yield Edit(starts[first], starts[last], "".join(new[new_first:new_last]))
