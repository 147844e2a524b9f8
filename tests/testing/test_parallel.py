"""Cases in this process and in others: the same outcomes, in the same order."""

from __future__ import annotations

from pathlib import Path

import pytest

from npc.testing import Case, accept, examine, examine_all, find_cases
from tests.testing.clusters import from_app, policy, write_case


@pytest.fixture
def cases(tmp_path: Path) -> list[Case]:
    for number in range(1, 6):
        write_case(tmp_path / f"case-{number}", policy("b", "b", from_app("a", number)))
    found = find_cases([str(tmp_path)])
    for case in found[::2]:
        accept(examine(case))
    return found


@pytest.mark.parametrize(("jobs", "patience"), [(1, 0.0), (2, 3600.0), (2, 0.0)])
def test_outcomes(cases: list[Case], jobs: int, patience: float) -> None:
    told: list[tuple[int, int]] = []

    def progress(_words: str, done: int, total: int) -> None:
        told.append((done, total))

    outcomes = list(examine_all(cases, jobs, progress, patience))
    assert outcomes == [examine(case) for case in cases]
    assert [one.passed for one in outcomes] == [True, False, True, False, True]
    assert told == [(done, 5) for done in range(5)]


def test_an_early_end_leaves_nothing_running(cases: list[Case]) -> None:
    outcomes = examine_all(cases, 2, patience=0.0)
    assert next(outcomes).passed
    outcomes.close()  # type: ignore[attr-defined]  # a generator
