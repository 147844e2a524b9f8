"""What npc makes of each golden case is, byte for byte, what stands in the case."""

from __future__ import annotations

import pytest

from npc.testing import Case, details, examine
from npc.testing.cases import DIAGNOSTICS, PLAN
from tests.golden.cases import TARGETS, find_cases, settings_of

CASES = find_cases()

ALIKE = [
    # (a case, another that means the same): their rulesets are equal
    ("nft/dual-stack", "nft/endpoint-order"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_output_is_as_expected(case: Case) -> None:
    outcome = examine(case)
    assert outcome.passed, "\n".join([f"{case.name}: see `make golden`", *details(outcome)])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_compiled_for_the_target_of_its_folder(case: Case) -> None:
    folder = case.folder.parent.name
    assert settings_of(case).targets == (TARGETS if folder == "all" else (folder,))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_says_what_its_input_means(case: Case) -> None:
    assert case.expected().keys() & {PLAN, DIAGNOSTICS}


@pytest.mark.parametrize(("name", "other"), ALIKE)
def test_equal_meaning_is_equal_output(name: str, other: str) -> None:
    by_name = {case.name: case.expected() for case in CASES}
    assert by_name[name] == by_name[other]
