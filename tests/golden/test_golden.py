"""What npc makes of each golden case is, byte for byte, what stands in the case."""

from __future__ import annotations

import difflib

import pytest

from tests.golden.cases import Case, find_cases

CASES = find_cases()

ALIKE = [
    # (a case, another that means the same): their rulesets are equal
    ("nft/dual-stack", "nft/endpoint-order"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_output_is_as_expected(case: Case) -> None:
    report = differences(case.expected(), case.compiled())
    assert not report, f"{case.name}: run `npc {' '.join(case.command())}` in its folder\n{report}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_in_the_folder_is_left_unread(case: Case) -> None:
    assert case.strays() == []


@pytest.mark.parametrize(("name", "other"), ALIKE)
def test_equal_meaning_is_equal_output(name: str, other: str) -> None:
    by_name = {case.name: case for case in CASES}
    assert by_name[name].ruleset.read_bytes() == by_name[other].ruleset.read_bytes()


def differences(expected: dict[str, str], found: dict[str, str]) -> str:
    """How two sets of files differ, as unified diffs; empty when they are equal.

    A file that is there but not made any more is a difference like any other.
    """
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n"
        for name in sorted(expected.keys() | found.keys())
        for line in difflib.unified_diff(
            expected.get(name, "").splitlines(keepends=True),
            found.get(name, "").splitlines(keepends=True),
            f"{name} (expected)" if name in expected else f"{name} (not expected at all)",
            f"{name} (compiled)" if name in found else f"{name} (not made: stale)",
        )
    )
