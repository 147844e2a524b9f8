"""The command `npc` in a process of its own: pipes, terminals and closed descriptors take one."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 60
"""After which a process that hangs is a failed test."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a process left behind."""

    code: int
    stdout: str
    stderr: str


def run(*arguments: str, folder: Path, stdin: bytes = b"", redirect: str = "") -> Finished:
    """Run `npc` with pipes, or with what a shell's redirections say: `>&-`."""
    command: Sequence[str] = [sys.executable, "-m", "npc", *arguments]
    if redirect:
        command = ["sh", "-c", f'exec "$@" {redirect}', "sh", *command]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=folder, timeout=SECONDS, check=False)
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


def run_on_terminal(*arguments: str, folder: Path, setup: str = "", **variables: str) -> str:
    """What a user sees: standard output and error on one terminal. `setup` is Python to run first."""
    code = f"import sys; sys.argv[0] = 'npc'\n{setup}\nfrom npc.cli import main\nmain()"
    environment: Mapping[str, str] = {**os.environ, **variables}
    controller, terminal = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=folder,
            env=environment,
        ) as process:
            os.close(terminal)
            shown = _read_all(controller)
            process.wait(SECONDS)
    finally:
        os.close(controller)
    return shown.replace("\r\n", "\n")


def _read_all(descriptor: int) -> str:
    """All that is written until the other end is closed, which Linux reports as an error (EIO)."""
    parts = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode()
