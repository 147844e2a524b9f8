"""The plain form of YAML, against libyaml: the same values at the same lines, or refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from npc.compiler.frontend.plain_yaml import NotPlain, PlainReader
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.yaml_reader import read_with_libyaml, read_yaml
from tests.reference.manifests import Document
from tests.strategies import clusters

SOURCE = Source("x.yaml")


def assert_read_alike(text: str) -> None:
    data = text.encode()
    documents, diagnostics = read_with_libyaml(SOURCE, data)
    assert read_yaml(SOURCE, data) == (documents, diagnostics)
    # 1 == 1.0 == True: what is printed differs
    assert repr(read_yaml(SOURCE, data)[0]) == repr(documents)


def is_plain(text: str) -> bool:
    try:
        PlainReader().read(text)
    except NotPlain:
        return False
    return True


@given(clusters())
def test_manifests(documents: list[Document]) -> None:
    """As a program prints them; that is plain."""
    text = yaml.safe_dump_all(documents, sort_keys=False, explicit_start=True)
    assert_read_alike(text)
    parts = [part for part in text.split("---\n")[1:] if " ::" not in part]  # no scalar begins with a colon
    assert all(is_plain(part.removesuffix("\n")) for part in parts)


_WORDS = ("a", "b:", "b: 1", "on", "null", "80", "0x1f", "1e3", "12:30", "fd00::/8", "''", "'a: b'", "{}")
_MORE = ("[]", "- a", "- b: 1", "- - a", "-", "# note", "a #b", "a # b", "a:b", "a: b: c", "<<: x", "*x")
_ODD = ("|", "> x", "? a", "!!str a", "[a, b]", "{a: b}", '"\\n"', "'it''s'", "...", "---", "--- a", "%TAG")
_OTHERS = ('"#"', "&x a", "\t", "é")
_LINES = st.tuples(
    st.sampled_from((0, 0, 1, 2, 2, 4, 4, 6)), st.sampled_from((*_WORDS, *_WORDS, *_MORE, *_ODD, *_OTHERS))
).map(lambda parts: " " * parts[0] + parts[1])


@given(
    st.lists(_LINES, max_size=12), st.sampled_from(("", "\n", "\n\n")), st.sampled_from(("\n", "\n", "\r\n"))
)
@example(["a:", "- b: 1", "  c:", "  - d", "e: f"], "\n", "\n")
@example(["a: b", "  c"], "\n", "\n")
def test_lines(lines: list[str], end: str, line_end: str) -> None:
    """Lines that mean something, put together without sense: most are errors, which are libyaml's to tell."""
    assert_read_alike(line_end.join(lines) + end)


@st.composite
def _values(draw: st.DrawFn) -> Any:
    words = st.sampled_from(("app", "80", "true", "", "null", "a b", "x: y", "- z", "1.5", "~", "#", "a/b"))
    scalars = words | st.integers(-5, 70000) | st.booleans() | st.none()
    return draw(
        st.recursive(
            scalars,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
            max_leaves=12,
        )
    )


@given(
    st.lists(st.dictionaries(st.sampled_from(("kind", "spec", "on", "1")), _values()), max_size=3), st.data()
)
def test_values(documents: list[Any], data: st.DataObject) -> None:
    """Any values, printed in any width and order; and with a line left out, moved, or put in."""
    text = yaml.safe_dump_all(documents, indent=data.draw(st.sampled_from((2, 4))), width=20)
    assert_read_alike(text)
    lines = text.split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    match data.draw(st.sampled_from(("out", "in", "indent", "dedent"))):
        case "out":
            del lines[at]
        case "in":
            lines.insert(at, data.draw(_LINES))
        case "indent":
            lines[at] = "  " + lines[at]
        case "dedent":
            lines[at] = lines[at].removeprefix("  ")
    assert_read_alike("\n".join(lines))


CASES: list[tuple[str, str, bool]] = [
    ("mappings and lists", "a:\n  b: 1\n  c:\n  - x\n  - y: z\nd: e", True),
    ("comments and empty lines", "# first\na:\n\n  # of b\n  b: 1\n   # odd\nc: d", True),
    ("nothing as a value", "a:\nb:\n  c:\nd:", True),
    ("lists of lists", "a:\n- - 1\n  - 2\n- - 3", True),
    ("quotes", "a: 'x: y'\nb: \"# no\"\nc:\n- ''", True),
    ("empty", "", False),
    ("a comment alone", "# a", False),
    ("a list", "- a", False),
    ("a key twice", "a: 1\na: 2", False),
    ("a key that is no text", "on: 1", False),
    ("a scalar of two lines", "a: b\n  c", False),
    ("a value and a mapping", "a: b\n  c: d", False),
    ("between two columns", "a:\n  b: 1\n c: 2", False),
    ("dashes between two columns", "a:\n    - x\n  - y", False),
    ("a comment behind a value", "a: b # c", False),
    ("an escape", 'a: "\\n"', False),
    ("an anchor", "a: &b c", False),
    ("a tab", "a:\tb", False),
    ("two mappings in one line", "a: b: c", False),
    ("too deep", "\n".join(" " * level + "a:" for level in range(60)), False),
]


@pytest.mark.parametrize(("name", "text", "plain"), CASES, ids=[case[0] for case in CASES])
def test_what_is_plain(name: str, text: str, plain: bool) -> None:
    assert (name, is_plain(text)) == (name, plain)
    assert_read_alike(text)


def test_containers_are_not_shared() -> None:
    value = PlainReader().read("a: {}\nb: {}\nc: []\nd: []")
    assert value["a"] is not value["b"]
    assert value["c"] is not value["d"]
