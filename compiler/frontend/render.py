"""Diagnostics for people and machines: text with the source line and a caret, JSON, SARIF 2.1.0."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from npc.compiler.frontend.codes import ALL, Severity
from npc.compiler.frontend.diagnostics import Diagnostic, Format
from npc.compiler.frontend.locate import Page, locate
from npc.compiler.frontend.source import Origin, Source, Span

MOST_NOTES = 3
"""Notes of one code that the text shows; the rest is counted. The other formats have all."""
_WIDTH = 120
"""Columns of a source line that are shown around the caret."""

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_COLOURS = {Severity.ERROR: "\033[1;31m", Severity.WARNING: "\033[1;33m", Severity.NOTE: "\033[1;36m"}
_BOLD, _DIM, _PLAIN = "\033[1m", "\033[2m", "\033[0m"


def render(diagnostics: Iterable[Diagnostic], format: Format, *, colour: bool = False) -> str:
    """All diagnostics in order of severity and place; every line ends with a newline."""
    listed = list(diagnostics)
    if format is Format.TEXT:
        listed = list(_folded(listed))
    places = _Places.of(listed)
    listed.sort(key=places.order)
    match format:
        case Format.TEXT:
            return "".join(_text(one, places, colour) for one in listed)
        case Format.JSON:
            return json.dumps([_json(one, places) for one in listed], indent=2) + "\n"
        case Format.SARIF:
            return json.dumps(_sarif(listed, places), indent=2) + "\n"


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`; empty when there is neither."""
    words = []
    for severity in (Severity.ERROR, Severity.WARNING):
        count = sum(one.severity is severity for one in diagnostics)
        if count:
            words.append(f"{count:,} {severity.value}" + ("s" if count > 1 else ""))
    return ", ".join(words)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where each origin is."""

    spans: Mapping[Origin, Span]
    pages: Mapping[Source, Page]

    @staticmethod
    def of(diagnostics: Iterable[Diagnostic]) -> _Places:
        origins = [one.origin for one in diagnostics if one.origin is not None]
        origins += [related.origin for one in diagnostics for related in one.related]
        return _Places(*locate(origins))

    def order(self, one: Diagnostic) -> tuple[int, str, int, int, str]:
        severity = list(Severity).index(one.severity)
        if one.origin is None:
            return severity, "", 0, 0, one.code.name
        span = self.spans[one.origin]
        return severity, one.origin.source.name, span.line, span.column, one.code.name


def _folded(diagnostics: list[Diagnostic]) -> Iterator[Diagnostic]:
    """The diagnostics with the many notes of one code counted instead of listed.

    The text does not show the places of notes: without them, good input is not read again to be shown.
    """
    counts: dict[str, int] = {}
    for one in diagnostics:
        if one.severity is not Severity.NOTE:
            yield one
            continue
        counts[one.code.name] = counts.get(one.code.name, 0) + 1
        if counts[one.code.name] <= MOST_NOTES:
            yield replace(one, origin=None, related=())
    for code in ALL:
        if (hidden := counts.get(code.name, 0) - MOST_NOTES) > 0:
            yield Diagnostic(code, f"{hidden:,} more: {code.title}")


def _text(one: Diagnostic, places: _Places, colour: bool) -> str:
    paint = _paint if colour else _plain
    head = paint(f"{_LEVELS[one.severity]}[{one.code.name}]", _COLOURS[one.severity])
    message = f"{one.field}: {one.message}" if one.field else one.message
    lines = [f"{head}: {paint(printable(message), _BOLD)}"]
    if one.severity is Severity.NOTE:
        return lines[0] + "\n"
    if one.origin is not None:
        lines += _snippet(one.origin, one.label, places, paint)
    for related in one.related:
        lines += _snippet(related.origin, related.label, places, paint)
    if one.about:
        lines.append(paint("   = ", _DIM) + f"in {printable(one.about)}")
    if one.help:
        lines.append(paint("   = ", _DIM) + f"help: {printable(one.help)}")
    return "\n".join(lines) + "\n\n"


def _paint(text: str, colour: str) -> str:
    return f"{colour}{text}{_PLAIN}"


def _plain(text: str, _colour: str) -> str:
    return text


def _snippet(origin: Origin, label: str, places: _Places, paint: Any) -> Iterator[str]:
    """The place, the source line, and a caret below it."""
    span, page = places.spans[origin], places.pages[origin.source]
    gutter = " " * len(str(span.line))
    yield paint(f"{gutter}--> ", _DIM) + f"{printable(origin.source.name)}:{span.line}:{span.column}"
    line = page.lines.line(span.line - 1)
    if not line.strip():
        if label:
            yield f"{gutter}  = {printable(label)}"
        return
    shown, caret, end = cropped(line, span.column - 1, span.end - 1)
    before = "".join("\t" if one == "\t" else " " * _columns(one) for one in shown[:caret])
    carets = "^" * max(1, sum(map(_columns, shown[caret:end])))
    marked = f"{carets} {printable(label)}" if label else carets
    yield paint(f"{gutter} |", _DIM)
    yield paint(f"{span.line} | ", _DIM) + printable(shown, keep="\t")
    yield paint(f"{gutter} | ", _DIM) + before + paint(marked, _BOLD)


def cropped(line: str, start: int, end: int) -> tuple[str, int, int]:
    """A line that is not too long, with what it is about in it, and where that is in the result (from 0)."""
    if len(line) <= _WIDTH:
        return line, start, min(end, len(line))
    first = max(0, min(start - _WIDTH // 2, len(line) - _WIDTH))
    last = first + _WIDTH
    left, right = ("..." if first else ""), ("..." if last < len(line) else "")
    shown = left + line[first:last] + right
    return shown, start - first + len(left), min(end, last) - first + len(left)


def _columns(character: str) -> int:
    """The columns of a terminal that a character takes, as `printable` shows it (UAX 11)."""
    if not character.isprintable():
        return 1
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def printable(text: str, keep: str = "") -> str:
    """Text without control characters, so that no input can drive the terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else "\ufffd" for one in text)


def _json(one: Diagnostic, places: _Places) -> dict[str, Any]:
    value: dict[str, Any] = {
        "code": one.code.name,
        "severity": one.severity.value,
        "message": one.message,
        **({"field": one.field} if one.field else {}),
        **({"reason": one.reason} if one.reason else {}),
        **({"about": one.about} if one.about else {}),
        **({"help": one.help} if one.help else {}),
    }
    if one.origin is not None:
        value |= _json_place(one.origin, places)
    if one.related:
        value["related"] = [
            {"message": related.label, **_json_place(related.origin, places)} for related in one.related
        ]
    return value


def _json_place(origin: Origin, places: _Places) -> dict[str, Any]:
    span = places.spans[origin]
    return {"file": origin.source.name, "line": span.line, "column": span.column, "endColumn": span.end}


def _sarif(diagnostics: list[Diagnostic], places: _Places) -> dict[str, Any]:
    """SARIF 2.1.0 (OASIS): what code-scanning services show beside a change."""
    rules = [
        {
            "id": code.name,
            "shortDescription": {"text": code.title},
            "help": {"text": f"docs/diagnostics.md#{code.name.lower()}: what it means, with an example"},
            "defaultConfiguration": {"level": _LEVELS[code.severity], "enabled": code.is_on},
        }
        for code in ALL
    ]
    indices = {code.name: index for index, code in enumerate(ALL)}
    results = [
        {
            "ruleId": one.code.name,
            "ruleIndex": indices[one.code.name],
            "level": _LEVELS[one.severity],
            "message": {"text": _sarif_message(one)},
            "locations": [_sarif_place(one.origin, places)] if one.origin is not None else [],
            "relatedLocations": [
                {"id": number, "message": {"text": related.label}, **_sarif_place(related.origin, places)}
                for number, related in enumerate(one.related)
            ],
        }
        for one in diagnostics
    ]
    driver = {"name": "npc", "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _sarif_message(one: Diagnostic) -> str:
    text = f"{one.field}: {one.message}" if one.field else one.message
    return f"{text} ({one.help})" if one.help else text


def _sarif_place(origin: Origin, places: _Places) -> dict[str, Any]:
    span = places.spans[origin]
    region = {"startLine": span.line, "startColumn": span.column, "endColumn": span.end}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(origin.source)}, "region": region}}


def _uri(source: Source) -> str:
    """A relative reference, or for an absolute path a file URI (RFC 3986)."""
    path = source.path if source.path is not None else Path(source.name)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path))
