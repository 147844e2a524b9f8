"""From origins to places on the page: read again, with positions, only what a diagnostic names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import yaml
from yaml._yaml import CParser
from yaml.events import (
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from npc.compiler.frontend.json_reader import span_in_json
from npc.compiler.frontend.source import Origin, PathInDocument, Source, Span, Step
from npc.compiler.frontend.yaml_reader import span_of

Wanted = tuple[PathInDocument, bool]
"""A path, and whether its last key is meant."""


@dataclass(frozen=True, slots=True)
class Page:
    """A source's text as it is shown: its lines."""

    source: Source
    text: str
    lines: tuple[str, ...] = field(repr=False)

    @staticmethod
    def of(source: Source) -> Page:
        try:
            text = source.data().decode("utf-8-sig", "replace")
        except OSError:
            text = ""
        return Page(source, text, tuple(text.split("\n")))

    @property
    def is_json(self) -> bool:
        """Whether `documents` read it as JSON: a YAML flow mapping differs only where JSON fails."""
        return self.text.lstrip()[:1] in ("{", "[")


def locate(origins: Iterable[Origin]) -> tuple[dict[Origin, Span], dict[Source, Page]]:
    """The place of each origin that has one, and the pages they are on.

    A path that leads nowhere (a missing field, a merged key) is placed at the last step there is.
    """
    pages: dict[Source, Page] = {}
    spans: dict[Origin, Span] = {}
    by_document: dict[tuple[Source, int], list[Origin]] = {}
    for origin in origins:
        if origin.source not in pages:
            pages[origin.source] = Page.of(origin.source)
        if origin.span is not None:
            spans[origin] = origin.span
        else:
            by_document.setdefault((origin.source, origin.document), []).append(origin)
    for (source, line), group in by_document.items():
        page = pages[source]
        if page.is_json:
            for origin in group:
                try:
                    spans[origin] = span_in_json(page.text, origin.path, origin.on_key)
                except ValueError:
                    spans.update(_in_yaml(page, line, [origin]))
        else:
            spans.update(_in_yaml(page, line, group))
    return spans, pages


def _in_yaml(page: Page, first_line: int, origins: list[Origin]) -> dict[Origin, Span]:
    wanted = {(prefix, on_key) for origin in origins for prefix, on_key in _prefixes(origin)}
    found = _walk("\n".join(page.lines[first_line:]), first_line, wanted)
    spans = {}
    for origin in origins:
        hit = next((found[key] for key in _prefixes(origin) if key in found), None)
        spans[origin] = hit or Span(first_line + 1, 1, 2)
    return spans


def _prefixes(origin: Origin) -> list[Wanted]:
    """The path itself, then ever shorter ones."""
    shorter = [(origin.path[:length], False) for length in range(len(origin.path) - 1, -1, -1)]
    return [(origin.path, origin.on_key), *shorter]


def _walk(text: str, first_line: int, wanted: set[Wanted]) -> dict[Wanted, Span]:
    """The places of the wanted values and keys in the first document of a YAML text."""
    found: dict[Wanted, Span] = {}
    parser = CParser(text)
    path: list[Step] = []
    containers: list[_Container] = []
    try:
        while not isinstance(event := parser.get_event(), DocumentEndEvent | StreamEndEvent):
            if isinstance(event, NodeEvent):
                container = containers[-1] if containers else None
                if container is not None and container.expects_key:
                    container.key = event.value if isinstance(event, ScalarEvent) else ""
                    _note(found, wanted, ((*path, container.key), True), event, first_line)
                    if isinstance(event, ScalarEvent):
                        container.expects_key = False
                        continue
                if container is not None:
                    path.append(container.step())
                _note(found, wanted, (tuple(path), False), event, first_line)
                if isinstance(event, MappingStartEvent | SequenceStartEvent):
                    containers.append(_Container(is_mapping=isinstance(event, MappingStartEvent)))
                elif container is not None:
                    path.pop()
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                containers.pop()
                if path:
                    path.pop()
    except yaml.YAMLError:
        pass  # the reader reported it; what stands before it is placed
    return found


@dataclass(slots=True)
class _Container:
    """A mapping or a list that the walk is inside of."""

    is_mapping: bool
    key: str = ""
    index: int = -1
    expects_key: bool = field(init=False)

    def __post_init__(self) -> None:
        self.expects_key = self.is_mapping

    def step(self) -> Step:
        """The step to the value that begins; the next node is a key again in a mapping."""
        if self.is_mapping:
            self.expects_key = True
            return self.key
        self.index += 1
        return self.index


def _note(found: dict[Wanted, Span], wanted: set[Wanted], key: Wanted, event: Event, first_line: int) -> None:
    if key in wanted and key not in found:
        found[key] = span_of(event, first_line)
