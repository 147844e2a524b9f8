"""Commands of the manual, run as a reader would: one after the other, in one folder, with examples/ in it."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.invocation import npc_into
from tests.docs.pages import ROOT, Block

ELISION = "..."
_SHELL = re.compile(r"[|<>&;$`*?]")
_SECONDS = 60


@dataclass(slots=True)
class Console:
    """A folder that commands are run in, and the exit code of the last one."""

    folder: Path
    code: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "examples", self.folder / "examples")

    def write(self, block: Block) -> None:
        """Put the file that a block shows into the folder."""
        assert block.file is not None
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(block.lines) + "\n", encoding="utf-8")

    def run(self, command: str) -> str:
        """Run a command; both of its outputs, as a terminal shows them.

        `npc` runs in this process unless a shell is needed; `echo $?` gives the exit code of the one before.
        """
        if command == "echo $?":
            return f"{self.code}\n"
        words = shlex.split(command)
        if words[0] == "npc" and not _SHELL.search(command):
            shown = io.StringIO()
            self.code = npc_into(shown, shown, *words[1:], folder=self.folder)
            return shown.getvalue()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-c", f"{{ {command}; }} 2>&1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            cwd=self.folder,
            env={**os.environ, "PATH": path},
            timeout=_SECONDS,
            check=False,
        )
        self.code = done.returncode
        return done.stdout.decode()


def matches(expected: tuple[str, ...], output: str) -> bool:
    r"""Whether an output is the expected one; a line `...` stands for any lines, or none.

    >>> matches(("a", "...", "d"), "a\nb\nc\nd\n")
    True
    >>> matches(("a", "...", "d"), "a\nb\n")
    False
    """
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == ELISION else re.escape(line) + r"\n" for line in expected
    )
    return re.fullmatch(pattern, output) is not None
