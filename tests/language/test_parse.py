"""Trees know where everything stands, comments are kept, and after a mistake the rest is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from npc.compiler.frontend.source import Source
from npc.compiler.language.parser import Parsed, parse
from npc.compiler.language.quoting import InvalidStringError, is_word, quote, unquote
from npc.compiler.language.tree import (
    ClusterPolicyBlock,
    Comment,
    Include,
    Number,
    PolicyBlock,
    PortRange,
    Program,
    ServiceDefinition,
    SetDefinition,
    Text,
)
from tests.language.texts import TEXTS
from tests.language.trees import disturbed, programs

SOURCE = Source("x.npc")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_places(text: str) -> None:
    _check_places(parse(SOURCE, text).program, text)


@given(data=st.data(), program=programs)
def test_places_in_any_program(data: DataObject, program: Program) -> None:
    text = data.draw(disturbed(program))
    read = parse(SOURCE, text).program
    assert read == program
    _check_places(read, text)


def _check_places(program: Program, text: str) -> None:
    """Each node lies inside the one that it is a part of, and words are where they say."""
    for item in program.items:
        for node, parts in _nodes(item):
            assert 0 <= node.start < node.end <= len(text), node
            assert all(node.start <= part.start and part.end <= node.end for part in parts), node
            written = text[node.start : node.end]
            match node:
                case Text(text=said):
                    assert said == (unquote(written) if written.startswith('"') else written)
                case Number(value=value):
                    assert int(written) == value
                case PortRange(first=first, last=last):
                    assert [int(one) for one in written.split("-")] == [first, last]
                case _:
                    assert not written[0].isspace()
                    assert not written[-1].isspace()
    for comment in program.comments:
        assert text[comment.start : comment.end] == comment.text
    assert [one.start for one in program.comments] == sorted({one.start for one in program.comments})


def _nodes(node: Any) -> Iterator[tuple[Any, list[Any]]]:
    """A node and all in it, each with its own parts; what an empty name or port is, is nowhere."""
    parts = []
    for one in fields(node):
        value = getattr(node, one.name)
        for part in value if isinstance(value, tuple) else (value,):
            if is_dataclass(part) and part != Text(""):
                parts.append(part)
                yield from _nodes(part)
    yield node, parts


RECOVERY: list[tuple[str, str, str, int]] = [
    # name, text, names of what is left with its number of statements, number of mistakes
    ("nothing wrong", "policy a for pods { isolate ingress }", "a 1", 0),
    ("a statement", "policy a for pods { isolate x allow from any }", "a 1", 1),
    ("the last statement", "policy a for pods { allow from any isolate }", "a 1", 1),
    ("two statements", "policy a for pods { isolate x allow x from any isolate egress }", "a 1", 2),
    ("a statement behind a name", "policy a for pods { isolate x as allow isolate egress }", "a 1", 1),
    ("a statement in brackets", "policy a for pods { allow from pods(a b, allow) isolate egress }", "a 1", 1),
    ("brackets and a new line", "policy a for pods { allow from pods(a\nallow from any }", "a 1", 1),
    ("another language's word", "policy a for pods {\nallow x\naccept x\nallow from any }", "a 1", 2),
    ("a comment with a brace", "policy a for pods { isolate x # }\nallow from any }", "a 1", 1),
    ("a string with a brace", 'policy a for pods { isolate x "} allow" allow from any }', "a 1", 1),
    ("the head", "policy a fro pods { isolate x isolate ingress }", "", 2),
    ("the head of a cluster policy", "cluster policy a { isolate x }", "", 2),
    ("no head", "policy { isolate x }\npolicy b for pods {}", "b 0", 2),
    ("a head without braces", "policy a\npolicy b for pods { }", "b 0", 1),
    ("a brace that is missing", "policy a for pods { allow from any\npolicy b for pods { }", "b 0", 1),
    ("a brace too many", "policy a for pods { } }\npolicy b for pods { }", "a 0, b 0", 1),
    ("the next on the same line", "policy a form pods { } policy b for pods { }", "b 0", 1),
    ("a set", "set a = pod(x)\nset b = pods", "b", 1),
    ("a service and an include", 'service a\ninclude x\ninclude "y"', "y", 2),
    ("an item in an item", "policy a for\nset b = pods", "b", 1),
    ("noise", "? ? ?\nset b = pods", "b", 1),
    ("braces for brackets", "policy a for pods { allow from pods{a=b} isolate egress }", "a 1", 1),
    ("braces of a subject", "policy a for pods{b=c} { isolate x isolate egress }", "", 2),
    ("braces in braces", "policy a for pods { allow from: {b: {}} isolate egress }\nset b = ns", "a 1, b", 1),
    ("a set with an @", "set @a = pods\nset b = pods", "b", 1),
]


@pytest.mark.parametrize(
    ("text", "left", "mistakes"), [row[1:] for row in RECOVERY], ids=[row[0] for row in RECOVERY]
)
def test_recovery(text: str, left: str, mistakes: int) -> None:
    parsed = parse(SOURCE, text)
    assert (", ".join(_described(parsed)), len(parsed.diagnostics)) == (left, mistakes)
    assert [one.text for one in parsed.program.comments] == [part for part in ("# }",) if part in text]


def _described(parsed: Parsed) -> Iterator[str]:
    for item in parsed.program.items:
        match item:
            case (
                PolicyBlock(name=name, statements=statements)
                | ClusterPolicyBlock(name=name, statements=statements)
            ):
                yield f"{name} {len(statements)}"
            case SetDefinition(name=name) | ServiceDefinition(name=name) | Include(path=name):
                yield str(name)


def test_definitions_that_could_not_be_read_are_known() -> None:
    parsed = parse(
        SOURCE, "set a = x\nservice b : tcp\nset c = pods\nset @d = ns\nset e: ns\npolicy f for x {}"
    )
    assert parsed.unread == {"a", "b", "d", "e"}


def test_comments_are_kept_in_broken_texts() -> None:
    text = "policy a fro # one\npods # two\n{ isolate # three\nx # four\n} # five"
    comments = [one.text for one in parse(SOURCE, text).program.comments]
    assert comments == ["# one", "# two", "# three", "# four", "# five"]


def test_a_comment_inside_what_is_one_word_is_a_mistake() -> None:
    assert len(parse(SOURCE, "set a = pods(app # why\n = web)").diagnostics) == 1


@given(st.text())
def test_strings_there_and_back(text: str) -> None:
    literal = quote(text)
    assert "\n" not in literal
    assert unquote(literal) == text
    parsed = parse(SOURCE, f"include {literal}")
    assert (parsed.program.items, parsed.diagnostics) == ((Include(Text(text)),), ())


ESCAPES = [
    (r'"a\q"', 2),
    (r'"\u12"', 1),
    (r'"\ud83d"', 1),
    (r'"\\\x"', 3),
    (r'"\n\u00e9\ud83d x"', 9),
]


@pytest.mark.parametrize(("literal", "offset"), ESCAPES, ids=[literal for literal, _ in ESCAPES])
def test_escapes_that_there_are_not(literal: str, offset: int) -> None:
    with pytest.raises(InvalidStringError) as raised:
        unquote(literal)
    assert raised.value.offset == offset


def test_words() -> None:
    assert [
        text
        for text in ("a", "a/b.c-d_e", "é", "", "a b", "a,b", '"', "#a", "@a", "!", "`a", "«a»", "a\u2019s")
        if is_word(text)
    ] == [
        "a",
        "a/b.c-d_e",
        "é",
    ]


def test_comment_equality_does_not_count() -> None:
    assert Program((), (Comment("# a"),)) == Program((), ())
