"""The progress bar: for long work, on a terminal, and nowhere else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import npc.cli.progress as npc_progress
from tests.cli.invocation import Terminal, npc_into
from tests.cli.process import run_on_terminal

BAR = "\N{BOX DRAWINGS HEAVY HORIZONTAL}"
ARGUMENTS = ("compile", "policy.yaml", "inventory.yaml")

BARS = [
    # (name, is standard error a terminal, seconds of patience, options, whether a bar is seen)
    ("long work on a terminal", True, 0.0, (), True),
    ("short work on a terminal", True, 3600.0, (), False),
    ("long work in a pipe", False, 0.0, (), False),
    ("long work, but quiet", True, 0.0, ("--quiet",), False),
]


@pytest.mark.parametrize(
    ("terminal", "patience", "options", "seen"), [case[1:] for case in BARS], ids=[case[0] for case in BARS]
)
def test_the_bar(
    inputs: Path,
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    patience: float,
    options: tuple[str, ...],
    seen: bool,
) -> None:
    monkeypatch.setattr(npc_progress, "PATIENCE", patience)
    stdout, stderr = io.StringIO(), Terminal() if terminal else io.StringIO()
    assert npc_into(stdout, stderr, *ARGUMENTS, *options, folder=inputs) == 0
    assert stdout.getvalue().startswith("#!/usr/sbin/nft -f\n")
    assert (BAR in stderr.getvalue()) is seen
    if not seen:
        assert stderr.getvalue() == ""


def test_the_bar_is_gone_before_an_error_is_told(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npc_progress, "PATIENCE", 0.0)
    stderr = Terminal()
    assert npc_into(io.StringIO(), stderr, "compile", "invalid.yaml", "inventory.yaml", folder=inputs) == 1
    shown = stderr.getvalue()
    assert BAR in shown[: shown.index("NPC201")]
    assert "\x1b[?25h" in shown[: shown.index("NPC201")], "the cursor is visible again"


def test_on_a_real_terminal(inputs: Path) -> None:
    setup = "import npc.cli.progress; npc.cli.progress.PATIENCE = 0.0"
    shown = run_on_terminal(*ARGUMENTS, folder=inputs, setup=setup)
    assert BAR in shown[: shown.index("#!/usr/sbin/nft -f")]
    assert "\x1b" not in shown[shown.index("#!/usr/sbin/nft -f") :]
