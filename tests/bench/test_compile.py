"""What `bench.compile` makes of its measurements."""

from __future__ import annotations

import pytest

from bench.compile import Round, report, verdicts
from bench.floor import Sample
from bench.process import RunFailedError, Usage, run_python


def _round(floor: float, npc: float, peak: int = 10**9) -> Round:
    return Round(Sample(floor, 10**8), Sample(floor / 2, 10**8), Usage(npc, npc, peak, ""))


CASES: list[tuple[str, list[Round], list[str]]] = [
    (
        "within both limits",
        [_round(4.0, 3.0)],
        [
            "npc compile               3.00    3.00     1000           ",
            "floor, collector on               4.00      100 0.75 times",
            "floor, collector off              2.00      100 1.50 times",
            "at or below the floor: yes",
            "peak below 2 GB: yes",
        ],
    ),
    (
        "each round against its own floor",
        [_round(1.0, 0.5), _round(4.0, 2.0), _round(2.0, 3.0)],
        [
            "npc compile               2.00    2.00     1000           ",
            "floor, collector on               2.00      100 0.50 times",
            "floor, collector off              1.00      100 1.00 times",
            "at or below the floor: yes",
            "peak below 2 GB: yes",
        ],
    ),
    (
        "too slow and too large",
        [_round(1.0, 2.5, peak=2 * 10**9)],
        [
            "npc compile               2.50    2.50     2000           ",
            "floor, collector on               1.00      100 2.50 times",
            "floor, collector off              0.50      100 5.00 times",
            "at or below the floor: NO",
            "peak below 2 GB: NO",
        ],
    ),
]


@pytest.mark.parametrize(("name", "rounds", "expected"), CASES, ids=[case[0] for case in CASES])
def test_report(name: str, rounds: list[Round], expected: list[str]) -> None:
    assert (name, report(rounds).splitlines()[1:] + verdicts(rounds).splitlines()) == (name, expected)


def test_a_run_is_measured() -> None:
    usage = run_python("-c", "print(len(b'x' * 300_000_000))")
    assert usage.stdout == "300000000\n"
    assert usage.peak_bytes > 300_000_000
    assert 0 < usage.wall < 60


def test_a_run_that_fails_says_why() -> None:
    with pytest.raises(RunFailedError, match=r"ended with 3:\nno such node"):
        run_python("-c", "import sys; print('no such node', file=sys.stderr); sys.exit(3)")
