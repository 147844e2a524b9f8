"""Tables of broken inputs: `*.txt` files, in which input and what `npc check` says of it stand together.

    === name of the case
    --- policy.yaml
    the input, of one or more files
    --- expect
    what `npc check` writes, each word of it

A file named `-` is given on standard input. What no text file can hold is made by `generated`; the table
`generated.txt` has no more than the names of such cases, and what is said of them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from tests.cli.invocation import Outcome, npc
from tests.frontend.broken.generated import GENERATED

FOLDER = Path(__file__).parent
LANGUAGE = FOLDER.parents[1] / "language" / "broken"
STDIN = "-"
_CASE, _SECTION, _EXPECT = "=== ", "--- ", "expect"
_FILE = re.compile(rf"{_SECTION}(?P<name>[-\w./]+\.(?:yaml|yml|json|npc)|{STDIN}|{_EXPECT})\n")


@dataclass(frozen=True, slots=True)
class Case:
    """One broken input: its files by name, and what `npc check` is expected to write."""

    name: str
    files: Mapping[str, bytes]
    expected: str = ""

    def check(self, folder: Path) -> Outcome:
        """Run `npc check` on the files, which are written into a folder of their own."""
        for name, content in self.files.items():
            if name != STDIN:
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        stdin = io.TextIOWrapper(io.BytesIO(self.files.get(STDIN, b"")))
        with mock.patch("sys.stdin", stdin):
            return npc("check", *self.files, folder=folder)


def read_table(path: Path) -> list[Case]:
    """The cases of one file, in order."""
    text = path.read_bytes().decode("utf-8")
    starts = [match.end() for match in re.finditer(f"^{_CASE}", text, re.MULTILINE)]
    ends = [start - len(_CASE) for start in starts[1:]] + [len(text)]
    return [_read_case(text[start:end]) for start, end in zip(starts, ends, strict=True)]


def write_table(path: Path, cases: Sequence[Case]) -> None:
    """Write cases as `read_table` reads them."""
    path.write_bytes("".join(map(_written, cases)).encode("utf-8"))


def tables(folder: Path = FOLDER) -> list[Path]:
    """The files with tables in a folder, in order of their names."""
    return sorted(folder.glob("*.txt"))


def _read_case(text: str) -> Case:
    name, _, rest = text.partition("\n")
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in io.StringIO(rest, newline="\n"):
        if match := _FILE.fullmatch(line):
            lines = sections.setdefault(match["name"], [])
        else:
            lines.append(line)
    expected = "".join(sections.pop(_EXPECT, ())).strip("\n")
    files = {file: "".join(one).encode() for file, one in sections.items()}
    return Case(name, files or GENERATED[name], expected)


def _written(case: Case) -> str:
    files = ""
    if case.name not in GENERATED:
        files = "".join(f"{_SECTION}{name}\n{content.decode()}" for name, content in case.files.items())
    return f"{_CASE}{case.name}\n{files}{_SECTION}{_EXPECT}\n{case.expected}\n\n"
