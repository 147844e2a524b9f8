"""The grammar, the table that is made of it, and the parser that runs on the table.

lark's own parser, on the same grammar, is what ours is held against: other lexer, other loop, the same trees.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from npc.compiler.frontend.source import Source
from npc.compiler.language import table
from npc.compiler.language.building import WORDS, Builder
from npc.compiler.language.generate import load_grammar, table_text
from npc.compiler.language.parser import expected, parse
from npc.compiler.language.table import TABLES, Start, load_table
from npc.compiler.language.tree import Item
from tests.language.texts import ASSERTIONS, TEXTS
from tests.language.trees import assertions, disturbed, programs

LARKS = {start: load_grammar(start) for start in Start}
LARK = LARKS[Start.POLICIES]
MADE = load_table()


def test_no_conflict_and_no_word_that_could_be_two() -> None:
    assert load_grammar(strict=True).parse(TEXTS["the shop"]) == LARK.parse(TEXTS["the shop"])
    strict = load_grammar(Start.ASSERTIONS, strict=True)
    text = ASSERTIONS["each construct"]
    assert strict.parse(text) == LARKS[Start.ASSERTIONS].parse(text)


@pytest.mark.parametrize("start", Start)
def test_the_table_is_that_of_the_grammar(start: Start) -> None:
    written = TABLES[start].read_text(encoding="utf-8")
    assert written == table_text(start), "python -m npc.compiler.language.generate"


def test_an_edited_grammar_counts_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A table that was made of another grammar is not used, whatever is in it."""
    stale = tmp_path / "table.json"
    written = json.loads(TABLES[Start.POLICIES].read_text(encoding="utf-8"))
    stale.write_text(json.dumps(written | {"grammar": 0, "states": written["states"][:1]}), encoding="utf-8")
    monkeypatch.setattr(table, "TABLES", {Start.POLICIES: stale})
    made = load_table.__wrapped__()
    assert (made.rules, made.actions, made.gotos) == (MADE.rules, MADE.actions, MADE.gotos)


def test_keywords_are_their_names_in_small_letters() -> None:
    written = {one.name: one.pattern.value for one in LARK.terminals}
    assert set(load_table(Start.ASSERTIONS).keywords) <= set(load_table().keywords)
    assert all(written[name].startswith(name.lower()) for name in load_table().keywords)
    assert len(load_table().keywords) == 31


def test_the_builder_has_a_method_for_each_rule() -> None:
    origins = {str(rule.origin.name) for lark in LARKS.values() for rule in lark.rules}
    rules = {name for name in origins if not name.startswith("_")}
    assert {name for name in rules if not hasattr(Builder, name)} == set()
    assert {one.name for lark in LARKS.values() for one in lark.terminals} >= WORDS.keys()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_lark_reads_the_same(text: str) -> None:
    parsed = parse(Source("x.npc"), text)
    assert parsed.diagnostics == ()
    assert parsed.program.items == _as_lark_reads(text)


@given(data=st.data(), program=programs)
def test_lark_reads_the_same_of_any_program(data: DataObject, program: Any) -> None:
    text = data.draw(disturbed(program))
    assert parse(Source("x.npc"), text).program.items == _as_lark_reads(text)


KEYWORDS = " ".join(load_table().keywords).lower()
WORDS_OF_EACH_KIND = f'{KEYWORDS} web @a ns/a svc/a tcp/80 10.0.0.0/8 a=b !a ( ) {{ }} , = "s"'.split()


@given(st.lists(st.sampled_from(WORDS_OF_EACH_KIND), max_size=25).map(" ".join))
def test_lark_accepts_the_same(text: str) -> None:
    assert (parse(Source("x.npc"), text).diagnostics == ()) == _lark_accepts(text)


EXPECTED = [
    # a text, and the terminals that can follow it
    ("", "CLUSTER INCLUDE POLICY SERVICE SET $END"),
    ("policy ", "NAME"),
    ("policy web in shop ", "ANNOTATIONS FOR LABELS"),
    ("policy web for ", "PODS"),
    ("policy web for pods ", "LBRACE LPAR"),
    ("policy web for pods(app", "COMMA IN NOT RPAR"),
    ("policy web for pods { ", "ALLOW DENY ISOLATE PASS RBRACE"),
    ("policy web for pods { isolate ", "EGRESS INGRESS ONLY"),
    ("policy web for pods { allow ", "FROM REFERENCE TO TRAFFIC"),
    ("policy web for pods { allow tcp/80 ", "COMMA FROM TO"),
    (
        "policy web for pods { allow from ",
        "ADDRESS ANY BEHIND_SERVICE NAMED_NAMESPACE NODES NS PODS REFERENCE",
    ),
    ("policy web for pods { allow from any ", "ALLOW AS DENY ISOLATE LOG PASS RBRACE UNTIL"),
    ("cluster policy web tier ", "ADMIN BASELINE"),
    ("polisy web ", ""),
    ("policy a for pods { isolat }\npolicy b ", "ANNOTATIONS FOR IN LABELS"),
]
OF_ASSERTIONS = [
    ("", "ALLOW DENY INCLUDE SERVICE SET $END"),
    ("deny ", "FROM REFERENCE TRAFFIC"),
    ("deny from any ", "TO"),
    ("deny from ns(a=b) ", "COMMA TO"),
    ("deny from any to ns/a ", "ALLOW AS COMMA DENY INCLUDE SERVICE SET $END"),
]


@pytest.mark.parametrize(("text", "terminals"), EXPECTED, ids=[text for text, _ in EXPECTED])
def test_expected(text: str, terminals: str) -> None:
    assert sorted(expected(text)) == sorted(terminals.split())


@pytest.mark.parametrize(("text", "terminals"), OF_ASSERTIONS, ids=[text for text, _ in OF_ASSERTIONS])
def test_expected_in_assertions(text: str, terminals: str) -> None:
    assert sorted(expected(text, Start.ASSERTIONS)) == sorted(terminals.split())


@pytest.mark.parametrize("text", ASSERTIONS.values(), ids=ASSERTIONS)
def test_lark_reads_the_same_assertions(text: str) -> None:
    parsed = parse(Source("x.assert.npc"), text)
    assert parsed.diagnostics == ()
    assert parsed.program.items == _as_lark_reads(text, Start.ASSERTIONS)


@given(data=st.data(), program=assertions)
def test_lark_reads_the_same_of_any_assertions(data: DataObject, program: Any) -> None:
    text = data.draw(disturbed(program))
    items = parse(Source("x.assert.npc"), text).program.items
    assert items == _as_lark_reads(text, Start.ASSERTIONS) == program.items


@given(st.lists(st.sampled_from(WORDS_OF_EACH_KIND), max_size=25).map(" ".join))
def test_lark_accepts_the_same_assertions(text: str) -> None:
    parsed = parse(Source("x.npc"), text, Start.ASSERTIONS)
    assert (parsed.diagnostics == ()) == _lark_accepts(text, Start.ASSERTIONS)


def _lark_accepts(text: str, start: Start = Start.POLICIES) -> bool:
    try:
        LARKS[start].parse(text)
    except UnexpectedInput:
        return False
    return True


def _as_lark_reads(text: str, start: Start = Start.POLICIES) -> tuple[Item, ...]:
    """The items of a text, from lark's tree by way of the same builder."""
    builder = Builder()
    items: tuple[Item, ...] = _built(LARKS[start].parse(text), builder)
    assert builder.faults == []
    return items


def _built(tree: Tree[Token], builder: Builder) -> Any:
    parts = []
    for child in tree.children:
        if isinstance(child, Tree):
            parts.append(_built(child, builder))
        elif child.type in WORDS:
            parts.append(WORDS[child.type](builder, str(child), 0, 0))
    return getattr(builder, tree.data)(parts, 0, 0)
