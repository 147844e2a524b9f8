"""The one form of a text: as the golden pairs have it, whatever it was before, and with every comment."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.frontend.source import Source
from npc.compiler.language.format import WIDTH, format_program
from npc.compiler.language.parser import Parsed, parse
from npc.compiler.language.table import Start
from npc.compiler.language.tree import Program
from tests.language.golden import folders, formatted, made
from tests.language.trees import assertions, disturbed, programs


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_golden_pairs(folder: Path) -> None:
    for name, text in made(folder).items():
        assert (folder / name).read_text(encoding="utf-8") == text, "see python -m tests.language.rewrite"
        assert not name.endswith(".npc") or formatted(text) == text


SMALL = [
    # (name, text, its form)
    ("nothing", "", ""),
    ("blank", " \n\n\t", ""),
    ("a comment alone", "\n\n  # a  \n\n\n# b", "# a\n\n# b\n"),
    ("no line end", "set a = any", "set a = any\n"),
    ("carriage returns", "set a = any # x\r\n\r\nset b = any\r\n", "set a = any  # x\n\nset b = any\n"),
    ("quotes that are not needed", 'policy a for pods(b="c") {}', "policy a for pods(b=c) {}\n"),
    ("quotes that are", 'policy a for pods(b="") {}', 'policy a for pods(b="") {}\n'),
    ("escapes", r'include "\u0061\"\u0007"', 'include "a\\"\\u0007"\n'),
    (
        "what cannot be seen",
        'policy a for pods(b="\u202e\u200b\u00a0 é\U000e0001") {}',
        'policy a for pods(b="\\u202e\\u200b\\u00a0 é\\udb40\\udc01") {}\n',
    ),
    ("empty brackets", "policy a for pods() {}", "policy a for pods {}\n"),
    ("one exception in brackets", "set a = ::/0 except (::/1)", "set a = ::/0 except ::/1\n"),
    ("an exclamation mark by itself", "set a = pods(! b)", "set a = pods(!b)\n"),
    ("an empty body on two lines", "policy a for pods {\n}", "policy a for pods {}\n"),
    (
        "one statement on a line of its own",
        "policy a for pods {\nisolate ingress }",
        "policy a for pods {\n  isolate ingress\n}\n",
    ),
    (
        "clauses in any order",
        'policy a for pods { allow from any until 2027-01-31 as b log "c" }',
        'policy a for pods { allow from any log "c" as b until 2027-01-31 }\n',
    ),
    (
        "annotations before labels",
        "policy a annotations(b=c) labels(d=e) for pods {}",
        "policy a labels(d=e) annotations(b=c) for pods {}\n",
    ),
    (
        "a comment that a bracket holds",
        "policy a for pods(b # c\n) {}",
        "policy a\n  for pods(\n    b  # c\n  )\n{\n}\n",
    ),
]


@pytest.mark.parametrize(("text", "form"), [case[1:] for case in SMALL], ids=[case[0] for case in SMALL])
def test_small_texts(text: str, form: str) -> None:
    assert formatted(text) == form
    assert formatted(form) == form


@given(program=programs)
def test_a_tree_that_was_made_is_read_back(program: Program) -> None:
    text = format_program(program)
    assert _read(text).program == program
    assert formatted(text) == text


@given(data=st.data())
def test_a_text_is_formatted_without_loss(data: st.DataObject) -> None:
    program = data.draw(programs)
    text = data.draw(disturbed(program))
    before = _read(text)
    assert before.program == program
    form = format_program(before.program, text)
    after = _read(form)
    assert after.program == program
    assert _comments(after.program) == _comments(before.program)
    assert format_program(after.program, form) == form


@given(program=programs)
def test_lines_are_short_where_they_can_be_broken(program: Program) -> None:
    for line in format_program(program).split("\n"):
        assert line == line.rstrip(" ")
        words = line.strip().split(" ")
        assert len(line) <= WIDTH or len(words) < 8, "long words, not many words, make a line long"


@given(data=st.data(), program=assertions)
def test_assertions_are_formatted_without_loss(data: st.DataObject, program: Program) -> None:
    text = data.draw(disturbed(program))
    before = _read(text, Start.ASSERTIONS)
    form = format_program(before.program, text)
    after = _read(form, Start.ASSERTIONS)
    assert before.program == after.program == program
    assert _comments(after.program) == _comments(before.program)
    assert format_program(after.program, form) == form


def _read(text: str, start: Start = Start.POLICIES) -> Parsed:
    parsed = parse(Source("x.npc"), text, start)
    assert not parsed.diagnostics, [one.message for one in parsed.diagnostics]
    return parsed


def _comments(program: Program) -> list[str]:
    return sorted(comment.text.rstrip() for comment in program.comments)
