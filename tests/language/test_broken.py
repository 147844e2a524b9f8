"""Every broken text is met with exactly the words that its table has.

`python -m tests.frontend.broken.rewrite` writes the tables anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from npc.compiler.frontend import codes
from tests.cli.invocation import Outcome
from tests.frontend.broken.table import LANGUAGE, Case, read_table, tables

CASES = {f"{table.stem}: {case.name}": case for table in tables(LANGUAGE) for case in read_table(table)}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_diagnostics(case: Case, tmp_path: Path) -> None:
    code = 1 if "error[" in case.expected else 0
    stdout = case.expected + "\n" if case.expected else ""
    assert case.check(tmp_path) == Outcome(code, stdout, "")


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len(CASES) == sum(len(read_table(table)) for table in tables(LANGUAGE)) >= 100


def test_every_error_of_the_language_is_shown() -> None:
    shown = set(re.findall(r"error\[(NPC6[0-9]+)\]", " ".join(case.expected for case in CASES.values())))
    of_texts = {code.name for code in codes.ALL if "NPC601" <= code.name <= "NPC608"}
    assert of_texts == shown
