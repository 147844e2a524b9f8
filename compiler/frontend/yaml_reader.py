"""YAML to plain values, from libyaml's events: strict where Kubernetes is strict, and fast.

Takes bytes, gives documents (dict, list, str, int, float, bool, None) and diagnostics. Duplicate
keys, unusable tags, cycles and alias bombs are errors with their places; after a document that
cannot be read, reading goes on at the next `---`, so that one run reports the errors of all. Mapping
keys are text, as in JSON. Aliased values are shared, never copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NoReturn

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
from npc.compiler.frontend.malformed import TEMPLATE_HELP, malformed_yaml
from npc.compiler.frontend.plain_yaml import NotPlain, PlainReader
from npc.compiler.frontend.scalars import key_text, resolve
from npc.compiler.frontend.shapes import quoted
from npc.compiler.frontend.source import FirstLine, Lines, Origin, Source, Span

DEEPEST = 100
"""Levels of nesting; a NetworkPolicy needs ten."""
LARGEST_EXPANSION = 1_000_000
"""Nodes that the aliases of one document may stand for."""

_DOCUMENT_START = re.compile(r"(?:\A|(?<=[\n\r\x85\u2028\u2029]))---(?=\s|\Z)")
_BOM = b"\xef\xbb\xbf"
_FOLLOWING = re.compile(rb"\n---(?=[ \t\n])")
"""What stands before and at the beginning of a document that is not the first."""
_CHUNK = 1 << 13
_ODD_LINE_END = re.compile(r"[\r\x85\u2028\u2029]")
_KEY = re.compile(r"^[A-Za-z]", re.MULTILINE)
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
    start: MappingStartEvent | SequenceStartEvent
    key: str | _Merge | None = None
    merges: list[dict[str, Any]] = field(default_factory=list)


class _Open:
    """Stands for an anchored container that has not ended: an alias to it would be a cycle."""


class _Merge:
    """Stands for the key `<<`."""


_OPEN = _Open()
_MERGE = _Merge()


class _Faulty(Exception):
    """The rest of this document cannot be read; the diagnostic is reported already."""


def read_yaml(source: Source, data: bytes) -> tuple[list[Document], list[Diagnostic]]:
    """All documents of a YAML stream that could be read, and what is wrong with it."""
    documents = _read_plainly(source, data)
    return (documents, []) if documents is not None else read_with_libyaml(source, data)


def read_with_libyaml(source: Source, data: bytes) -> tuple[list[Document], list[Diagnostic]]:
    """As `read_yaml`, all of it with libyaml."""
    reader = _Reader(source)
    go_on_at = reader.read(data, 0)
    if go_on_at is None:
        return reader.documents, reader.diagnostics
    if go_on_at == 0:
        reader = _Reader(source)
    for first_line, document in _split(data):
        if first_line >= go_on_at:
            reader.read(document, first_line)
    return reader.documents, reader.diagnostics


def _read_plainly(source: Source, data: bytes) -> list[Document] | None:
    """All documents of a stream, those of the plain form without libyaml; None when anything is wrong."""
    text = data.decode("utf-8", "replace")
    if _ODD_LINE_END.search(text):
        return None
    plain = PlainReader()
    documents: list[Document] = []
    starts = [match.start() for match in _DOCUMENT_START.finditer(text)]
    first_line = offset = 0
    is_ascii = len(text) == len(data)
    for start, end in pairwise([*(() if starts[:1] == [0] else (0,)), *starts, len(text)]):
        part = text[start:end]
        body, skipped = (part[4:], 1) if part.startswith("---\n") else (part, 0)
        try:
            value: Any = plain.read(body.removesuffix("\n"))
            # What begins without `---` begins with its first key.
            before = 0 if skipped else _before_a_key(body)
            line = FirstLine.at(
                first_line + part.count("\n", 0, before), offset + (_bytes(part[:before]) if before else 0)
            )
            documents.append(Document(Origin(source, line), value))
        except NotPlain:
            reader = _Reader(source)
            if reader.read(part.encode(), first_line) is not None or reader.diagnostics:
                return None
            documents += reader.documents
        first_line += part.count("\n")
        offset += len(part) if is_ascii else _bytes(part)
    return documents


def _bytes(text: str) -> int:
    return len(text.encode())


def _before_a_key(text: str) -> int:
    """The characters of comments and empty lines that a plain document begins with."""
    key = _KEY.search(text)
    return key.start() if key is not None else 0


def _split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The documents of a stream, by their `---`: the first line (from 0) and the text of each."""
    lines = Lines.of(data.decode("utf-8", "replace"))
    starts = [match.start() for match in _DOCUMENT_START.finditer(lines.text)]
    if not starts or starts[0] > 0:
        starts.insert(0, 0)
    for start in starts:
        first_line = lines.number(start)
        yield first_line, document_text(lines, first_line).encode()


def document_at(source: Source, offset: int) -> str:
    """As `document_text`, of a document that begins at a byte of a source, without reading all of it.

    Empty where no document begins there any more. It is one whose lines all end as usual.
    """
    found = b""
    following = None
    try:
        with source.open() as file:
            mark = len(_BOM) if file.read(len(_BOM)) == _BOM else 0
            file.seek(mark + offset)
            while following is None and (chunk := file.read(_CHUNK)):
                searched = max(1, len(found) - len(b"\n--- "))
                found += chunk
                following = _FOLLOWING.search(found, searched)
    except OSError:
        return ""
    if offset > 0 and not found.startswith(b"---"):
        return ""
    return found[: following.start() + 1 if following is not None else None].decode("utf-8", "replace")


def document_text(lines: Lines, first_line: int) -> str:
    """The text from a document's first line to the next `---`."""
    if first_line >= len(lines.starts):
        return ""
    start = lines.starts[first_line]
    following = _DOCUMENT_START.search(lines.text, start + 1)
    return lines.text[start : following.start() if following else len(lines.text)]


class _Reader:
    """Builds values from events with an explicit stack, so that depth is ours to limit."""

    def __init__(self, source: Source) -> None:
        self.documents: list[Document] = []
        self.diagnostics: list[Diagnostic] = []
        self._source = source
        self._is_usable = True
        """Whether the document that is being read means something in spite of its diagnostics."""
        self._offset = 0
        """Lines of the source before the bytes that are being read."""
        self._plain: dict[str, Any] = {}
        """Plain scalars by their text: manifests repeat theirs."""

    def read(self, data: bytes, first_line: int) -> int | None:
        """Read documents until the end (None) or a fault (the line, from 0, to go on at)."""
        self._offset = first_line
        try:
            parser = CParser(data)
            next_event = parser.get_event
            while True:
                event = next_event()
                if type(event) is DocumentStartEvent:
                    line = span_of(event, first_line).line - 1
                    self._is_usable = True
                    value = self._document(next_event)
                    if self._is_usable:
                        self.documents.append(Document(Origin(self._source, line), value))
                elif type(event) is StreamEndEvent:
                    return None
        except _Faulty:
            return self.diagnostics[-1].origin.span.line  # type: ignore[union-attr]
        except yaml.YAMLError as error:
            self.diagnostics.append(malformed_yaml(self._source, data, first_line, error))
            mark = getattr(error, "problem_mark", None)
            if mark is None:
                return 0  # a character that is not allowed: libyaml looks ahead, and has seen no document yet
            return int(first_line + mark.line + (1 if mark.column else 0))

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
                if stack and type(stack[-1].container) is dict and stack[-1].key is None:
                    self._container_as_key(event, stack[-1].start)
                stack.append(_Frame({} if kind is MappingStartEvent else [], nodes, event))
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                frame = stack.pop()
                value = frame.container
                for merged in frame.merges:  # where two have a key, the first one's value stands
                    value = {**merged, **value}
                event = frame.start
                if event.anchor is not None:
                    anchors[event.anchor] = value
                    sizes[event.anchor] = nodes - frame.first_node + 1
            elif kind is AliasEvent:
                value = anchors.get(event.anchor, _OPEN)
                if value is _OPEN:
                    self._unusable_alias(event, known=event.anchor in anchors)
                size = sizes[event.anchor]
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
                    self._report(codes.DUPLICATE_KEY, event, f"the key {quoted(value)} stands here twice")
                # in quotes it is a key like any other
                is_merge = value == "<<" and kind is ScalarEvent and event.implicit[0]
                frame.key = _MERGE if is_merge else value
            else:
                if frame.key is _MERGE:
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
        tag = quoted(event.tag.replace(_TAG, "!!"))
        self._report(codes.UNSUPPORTED_YAML, event, f"the tag {tag} has no meaning in a Kubernetes manifest")
        self._is_usable = False

    def _unusable_alias(self, event: AliasEvent, *, known: bool) -> NoReturn:
        name = quoted(str(event.anchor))
        if known:
            self._report(codes.TOO_DEEP, event, f"the alias {name} contains itself")
        else:
            help = "an anchor (&) comes before its aliases (*), in the same document"
            self._report(codes.SYNTAX, event, f"there is no anchor {name}", help)
        raise _Faulty

    def _container_as_key(self, event: Event, outer: Event) -> NoReturn:
        """A mapping or a list as a key, which is how YAML reads `{{ template }}`."""
        inner, outer_span = span_of(event), span_of(outer)
        is_template = (inner.line, inner.column) == (outer_span.line, outer_span.column + 1)
        help = TEMPLATE_HELP if is_template and isinstance(event, MappingStartEvent) else ""
        self._report(codes.UNSUPPORTED_YAML, event, "a mapping or a list as a key", help)
        raise _Faulty

    def _key_text(self, value: Any, event: Event) -> str:
        """A key that is no text."""
        if isinstance(value, dict | list):
            self._report(codes.UNSUPPORTED_YAML, event, "a mapping or a list as a key")
            raise _Faulty
        text = key_text(value)
        if text is None:
            self._report(codes.UNSUPPORTED_YAML, event, "an empty key")
            raise _Faulty
        return text

    def _merge(self, frame: _Frame, value: Any, event: Event) -> None:
        """A merge key: `<<: *defaults` or a list of them; keys of the mapping itself win."""
        parts = value if isinstance(value, list) else [value]
        if all(isinstance(part, dict) for part in parts):
            frame.merges.extend(parts)
        else:
            self._report(codes.UNSUPPORTED_YAML, event, "a merge key (<<) takes a mapping or a list of them")
            self._is_usable = False

    def _report(self, code: Code, event: Event, message: str, help: str = "") -> None:
        span = span_of(event, self._offset)
        self.diagnostics.append(Diagnostic(code, message, Origin(self._source, span=span), help=help))


def span_of(event: Event, first_line: int = 0) -> Span:
    """Where an event stands; one that goes on below its first line counts as one column."""
    start, end = event.start_mark, event.end_mark
    assert start is not None  # libyaml's events have both
    assert end is not None
    last = end.column if end.line == start.line else start.column
    return Span(start.line + 1 + first_line, start.column + 1, max(last, start.column + 1) + 1)
