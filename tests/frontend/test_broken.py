"""Every broken input is met with exactly the words that its table has, and with exit code 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from npc.compiler.frontend import codes
from tests.cli.invocation import Outcome
from tests.frontend.broken.generated import GENERATED
from tests.frontend.broken.table import LANGUAGE, Case, read_table, tables

CASES = {f"{table.stem}: {case.name}": case for table in tables() for case in read_table(table)}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_diagnostics(case: Case, tmp_path: Path) -> None:
    code = 1 if "error[" in case.expected else 0
    stdout = case.expected + "\n" if case.expected else ""
    assert case.check(tmp_path) == Outcome(code, stdout, "")


def test_every_case_has_a_name_of_its_own() -> None:
    assert len(CASES) == sum(len(read_table(table)) for table in tables())
    assert {name.partition(": ")[2] for name in CASES if name.startswith("generated: ")} == GENERATED.keys()


def test_every_error_about_input_is_shown() -> None:
    cases = [*CASES.values(), *(case for table in tables(LANGUAGE) for case in read_table(table))]
    shown = set(re.findall(r"error\[(NPC[0-9]+)\]", " ".join(case.expected for case in cases)))
    about_input = {code.name for code in codes.ALL if code.name < "NPC400"}
    assert about_input - shown == {codes.UNREADABLE.name}  # which takes a file that is not there: test_files
