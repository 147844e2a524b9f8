"""Golden cases: folders `golden/TARGET/CASE` with policies, an inventory and what must come of them.

A case holds its input as YAML or JSON files, of which all are read, and may hold

- `flags`: one line of further options for `npc compile`;
- `expect.TARGET`: what the command writes to standard output, byte for byte;
- `expect.txt`: its exit code and what it writes to standard error.

An expectation that would be empty (no ruleset; exit code 0 and no word) has no file.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.cli.invocation import npc

GOLDEN = Path(__file__).parents[2] / "golden"
FLAGS = "flags"
EXPECT = "expect."
INPUT_SUFFIXES = (".yaml", ".json")


@dataclass(frozen=True, slots=True)
class Case:
    """One folder; its name is that of the target and its own, `nft/default-deny`."""

    folder: Path

    @property
    def name(self) -> str:
        return f"{self.target}/{self.folder.name}"

    @property
    def target(self) -> str:
        return self.folder.parent.name

    @property
    def ruleset(self) -> Path:
        """The file with the expected ruleset; a case of an error has none."""
        return self.folder / f"{EXPECT}{self.target}"

    def command(self) -> list[str]:
        """The arguments of `npc`, to be run in the folder."""
        flags = self.folder / FLAGS
        words = shlex.split(flags.read_text(encoding="utf-8")) if flags.exists() else []
        return ["compile", "--target", self.target, ".", *words]

    def expected(self) -> dict[str, str]:
        """The expectations that stand in the folder: file name to text."""
        return {
            path.name: path.read_bytes().decode("utf-8")
            for path in sorted(self.folder.iterdir())
            if path.name.startswith(EXPECT)
        }

    def compiled(self) -> dict[str, str]:
        """The expectations that npc as it is now would meet."""
        outcome = npc(*self.command(), folder=self.folder)
        texts = {}
        if outcome.stdout:
            texts[self.ruleset.name] = outcome.stdout
        if outcome.code or outcome.stderr:
            texts[f"{EXPECT}txt"] = f"exit code {outcome.code}\n\n{outcome.stderr}"
        return texts

    def strays(self) -> list[str]:
        """Names in the folder that mean nothing to a golden case."""
        return sorted(
            path.name
            for path in self.folder.iterdir()
            if path.suffix not in INPUT_SUFFIXES and path.name != FLAGS and not path.name.startswith(EXPECT)
        )


def find_cases(root: Path = GOLDEN) -> list[Case]:
    """All cases, in order of their names."""
    return [
        Case(folder)
        for target in sorted(root.iterdir())
        if target.is_dir()
        for folder in sorted(target.iterdir())
        if folder.is_dir()
    ]
