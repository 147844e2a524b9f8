"""What the README and the manual show on a console is what happens.

After a change that is meant: `python -m tests.docs.rewrite`.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.docs.console import Console, matches
from tests.docs.pages import PAGES, Block, blocks, steps

SHOWN = [page for page in PAGES if any(block.language == "console" for block in blocks(page))]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.name)
def test_commands(page: Path, tmp_path: Path) -> None:
    console = Console(tmp_path)
    failures = [fault for block in blocks(page) for fault in _faults(block, console, page)]
    assert not failures, "\n" + "\n".join(failures)


def _faults(block: Block, console: Console, page: Path) -> list[str]:
    """What a block says and does not hold."""
    if block.file is not None:
        console.write(block)
    if block.language != "console":
        return []
    faults = []
    for step in steps(block):
        output = console.run(step.command)
        where = f"{page.name}:{step.line}: $ {step.command}"
        if step.output and not matches(step.output, output):
            lines = difflib.unified_diff(step.output, output.split("\n")[:-1], "shown", "output", lineterm="")
            faults.append("\n".join([where, *lines]))
        if console.code != _exit_code(step.output) and step.command != "echo $?":
            faults.append(f"{where}\nexit code {console.code}: {output}")
    return faults


def _exit_code(output: tuple[str, ...]) -> int:
    """The exit code of a command that shows this."""
    if any(line.startswith("NOT PROVEN") for line in output):
        return 3
    return int(any(line.startswith(("error[", "FAIL ")) for line in output))
