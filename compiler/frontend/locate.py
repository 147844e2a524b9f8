"""From origins to places on the page: read again, with positions, only what a diagnostic names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import yaml
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from npc.compiler.frontend.json_reader import Wanted, places_in_json
from npc.compiler.frontend.scalars import key_text, resolve
from npc.compiler.frontend.source import Lines, Origin, Source, Span, Step
from npc.compiler.frontend.yaml_reader import document_at, document_text, span_of


@dataclass(frozen=True, slots=True)
class Page:
    """A source's text as it is shown: its lines."""

    source: Source
    lines: Lines = field(repr=False)

    @staticmethod
    def of(source: Source) -> Page:
        """The page of a source; an empty one where it can no longer be read."""
        try:
            text = source.data().decode("utf-8-sig", "replace")
        except OSError:
            text = ""
        return Page(source, Lines.of(text))

    @property
    def may_be_json(self) -> bool:
        """Whether `documents` tried to read it as JSON."""
        return self.lines.text.lstrip()[:1] in ("{", "[")


def locate(origins: Iterable[Origin]) -> tuple[dict[Origin, Span], dict[Source, Page]]:
    """The place of each origin that has one, and the pages they are on.

    A path that leads nowhere (a missing field, a merged key) is placed at the last step there is.
    """
    pages: dict[Source, Page] = {}
    spans: dict[Origin, Span] = {}
    by_source: dict[Source, list[Origin]] = {}
    for origin in origins:
        if origin.source not in pages:
            pages[origin.source] = Page.of(origin.source)
        if origin.span is not None:
            spans[origin] = origin.span
        elif origin.within is not None and not origin.path:
            spans[origin] = pages[origin.source].lines.span(*origin.within)
        else:
            by_source.setdefault(origin.source, []).append(origin)
    for source, group in by_source.items():
        spans.update(_on_page(pages[source], group))
    return spans, pages


def shown(origins: Iterable[Origin]) -> dict[Origin, tuple[Span, str]]:
    """The place of each origin, and what its line says.

    Of a large file no more is read than the documents that are named, where it is known where they begin.
    """
    found: dict[Origin, tuple[Span, str]] = {}
    by_document: dict[tuple[Source, int], list[Origin]] = {}
    others: list[Origin] = []
    for origin in origins:
        if origin.offset is None or origin.span is not None or origin.within is not None:
            others.append(origin)
        else:
            by_document.setdefault((origin.source, origin.offset), []).append(origin)
    for (source, offset), group in by_document.items():
        if text := document_at(source, offset):
            lines = Lines.of(text)
            first_line = group[0].document
            for origin, span in _in_document(text, first_line, group):
                found[origin] = span, lines.line(span.line - 1 - first_line)
        else:
            others += group
    spans, pages = locate(others)
    for origin, span in spans.items():
        found[origin] = span, pages[origin.source].lines.line(span.line - 1)
    return found


def _on_page(page: Page, origins: list[Origin]) -> dict[Origin, Span]:
    if page.may_be_json and all(origin.document == 0 for origin in origins):
        try:
            return _in_json(page, origins)
        except (ValueError, RecursionError):
            pass  # a flow mapping of YAML, or nested too deeply to be walked
    return _in_yaml(page, origins)


def _in_json(page: Page, origins: list[Origin]) -> dict[Origin, Span]:
    places = places_in_json(page.lines.text, {(origin.path, origin.on_key) for origin in origins})
    spans = {}
    for origin in origins:
        start, end = places[origin.path, origin.on_key]
        if origin.within is not None:
            start, end = start + origin.within[0], start + origin.within[1]
        spans[origin] = page.lines.span(start, end)
    return spans


def _in_yaml(page: Page, origins: list[Origin]) -> dict[Origin, Span]:
    by_document: dict[int, list[Origin]] = {}
    for origin in origins:
        by_document.setdefault(origin.document, []).append(origin)
    spans: dict[Origin, Span] = {}
    for first_line, group in by_document.items():
        spans.update(_in_document(document_text(page.lines, first_line), first_line, group))
    return spans


def _in_document(text: str, first_line: int, origins: list[Origin]) -> Iterator[tuple[Origin, Span]]:
    """The places of origins in the YAML document that a text begins with."""
    found = _walk(text, first_line, {prefix for origin in origins for prefix in _prefixes(origin)})
    for origin in origins:
        hit = next((found[prefix] for prefix in _prefixes(origin) if prefix in found), None)
        yield origin, hit or Span(first_line + 1, 1, 2)


def _prefixes(origin: Origin) -> Iterator[Wanted]:
    """The path itself, then ever shorter ones."""
    yield origin.path, origin.on_key
    for length in range(len(origin.path) - 1, -1, -1):
        yield origin.path[:length], False


@dataclass(slots=True)
class _Container:
    """A mapping or a list that the walk is inside of."""

    is_mapping: bool
    expects_key: bool
    key: str = ""
    key_span: Span | None = None
    index: int = -1

    def step(self) -> Step:
        """The step to the value that begins; the next node is a key again in a mapping."""
        if self.is_mapping:
            self.expects_key = True
            return self.key
        self.index += 1
        return self.index


def _walk(text: str, first_line: int, wanted: set[Wanted]) -> dict[Wanted, Span]:
    """The places of the wanted values and keys in a YAML document; where a key stands twice, the last.

    The place of a block mapping or list is its key, where it has one.
    """
    found: dict[Wanted, Span] = {}
    parser = CParser(text)
    anchors: dict[str, str] = {}
    path: list[Step] = []
    containers: list[_Container] = []
    try:
        while not isinstance(event := parser.get_event(), DocumentEndEvent | StreamEndEvent):
            if isinstance(event, MappingEndEvent | SequenceEndEvent):
                containers.pop()
                if path:
                    path.pop()
            if not isinstance(event, NodeEvent):
                continue
            container = containers[-1] if containers else None
            span = span_of(event, first_line)
            scalar = _scalar_text(event, anchors)
            if container is not None and container.expects_key:
                if scalar is None:
                    break  # a mapping or a list as a key: the reader did not go on either
                container.key, container.key_span, container.expects_key = scalar, span, False
                if ((*path, scalar), True) in wanted:
                    found[(*path, scalar), True] = span
                continue
            key_span = container.key_span if container is not None else None
            if container is not None:
                path.append(container.step())
            if isinstance(event, MappingStartEvent | SequenceStartEvent) and not event.flow_style:
                span = key_span or span
            if (tuple(path), False) in wanted:
                found[tuple(path), False] = span
            if scalar is None:
                is_mapping = isinstance(event, MappingStartEvent)
                containers.append(_Container(is_mapping, expects_key=is_mapping))
            elif container is not None:
                path.pop()
    except yaml.YAMLError:
        pass  # the reader reported it; what stands before it is placed
    return found


def _scalar_text(event: NodeEvent, anchors: dict[str, str]) -> str | None:
    """What a scalar, or an alias of one, would be as a key; None for a mapping or a list."""
    match event:
        case AliasEvent():
            return anchors.get(event.anchor or "", "")
        case ScalarEvent():
            text = event.value if event.style else key_text(resolve(event.value)) or ""
            if event.anchor:
                anchors[event.anchor] = text
            return text
        case _:
            return None
