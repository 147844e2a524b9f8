"""Whatever is read, it is a ruleset or diagnostics that come of it, never another exception.

Each diagnostic stands on the page, and nothing that is shown of it can drive a terminal.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import npc
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Format, has_errors
from npc.compiler.frontend.render import render
from npc.compiler.frontend.source import Lines
from tests.frontend.fuzzing import (
    NOISE,
    VALID_JSON,
    VALID_YAML,
    as_yaml,
    broken_texts,
    broken_values,
)

NAMES = st.sampled_from(("x.yaml", "x.json", "<stdin>"))


@pytest.mark.parametrize("text", [*VALID_YAML, *VALID_JSON])
def test_what_is_to_be_broken_is_valid(text: str) -> None:
    found = _read("x.yaml", text.encode())
    assert not has_errors(one for one in found if one.code is not codes.NO_INVENTORY)


@given(name=NAMES, data=NOISE)
def test_noise(name: str, data: bytes) -> None:
    _check(name, data)


@given(name=NAMES, data=broken_texts(VALID_YAML))
def test_broken_yaml(name: str, data: bytes) -> None:
    _check(name, data)


@given(name=NAMES, data=broken_texts(VALID_JSON))
def test_broken_json(name: str, data: bytes) -> None:
    _check(name, data)


@given(value=broken_values())
def test_broken_values(value: Any) -> None:
    _check("x.json", json.dumps(value).encode())
    _check("x.yaml", as_yaml(value).encode())


def _check(name: str, data: bytes) -> None:
    found = _read(name, data)
    texts = {format: render(found, format) for format in Format}
    assert {format: _unprintable(text) for format, text in texts.items()} == {format: [] for format in Format}
    assert json.loads(texts[Format.SARIF])["version"] == "2.1.0"
    lines = Lines.of(data.decode("utf-8-sig", "replace"))
    written = json.loads(texts[Format.JSON])
    places = [place for one in written for place in (one, *one.get("related", ())) if "line" in place]
    assert [place for place in places if not _is_on_the_page(place, lines)] == []


def _read(name: str, data: bytes) -> tuple[Diagnostic, ...]:
    """What is said of an input on the way to a ruleset."""
    try:
        return npc.compile_sources([npc.Source(name, content=data)]).diagnostics
    except npc.InputError as error:
        return error.diagnostics


def _unprintable(text: str) -> list[str]:
    return [character for character in text if not character.isprintable() and character not in "\n\t"]


def _is_on_the_page(place: dict[str, Any], lines: Lines) -> bool:
    """Whether a place is some characters of one line, or just behind its last."""
    line, column, end = (int(place[key]) for key in ("line", "column", "endColumn"))
    behind = len(lines.line(line - 1)) + 1
    return (
        1 <= line <= len(lines.starts) and 1 <= column <= behind and column < end <= max(behind, column + 1)
    )
