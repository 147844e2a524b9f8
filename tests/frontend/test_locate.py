"""From paths to places: in YAML and in JSON, for values, keys, and what is not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from npc.compiler.frontend import source as source_module
from npc.compiler.frontend.json_reader import places_in_json
from npc.compiler.frontend.locate import locate, shown
from npc.compiler.frontend.source import LINE_END, Lines, Origin, PathInDocument, Source, Step
from npc.compiler.frontend.yaml_reader import read_yaml

BLOCK = """\
# a comment
kind: NetworkPolicy
metadata:
  name: web
  labels: {"app.kubernetes.io/name": web, 8080: x, on: y}
spec:
  ingress:
  - ports: &ports
    - port: 80
    - port: 8443
      endPort: 9443
  - ports: *ports
  - from:
    -
      podSelector: {}
  text: |
    several
    lines
  twice: first
  twice: second
  ? explicit
  : value
"""
MERGED = """\
base: &base {name: web, deep: {er: x}}
merged:
  <<: *base
  own: 1
key: &key named
*key : by an alias
"""
STREAM = """\
first: 1
--- # second
first: 2
---
- first: 3
"""
FLOW = '{"items": [{"a": {"b": [1, true, "x\\n"]}}, {}], "dots.and/slashes": null, "a": 1, "a": 2}'

PLACES: list[tuple[str, str, int, PathInDocument, str, str]] = [
    # name, text, first line of the document, path, place, what is there
    ("the document itself", BLOCK, 1, (), "2:1", "k"),
    ("a value", BLOCK, 1, ("kind",), "2:7", "NetworkPolicy"),
    ("a nested value", BLOCK, 1, ("metadata", "name"), "4:9", "web"),
    ("a key with dots", BLOCK, 1, ("metadata", "labels", "app.kubernetes.io/name"), "5:38", "web"),
    ("a key that is a number", BLOCK, 1, ("metadata", "labels", "8080"), "5:49", "x"),
    ("a key that is a boolean", BLOCK, 1, ("metadata", "labels", "true"), "5:56", "y"),
    ("a mapping in flow style", BLOCK, 1, ("metadata", "labels"), "5:11", "{"),
    ("a mapping in block style: its key", BLOCK, 1, ("spec",), "6:1", "spec"),
    ("a list in block style: its key", BLOCK, 1, ("spec", "ingress"), "7:3", "ingress"),
    ("an item of a list", BLOCK, 1, ("spec", "ingress", 0), "8:5", "p"),
    ("a value in a list", BLOCK, 1, ("spec", "ingress", 0, "ports", 1, "port"), "10:13", "8443"),
    ("below an alias: the alias", BLOCK, 1, ("spec", "ingress", 1, "ports", 0, "port"), "12:12", "*ports"),
    ("an item that begins on the next line", BLOCK, 1, ("spec", "ingress", 2, "from", 0), "15:7", "p"),
    ("a text of several lines", BLOCK, 1, ("spec", "text"), "16:9", "|"),
    ("a key twice: the last", BLOCK, 1, ("spec", "twice"), "20:10", "second"),
    ("an explicit key", BLOCK, 1, ("spec", "explicit"), "22:5", "value"),
    (
        "a field that is missing: what it is missing in",
        BLOCK,
        1,
        ("metadata", "namespace"),
        "3:1",
        "metadata",
    ),
    ("a field that is missing in an item", BLOCK, 1, ("spec", "ingress", 0, "from"), "8:5", "p"),
    ("an item that is missing", BLOCK, 1, ("spec", "ingress", 7, "from"), "7:3", "ingress"),
    ("below a scalar: the scalar", BLOCK, 1, ("kind", "x"), "2:7", "NetworkPolicy"),
    ("merged: where it is merged into", MERGED, 0, ("merged", "name"), "2:1", "merged"),
    ("beside what is merged", MERGED, 0, ("merged", "own"), "4:8", "1"),
    ("a key that is an alias", MERGED, 0, ("named",), "6:8", "by an alias"),
    ("the first document", STREAM, 0, ("first",), "1:8", "1"),
    ("the second document", STREAM, 1, ("first",), "3:8", "2"),
    ("the third document", STREAM, 3, (0, "first"), "5:10", "3"),
    ("a document that is not there", STREAM, 9, ("first",), "10:1", ""),
    ("JSON itself", FLOW, 0, (), "1:1", "{"),
    ("a list in JSON", FLOW, 0, ("items",), "1:11", "["),
    ("an item in JSON", FLOW, 0, ("items", 1), "1:44", "{"),
    ("a word in JSON", FLOW, 0, ("items", 0, "a", "b", 1), "1:28", "true"),
    ("a string in JSON", FLOW, 0, ("items", 0, "a", "b", 2), "1:34", '"x\\n"'),
    ("null in JSON", FLOW, 0, ("dots.and/slashes",), "1:69", "null"),
    ("a key twice in JSON: the last", FLOW, 0, ("a",), "1:88", "2"),
    ("missing in JSON", FLOW, 0, ("items", 1, "a", "b"), "1:44", "{"),
    ("below a scalar in JSON", FLOW, 0, ("items", 0, "a", "b", 0, "c"), "1:25", "1"),
    ("YAML between braces", "{a: [x, {b: c}]}", 0, ("a", 1, "b"), "1:13", "c"),
    ("empty", "", 0, ("a",), "1:1", ""),
]
KEYS: list[tuple[str, str, PathInDocument, str, str]] = [
    ("a key", BLOCK, ("metadata", "name"), "4:3", "name"),
    (
        "a quoted key",
        BLOCK,
        ("metadata", "labels", "app.kubernetes.io/name"),
        "5:12",
        '"app.kubernetes.io/name"',
    ),
    ("a key that is a number", BLOCK, ("metadata", "labels", "8080"), "5:43", "8080"),
    ("a key twice: the last", BLOCK, ("spec", "twice"), "20:3", "twice"),
    ("a key that is missing", BLOCK, ("metadata", "namespace"), "3:1", "metadata"),
    ("a key in JSON", FLOW, ("dots.and/slashes",), "1:49", '"dots.and/slashes"'),
    ("a key twice in JSON: the last", FLOW, ("a",), "1:83", '"a"'),
]


@pytest.mark.parametrize(
    ("text", "document", "path", "place", "there"),
    [row[1:] for row in PLACES],
    ids=[row[0] for row in PLACES],
)
def test_value(text: str, document: int, path: PathInDocument, place: str, there: str) -> None:
    assert _located(text, document, path) == (place, there)


@pytest.mark.parametrize(
    ("text", "path", "place", "there"), [row[1:] for row in KEYS], ids=[row[0] for row in KEYS]
)
def test_key(text: str, path: PathInDocument, place: str, there: str) -> None:
    assert _located(text, 1 if text is BLOCK else 0, path, on_key=True) == (place, there)


def test_a_source_that_is_gone() -> None:
    origin = Origin(Source("gone.yaml", content=b"a: 1\n"), path=("a",))
    spans, pages = locate([origin])
    assert (spans[origin].line, pages[origin.source].lines.line(0)) == (1, "a: 1")


SCALARS = st.one_of(
    st.integers(-(10**9), 10**9),
    st.booleans(),
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=4),
)
VALUES = st.recursive(
    st.dictionaries(st.text("ab.1 é網", min_size=1, max_size=3), SCALARS, min_size=1, max_size=3),
    lambda inner: st.one_of(
        st.lists(st.one_of(inner, SCALARS), max_size=3).map(lambda items: {"items": items}),
        st.dictionaries(st.text("ab.1 é網", min_size=1, max_size=3), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(value=VALUES, indent=st.sampled_from((None, 0, 3)))
def test_every_scalar_of_json_is_where_it_is_said_to_be(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    assert {path: json.loads(_located(text, 0, path)[1]) for path, _ in _scalars(value)} == dict(
        _scalars(value)
    )


@given(value=VALUES, flow=st.booleans())
def test_every_scalar_of_yaml_is_where_it_is_said_to_be(value: Any, flow: bool) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow, width=10**6)
    found = {path: _read(_located(text, 0, path)[1]) for path, _ in _scalars(value)}
    assert found == dict(_scalars(value))


def _scalars(value: Any, path: PathInDocument = ()) -> Iterator[tuple[PathInDocument, Any]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _scalars(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _scalars(inner, (*path, index))
        case _:
            yield path, value


def _read(scalar: str) -> Any:
    (document,), diagnostics = read_yaml(Source("scalar"), f"- {scalar}".encode())
    assert diagnostics == []
    return document.value[0]


def _located(text: str, document: int, path: PathInDocument, *, on_key: bool = False) -> tuple[str, str]:
    """The place of a path as LINE:COLUMN, and the characters there."""
    origin = Origin(Source("page", content=text.encode()), document, path, on_key)
    spans, _ = locate([origin])
    span = spans[origin]
    line = Lines.of(text).line(span.line - 1)
    return f"{span.line}:{span.column}", line[span.column - 1 : span.end - 1]


@settings(max_examples=20)
@given(st.text(st.sampled_from("ab\n"), max_size=300), st.integers(0, 400))
def test_the_lines_of_a_large_page_are_those_of_a_small_one(text: str, offset: int) -> None:
    padding = "x" * (source_module._CHUNK - 150) + "\n" + "y\n" * 10_000
    text = padding * 8 + text + padding
    assert len(text) > source_module._LARGE
    large, small = Lines.of(text), Lines(text, [0, *(one.end() for one in LINE_END.finditer(text))])
    assert len(large.starts) == len(small.starts)
    numbers = [*range(0, len(small.starts), 9_973), offset, len(small.starts) - 1, len(small.starts)]
    assert [large.line(one) for one in numbers] == [small.line(one) for one in numbers]
    assert [large.starts[one] for one in numbers[:-1]] == [small.starts[one] for one in numbers[:-1]]
    places = [offset, offset * 997, len(text) - 1]
    assert [large.span(one, one + 1) for one in places] == [small.span(one, one + 1) for one in places]


def _paths(value: object) -> list[tuple[Step, ...]]:
    """The paths to all values in a value."""
    found: list[tuple[Step, ...]] = [()]
    if isinstance(value, dict):
        found += [(key, *path) for key, one in value.items() for path in _paths(one)]
    elif isinstance(value, list):
        found += [(index, *path) for index, one in enumerate(value) for path in _paths(one)]
    return found


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=4) | st.sampled_from(['a,"b"', "]", "\\"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON, st.sampled_from([None, 1]), st.sampled_from([(",", ":"), (" , ", "\t: ")]))
def test_values_are_found_by_their_lengths_as_one_by_one(
    value: object, indent: int | None, separators: tuple[str, str]
) -> None:
    text = f" {json.dumps(value, indent=indent, separators=separators)}\n"
    wanted = {(path, on_key) for path in _paths(value) for on_key in (False, True)}
    assert places_in_json(text, wanted, large=0) == places_in_json(text, wanted)


@pytest.mark.parametrize(
    "text", ['{"a": [1, 2], "a": 5, "b": 3}', '{"a": "1,2", "a": 55, "b": 3}', '{"a": {}}']
)
def test_keys_that_stand_twice_are_found_one_by_one(text: str) -> None:
    wanted = {(("a",), False), (("b",), True), (("a", 0), False)}
    assert places_in_json(text, wanted, large=0) == places_in_json(text, wanted)


DOCUMENTS = (
    "# a comment\n"
    "kind: A\nspec: {a: [1]}\n"
    "---\n"
    "kind: B\nspec:\n  - x: 1\n    y: '---'\n  - {x: 2}\n"
    "---\n"
    'kind: "Ünïcode"\n'
    "spec:\n  text: |\n    --- not a document\n  last: 3\n"
    "---\n"
    "kind: D\nspec:\n  - 4\n"
)
STEPS: list[PathInDocument] = [(), ("kind",), ("spec",), ("spec", 1, "x"), ("spec", "last"), ("spec", 0)]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("filler", [0, 300, 5000])
def test_a_document_is_found_without_its_file(tmp_path: Path, mark: bytes, filler: int) -> None:
    """What `shown` says of some documents is what `locate` says of the whole file."""
    long = "".join(f"kind: K{number}\nspec:\n  - {'x' * 40}\n---\n" for number in range(filler))
    path = tmp_path / "stream.yaml"
    path.write_bytes(mark + f"{DOCUMENTS}---\n{long}{DOCUMENTS}".encode())
    source = Source("stream.yaml", path)
    documents, faults = read_yaml(source, path.read_bytes().removeprefix(mark))
    assert not faults
    plain = [one.origin for one in documents if one.origin.offset is not None]
    assert len(plain) > filler
    first = [one.origin for one in documents[:8]]
    origins = [one.at(*steps) for one in (*first, *plain[-8:]) for steps in STEPS]
    spans, pages = locate(origins)
    lines = pages[source].lines
    assert shown(origins) == {one: (span, lines.line(span.line - 1)) for one, span in spans.items()}


def test_a_file_that_has_changed(tmp_path: Path) -> None:
    """Where no document begins any more the whole file is looked at; without a file there is no line."""
    path = tmp_path / "stream.yaml"
    path.write_text(DOCUMENTS, encoding="utf-8")
    source = Source("stream.yaml", path)
    origin = read_yaml(source, path.read_bytes())[0][-1].origin
    path.write_text("kind: A\n", encoding="utf-8")
    assert shown([origin])[origin][1] == ""
    path.unlink()
    assert shown([origin])[origin][1] == ""
