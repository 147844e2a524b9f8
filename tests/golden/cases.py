"""The golden cases: folders `golden/TARGET/CASE` as `npc test` reads them, see docs/testing.md.

`golden/all` has cases that every target compiles.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from npc.testing import Case
from npc.testing import find_cases as cases_in
from npc.testing.cases import EXPECT, SETTINGS
from npc.testing.settings import Settings, read_settings

GOLDEN = Path(__file__).parents[2] / "golden"

TARGETS = ("nft", "iptables", "ovs")
"""Of the cases in `golden/all`, as their `case.toml` has them."""


def find_cases() -> list[Case]:
    """All cases, each named `TARGET/CASE`, in order."""
    return [
        replace(case, name=case.folder.relative_to(GOLDEN).as_posix()) for case in cases_in([str(GOLDEN)])
    ]


def settings_of(case: Case) -> Settings:
    """How a case is compiled."""
    path = case.folder / SETTINGS
    return read_settings(path.read_text(encoding="utf-8")) if path.exists() else Settings()


def expected_artifacts(case: Case, names: Iterable[str]) -> dict[str, str]:
    """The texts that a case expects of a target's artifacts, by their names; empty where it has none."""
    expected = case.expected()
    found = ((name, expected.get(EXPECT + name.removeprefix("npc."))) for name in names)
    return {name: text.decode() for name, text in found if text is not None}
