"""`npc.toml`, or `[tool.npc]` in `pyproject.toml`: what counts as what, and what is left out of folders.

    exclude = ["charts", "**/test-*.yaml"]
    namespace = "shop"

    [lint]
    NPC709 = "warn"
    NPC701 = 0

The file is looked for from a folder upward; the first `npc.toml`, or `pyproject.toml` with that table,
counts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, did_you_mean
from npc.compiler.frontend.files import NOTHING, Exclude
from npc.compiler.frontend.names import dns_label_fault
from npc.compiler.frontend.source import Lines, Origin, Source
from npc.compiler.lint.levels import LEVELS, Levels, level_fault

NAME = "npc.toml"
_PROJECT = "pyproject.toml"
_TABLE = ("tool", "npc")
_KEYS = ("exclude", "lint", "namespace")
_PLACE = re.compile(r"at line (\d+), column (\d+)")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a configuration file says."""

    levels: Levels = Levels()
    exclude: Exclude = NOTHING
    namespace: str | None = None
    """Where names without a namespace are looked for, in questions."""

    def with_levels(self, texts: list[str]) -> Configuration:
        """With what `--level CODE=LEVEL` says, which counts more; InputError when it is none."""
        chosen = dict(self.levels.chosen)
        for text in texts:
            name, equals, level = (part.strip() for part in text.partition("="))
            if not equals:
                fault: tuple[str, str] | None = (f"{text!r} is not CODE=LEVEL", "write NPC709=warn")
            else:
                fault = level_fault(name, level)
            if fault is not None:
                raise InputError([Diagnostic(codes.CONFIGURATION, f"--level: {fault[0]}", help=fault[1])])
            chosen[name] = LEVELS[level]
        return replace(self, levels=Levels(chosen))


def configuration(file: Path | None = None, start: Path | None = None) -> Configuration:
    """What a file says, or the one that is found from a folder upward; InputError when it cannot be used."""
    if file is None:
        found = find(start or Path.cwd())
        if found is None:
            return Configuration()
        file = found
    return read(file)


def find(start: Path) -> Path | None:
    """The configuration file of a folder: its own, or of the nearest folder that it is in."""
    for folder in (start, *start.parents):
        if (folder / NAME).is_file():
            return folder / NAME
        project = folder / _PROJECT
        if project.is_file() and _has_table(project):
            return project
    return None


def read(path: Path) -> Configuration:
    """What a file says; InputError with all that is wrong with it."""
    source = Source(str(path), path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError([Diagnostic(codes.CONFIGURATION, f"{path}: {reason}")]) from None
    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([_malformed(source, text, error)]) from None
    reader = _Reader(source, text, _TABLE if path.name == _PROJECT else ())
    for key in reader.head:
        table = table.get(key, {})
    diagnostics = list(reader.faults(table))
    if diagnostics:
        raise InputError(diagnostics)
    levels = {name: LEVELS[str(level)] for name, level in table.get("lint", {}).items()}
    exclude = Exclude(tuple(table.get("exclude", ())), path.absolute().parent)
    return Configuration(Levels(levels), exclude, table.get("namespace"))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Finds fault with a file's table."""

    source: Source
    text: str
    head: tuple[str, ...]
    """The keys that lead to npc's own table."""

    def faults(self, table: Any) -> Iterator[Diagnostic]:
        """All that is wrong."""
        if not isinstance(table, dict):
            yield self._fault(self.head, f"{'.'.join(self.head)}: expected a table")
            return
        for key in table:
            if key not in _KEYS:
                yield self._fault((*self.head, key), f"unknown key {key!r}", did_you_mean(key, _KEYS))
        exclude = table.get("exclude", [])
        if not isinstance(exclude, list) or not all(isinstance(one, str) and one for one in exclude):
            message = "exclude: expected a list of patterns"
            yield self._fault((*self.head, "exclude"), message, 'write ["charts", "**/test-*.yaml"]')
        namespace = table.get("namespace", "default")
        if not isinstance(namespace, str) or dns_label_fault(namespace) is not None:
            yield self._fault(
                (*self.head, "namespace"), "namespace: expected a namespace's name", 'write "shop"'
            )
        yield from self._lint_faults(table.get("lint", {}))

    def _lint_faults(self, lint: Any) -> Iterator[Diagnostic]:
        if not isinstance(lint, Mapping):
            message, help = "lint: expected a table of codes", 'write lint = { NPC709 = "warn" }'
            yield self._fault((*self.head, "lint"), message, help)
            return
        for name, level in lint.items():
            if (fault := level_fault(name, level)) is not None:
                yield self._fault((*self.head, "lint", name), *fault)

    def _fault(self, path: tuple[str, ...], message: str, help: str = "") -> Diagnostic:
        return Diagnostic(codes.CONFIGURATION, message, self._origin(path), help=help)

    def _origin(self, path: tuple[str, ...]) -> Origin:
        """Where a key stands: behind the header of its table, or else where its name is first a key."""
        lines = Lines.of(self.text)
        key = re.compile(rf"(?<![\w#-])[\"']?{re.escape(path[-1])}(?![\w-])", re.MULTILINE)
        table = r"\s*\.\s*".join(map(re.escape, path[:-1]))
        header = re.search(rf"^\s*\[\s*{table}\s*\]", self.text, re.MULTILINE)
        match = key.search(self.text, header.end()) if header and path[:-1] else None
        match = match or key.search(self.text)
        return Origin(self.source, span=lines.span(*match.span()) if match else lines.span(0, 1))


def _has_table(project: Path) -> bool:
    """Whether a pyproject.toml has npc's table; one that is malformed is another program's business."""
    try:
        table: Any = tomllib.loads(project.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError):
        return False
    for key in _TABLE:
        table = table.get(key) if isinstance(table, dict) else None
    return table is not None


def _malformed(source: Source, text: str, error: tomllib.TOMLDecodeError) -> Diagnostic:
    match = _PLACE.search(str(error))
    lines = Lines.of(text)
    start = len(text)
    if match is not None:
        start = lines.starts[min(int(match[1]), len(lines.starts)) - 1] + int(match[2]) - 1
    message = f"malformed TOML: {_PLACE.sub('', str(error)).replace(' ()', '')}"
    return Diagnostic(codes.CONFIGURATION, message, Origin(source, span=lines.span(start, start + 1)))
