"""The command `npc`, run in the test's own process: a few milliseconds in place of a new interpreter's 250.

It is `npc.cli.main` that runs, the very function that the installed command calls, so that exit codes and
last-resort messages are those of the command. What takes a process of its own is in `process`.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from npc.cli import main


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str


class Terminal(io.StringIO):
    """Remembers what is written to it, as a stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def npc(*arguments: str, folder: Path | None = None) -> Outcome:
    """Run `npc` with arguments, in a folder where one is named."""
    stdout, stderr = io.StringIO(), io.StringIO()
    code = npc_into(stdout, stderr, *arguments, folder=folder)
    return Outcome(code, stdout.getvalue(), stderr.getvalue())


def npc_into(stdout: TextIO, stderr: TextIO, *arguments: str, folder: Path | None = None) -> int:
    """Run `npc` with its output going to streams, which may be one and the same; the exit code."""
    with (
        _arguments(arguments),
        chdir(folder or Path.cwd()),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
    ):
        try:
            main()
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@contextmanager
def _arguments(arguments: tuple[str, ...]) -> Iterator[None]:
    before = sys.argv
    sys.argv = ["npc", *arguments]
    try:
        yield
    finally:
        sys.argv = before
