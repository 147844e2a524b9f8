"""The golden cases: folders `golden/TARGET/CASE` as `npc test` reads them, see docs/testing.md."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from npc.testing import Case
from npc.testing import find_cases as cases_in
from npc.testing.cases import SETTINGS
from npc.testing.settings import Settings, read_settings

GOLDEN = Path(__file__).parents[2] / "golden"


def find_cases() -> list[Case]:
    """All cases, each named `TARGET/CASE`, in order."""
    return [
        replace(case, name=case.folder.relative_to(GOLDEN).as_posix()) for case in cases_in([str(GOLDEN)])
    ]


def settings_of(case: Case) -> Settings:
    """How a case is compiled."""
    path = case.folder / SETTINGS
    return read_settings(path.read_text(encoding="utf-8")) if path.exists() else Settings()
