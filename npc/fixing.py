"""`npc check --fix`: mend what can be mended without a change of meaning, until nothing is left of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from npc.checking import check_sources
from npc.compiler.frontend.codes import ALL
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.frontend.files import NOTHING, Exclude, sources
from npc.compiler.frontend.source import Source
from npc.compiler.lint.fixes import FIXABLE, mended
from npc.compiler.lint.levels import DEFAULTS, Levels, is_configurable

_MOST_ROUNDS = 10
"""What was in the way of an edit is gone in the next round; each round has less to do."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A file whose text is to be another."""

    name: str
    """What the file was called by whoever named it."""
    path: Path
    before: str
    after: str


def fix_paths(
    paths: Iterable[str],
    *,
    today: date | None = None,
    levels: Levels = DEFAULTS,
    exclude: Exclude = NOTHING,
) -> tuple[Fixed, ...]:
    """As `fix_sources`, of the files that paths name. InputError where one cannot be read."""
    found, faults = sources(paths, bytes, exclude=exclude)
    if faults:
        raise InputError(faults)
    return fix_sources(found, today=today, levels=levels)


def fix_sources(
    found: Iterable[Source], *, today: date | None = None, levels: Levels = DEFAULTS
) -> tuple[Fixed, ...]:
    """The files that can be mended, with their texts before and after; nothing is written.

    What is mended are findings that count and that no comment allows, in input without errors.
    """
    only = Levels(
        {code.name: levels.of(code) if code in FIXABLE else None for code in ALL if is_configurable(code)}
    )
    originals = {source.name: source for source in found if source.path is not None}
    current = dict(originals)
    waiting = list(originals.values())
    for _ in range(_MOST_ROUNDS):
        findings = [one for one in check_sources(waiting, today=today, levels=only) if one.code in FIXABLE]
        names = {one.origin.source.name for one in findings if one.origin is not None} & current.keys()
        waiting = []
        for name in sorted(names):
            after = mended(current[name], findings)
            if after is not None:
                current[name] = replace(current[name], content=after.encode())
                waiting.append(current[name])
        if not waiting:
            break
    return tuple(
        Fixed(name, source.path, originals[name].data().decode(), source.data().decode())
        for name, source in current.items()
        if source is not originals[name] and source.path is not None
    )
