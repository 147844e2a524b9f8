"""What `bench.check` makes of what it measures."""

from __future__ import annotations

from bench.check import Round, report
from bench.process import Usage


def test_report() -> None:
    rounds = [
        Round(2.0, Usage(4.0, 4.0, 300_000_000, "warning[NPC701]: a\nwarning[NPC704]: b\n")),
        Round(1.0, Usage(3.0, 3.0, 200_000_000, "warning[NPC701]: a\nwarning[NPC704]: b\n")),
        Round(3.0, Usage(3.0, 3.0, 100_000_000, "warning[NPC701]: a\nwarning[NPC704]: b\n")),
    ]
    assert report("policies", rounds).split() == ["policies", "3.00", "2.00", "2.00", "300", "2"]
