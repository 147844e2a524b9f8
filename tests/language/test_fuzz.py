"""Whatever a `.npc` file holds, policies or diagnostics come of it, and each diagnostic is on the page."""

from __future__ import annotations

import json
import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy

from npc.compiler.frontend.diagnostics import Format
from npc.compiler.frontend.documents import load
from npc.compiler.frontend.render import render
from npc.compiler.frontend.source import Lines, Source
from npc.compiler.language.parser import expected, parse
from npc.compiler.language.table import load_table
from tests.frontend.fuzzing import NOISE, broken_texts
from tests.language.texts import TEXTS

_OTHERS: Final = (
    "shop tcp/80 tcp/ udp/1-2 icmp/x any/a tcp:80 80 @a @ ns/a svc/a ns/ a=b a= = ! !a # { } ( ) [ ] , ;"
    ' " "a" "\\q" \' 10.0.0.0/8 10.0.0.0 fd00::/8 :: 1 99999999999 2027-01-31 é 網'
    ' include"x.npc" include"/" include"../" `a` \u201ca\u201d \u2018 \u00ab // except or and from: tcp:'
)
_BLANKS: Final = ("\n", "\r", "\r\n", "\x0b", "\0", "\x85", "\u2028", "\ufeff", "\U0001f600", "# a\n")
_WORDS: Final = [*(one.lower() for one in load_table().keywords), *_OTHERS.split(), *_BLANKS]
_SOUP: Final = st.lists(st.sampled_from(_WORDS), max_size=40)
SOUP: Final[SearchStrategy[bytes]] = st.one_of(_SOUP.map(" ".join), _SOUP.map("".join)).map(str.encode)


@given(data=NOISE)
def test_noise(data: bytes) -> None:
    _check(data)


@given(data=SOUP)
def test_soup(data: bytes) -> None:
    _check(data)


@given(data=broken_texts(list(TEXTS.values())))
def test_broken_texts(data: bytes) -> None:
    _check(data)


@given(data=st.data())
def test_words_moved(data: DataObject) -> None:
    words = TEXTS["the shop"].split(" ")
    for _ in range(data.draw(st.integers(1, 4))):
        at, to = (data.draw(st.integers(0, len(words) - 1)) for _ in range(2))
        words.insert(to, words[at])
    _check(" ".join(words).encode())


@given(text=SOUP.map(bytes.decode))
def test_expected(text: str) -> None:
    assert "WORD" not in expected(text)


LARGE: Final = [
    # name, text
    ("a million signs", "(" * 200_000),
    ("one word", "a" * 1_000_000),
    ("one string that does not end", 'include "' + "a" * 1_000_000),
    ("one line of keywords", "policy a for pods { allow from pods(" + "allow " * 20_000),
    ("comments", "#" * 500_000 + "\n" + "#\n" * 100_000),
    ("mistakes", "policy a for pods {" + "allow x\n" * 5_000 + "}"),
    ("items that end early", "policy a\n" * 5_000),
    ("equal signs", "set a = " + "= " * 200_000),
    ("braces", "policy a for pods { isolate ingress }" * 5_000 + "}" * 200_000),
]


@pytest.mark.parametrize("text", [text for _, text in LARGE], ids=[name for name, _ in LARGE])
def test_large_texts_take_linear_time(text: str) -> None:
    start = time.process_time()
    parse(Source("x.npc"), text)
    assert time.process_time() - start < 10


def _check(data: bytes) -> None:
    found = load([Source("x.npc", content=data)]).diagnostics
    written = json.loads(render(found, Format.JSON))
    lines = Lines.of(data.decode("utf-8-sig", "replace"))
    for one in written:
        for place in (one, *one.get("related", ())):
            if place.get("file") == "x.npc":
                line, column, end = place["line"], place["column"], place["endColumn"]
                behind = len(lines.line(line - 1)) + 1
                assert 1 <= line <= len(lines.starts), one
                assert 1 <= column <= behind, one
                assert column < end <= max(behind, column + 1), one
    shown = render(found, Format.TEXT)
    assert [one for one in shown if not one.isprintable() and one not in "\n\t"] == []
