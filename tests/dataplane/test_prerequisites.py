"""Where something is missing, dataplane tests say what, and fail only in CI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.dataplane.prerequisites import missing

pytestmark = pytest.mark.dataplane

ROOT = Path(__file__).parents[2]


def test_nothing_is_missing() -> None:
    assert missing(()) is None


def test_a_missing_program_is_named() -> None:
    assert missing(("no-such-program",)) == "needs no-such-program"


@pytest.mark.parametrize(
    ("ci", "outcome", "reason"),
    [
        ("", "1 skipped", "needs ip"),
        ("true", "1 error", "needs ip (not skipped, as CI is set)"),
    ],
)
def test_skipped_here_and_failed_in_ci(ci: str, outcome: str, reason: str) -> None:
    test = f"{__file__}::test_nothing_is_missing"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env={"PATH": "", "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert reason in done.stdout
    assert outcome in done.stdout.splitlines()[-1]
