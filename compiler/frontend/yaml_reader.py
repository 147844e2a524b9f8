"""YAML to plain values, from libyaml's events: strict where Kubernetes is strict, and fast.

Takes bytes, gives documents (dict, list, str, int, float, bool, None) and diagnostics. Duplicate
keys, unusable tags, cycles and alias bombs are errors with their places; after malformed YAML,
reading goes on at the next `---`, so that one run reports the errors of all documents. Mapping
keys are text, as in JSON. Aliased values are shared, never copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import Code
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.scalars import resolve
from npc.compiler.frontend.source import Origin, Source, Span

DEEPEST = 100
"""Levels of nesting; a NetworkPolicy needs ten."""
LARGEST_EXPANSION = 1_000_000
"""Nodes that the aliases of one document may stand for."""

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_TAG + name for name in ("null", "bool", "int", "float")}
_TEXT_TAGS = {_TAG + "str", "!"}


@dataclass(frozen=True, slots=True)
class Document:
    """One value and where it was written."""

    origin: Origin
    value: Any


@dataclass(slots=True)
class _Frame:
    """A container that is being read."""

    container: Any
    """A dict or a list."""
    first_node: int
    anchor: str | None
    key: str | None = None
    merges: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """Stands for an anchored container that has not ended: an alias to it would be a cycle."""


_OPEN = _Open()
_MERGE = "<<"


class _Faulty(Exception):
    """The rest of this document cannot be read; the diagnostic is reported already."""


def read_yaml(source: Source, data: bytes) -> tuple[list[Document], list[Diagnostic]]:
    """All documents of a YAML stream that could be read, and what is wrong with it."""
    reader = _Reader(source)
    line = 0
    while data:
        stopped_at = reader.read(data, line)
        if stopped_at is None:
            break
        skipped, data = _next_document(data, stopped_at - line)
        line += skipped
    return reader.documents, reader.diagnostics


def _next_document(data: bytes, after_line: int) -> tuple[int, bytes]:
    """The lines skipped, and what follows from the first `---` below a line."""
    offset = 0
    for _ in range(after_line + 1):
        offset = data.find(b"\n", offset) + 1
        if not offset:
            return 0, b""
    match = re.compile(rb"^---(?=\s|$)", re.MULTILINE).search(data, offset)
    if match is None:
        return 0, b""
    return data.count(b"\n", 0, match.start()), data[match.start() :]


class _Reader:
    """Builds values from events with an explicit stack, so that depth is ours to limit."""

    def __init__(self, source: Source) -> None:
        self.documents: list[Document] = []
        self.diagnostics: list[Diagnostic] = []
        self._source = source
        self._offset = 0
        """Lines of the source before the bytes that are being read."""
        self._plain: dict[str, Any] = {}
        """Plain scalars by their text: manifests repeat theirs."""

    def read(self, data: bytes, first_line: int) -> int | None:
        """Read documents until the end (None) or a fault (the line, from 0, that it is on)."""
        self._offset = first_line
        try:
            parser = CParser(data)
            next_event = parser.get_event
            while True:
                event = next_event()
                if type(event) is DocumentStartEvent:
                    line = span_of(event, first_line).line - 1
                    value = self._document(next_event)
                    self.documents.append(Document(Origin(self._source, line), value))
                elif type(event) is StreamEndEvent:
                    return None
        except _Faulty:
            line = self.diagnostics[-1].origin.span.line - 1  # type: ignore[union-attr]
            return max(line, first_line)
        except yaml.YAMLError as error:
            return self._malformed(error, data)

    def _document(self, next_event: Any) -> Any:
        """The value of one document, up to its end event."""
        stack: list[_Frame] = []
        anchors: dict[str, Any] = {}
        sizes: dict[str, int] = {}
        plain = self._plain
        root: Any = None
        nodes = expanded = 0
        while True:
            event = next_event()
            kind = type(event)
            nodes += 1
            if kind is ScalarEvent:
                text = event.value
                if event.implicit[0]:
                    try:
                        value = plain[text]
                    except KeyError:
                        value = plain[text] = resolve(text)
                elif event.implicit[1]:
                    value = text
                else:
                    value = self._tagged(event)
                if event.anchor is not None:
                    anchors[event.anchor] = value
                    sizes[event.anchor] = 1
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) >= DEEPEST:
                    self._report(codes.TOO_DEEP, event, f"nested more than {DEEPEST} levels deep")
                    raise _Faulty
                if event.tag is not None and not event.implicit:
                    self._container_tag(event)
                if event.anchor is not None:
                    anchors[event.anchor] = _OPEN
                frame = _Frame({} if kind is MappingStartEvent else [], nodes, event.anchor)
                if stack and type(stack[-1].container) is dict and stack[-1].key is None:
                    self._report(codes.UNSUPPORTED_YAML, event, "a mapping or a list as a key")
                    raise _Faulty
                stack.append(frame)
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                frame = stack.pop()
                value = frame.container
                for merged in reversed(frame.merges):
                    value = frame.container = {**merged, **value}
                if frame.anchor is not None:
                    anchors[frame.anchor] = value
                    sizes[frame.anchor] = nodes - frame.first_node + 1
            elif kind is AliasEvent:
                value = anchors.get(event.anchor)
                if value is _OPEN:
                    self._report(codes.TOO_DEEP, event, f"the alias *{event.anchor} contains itself")
                    raise _Faulty
                size = sizes.get(event.anchor, 1)
                nodes += size
                expanded += size
                if expanded > LARGEST_EXPANSION:
                    self._report(
                        codes.TOO_DEEP, event, f"aliases stand for more than {LARGEST_EXPANSION:,} values"
                    )
                    raise _Faulty
            elif kind is DocumentEndEvent:
                return root
            else:  # pragma: no cover - libyaml has no other events inside a document
                continue

            if not stack:
                root = value
                continue
            frame = stack[-1]
            container = frame.container
            if type(container) is list:
                container.append(value)
            elif frame.key is None:
                if type(value) is not str:
                    value = self._key_text(value, event)
                if value in container:
                    self._report(codes.DUPLICATE_KEY, event, f"the key {value!r} stands here twice")
                frame.key = value
            else:
                if frame.key == _MERGE:
                    self._merge(frame, value, event)
                else:
                    container[frame.key] = value
                frame.key = None

    def _tagged(self, event: ScalarEvent) -> Any:
        """A scalar with an explicit tag."""
        if event.tag in _TEXT_TAGS:
            return event.value
        if event.tag in _PLAIN_TAGS:
            return resolve(event.value)
        self._unusable_tag(event)
        return event.value

    def _container_tag(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        expected = "map" if isinstance(event, MappingStartEvent) else "seq"
        if event.tag != _TAG + expected:
            self._unusable_tag(event)

    def _unusable_tag(self, event: Any) -> None:
        tag = event.tag.replace(_TAG, "!!")
        self._report(codes.UNSUPPORTED_YAML, event, f"the tag {tag} has no meaning in a Kubernetes manifest")

    def _key_text(self, value: Any, event: Event) -> str:
        """A key that is no text, as kubectl turns it into JSON."""
        match value:
            case bool():
                return "true" if value else "false"
            case int() | float():
                return str(value)
            case None:
                self._report(codes.UNSUPPORTED_YAML, event, "an empty key")
            case _:
                self._report(codes.UNSUPPORTED_YAML, event, "a mapping or a list as a key")
        raise _Faulty

    def _merge(self, frame: _Frame, value: Any, event: Event) -> None:
        """A merge key: `<<: *defaults` or a list of them; keys of the mapping itself win."""
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            self._report(codes.UNSUPPORTED_YAML, event, "a merge key (<<) takes a mapping or a list of them")
            return
        frame.merges.extend(parts)

    def _report(self, code: Code, event: Event, message: str, help: str = "") -> None:
        span = span_of(event, self._offset)
        self.diagnostics.append(Diagnostic(code, message, Origin(self._source, span=span), help=help))

    def _malformed(self, error: yaml.YAMLError, data: bytes) -> int:
        """Report what libyaml could not read; the line, from 0, to go on behind."""
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark is None:
            line, column, problem = _reader_error(error, data)
        else:
            line, column, problem = mark.line, mark.column, getattr(error, "problem", "") or str(error)
        text = _line_of(data, line)
        span = Span(line + 1 + self._offset, column + 1, column + 2)
        context = getattr(error, "context", None)
        message = f"malformed YAML: {problem}" + (f" {context}" if context else "")
        self.diagnostics.append(
            Diagnostic(
                codes.SYNTAX, message, Origin(self._source, span=span), help=_syntax_help(text, problem)
            )
        )
        return line + self._offset


def span_of(event: Event, first_line: int = 0) -> Span:
    """Where an event stands; one that goes on below its first line counts as one column."""
    start, end = event.start_mark, event.end_mark
    assert start is not None  # libyaml's events have both
    assert end is not None
    last = end.column if end.line == start.line else start.column
    return Span(start.line + 1 + first_line, start.column + 1, max(last, start.column + 1) + 1)


def _reader_error(error: yaml.YAMLError, data: bytes) -> tuple[int, int, str]:
    """Line, column and problem of bytes that YAML does not allow."""
    position = min(getattr(error, "position", 0) or 0, len(data))
    text = data.decode("utf-8", "replace")
    before = text[:position]
    line = before.count("\n")
    character = getattr(error, "character", None)
    shown = f"#x{character:02x}" if isinstance(character, int) else repr(character)
    return line, position - (before.rfind("\n") + 1), f"the character {shown} is not allowed"


def _line_of(data: bytes, line: int) -> bytes:
    lines: Iterator[bytes] = iter(data.split(b"\n", line + 1))
    return next((text for index, text in enumerate(lines) if index == line), b"")


def _syntax_help(line: bytes, problem: str) -> str:
    if b"{{" in line or b"{%" in line:
        return "this looks like a template: render it first (helm template, kustomize build)"
    if b"\t" in line:
        return "indent with spaces: YAML does not allow tabs there"
    if "mapping values are not allowed" in problem:
        return "check the indentation, and quote a value that holds ': '"
    return ""
