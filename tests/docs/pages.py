"""The manual as data: the README and the pages in docs/, their headings, links and fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE = re.compile(r"^```(?P<language>[a-z0-9]*)\s*$")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+?)\s*$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_FILE = re.compile(r"^(?:# |\{# )(?P<name>[\w./-]+\.\w+)(?: #\})?$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: where its text begins (counted from 1), its language and its lines."""

    line: int
    language: str
    lines: tuple[str, ...]

    @property
    def file(self) -> str | None:
        """The file that the block shows: its name is a comment in the first line."""
        match = _FILE.match(self.lines[0]) if self.lines and self.language not in ("console", "sh") else None
        return match["name"] if match else None


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a console block, where it stands, and the output that is shown."""

    line: int
    command: str
    first_output: int
    """The line that the output begins on, or would."""
    output: tuple[str, ...]


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    opened: tuple[int, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").split("\n"), 1):
        match = _FENCE.match(line)
        if match is None:
            lines.append(line)
        elif opened is None:
            opened, lines = (number + 1, match["language"]), []
        else:
            yield Block(*opened, tuple(lines))
            opened = None


def prose(page: Path) -> Iterator[str]:
    """The lines of a page outside its fenced blocks."""
    inside = False
    for line in page.read_text(encoding="utf-8").split("\n"):
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            yield line


def headings(page: Path) -> list[str]:
    """The texts of a page's headings, in order."""
    return [match["text"] for line in prose(page) if (match := _HEADING.match(line))]


def links(page: Path) -> list[str]:
    """The targets of a page's links."""
    return [match["target"] for line in prose(page) for match in _LINK.finditer(line)]


def anchor(heading: str) -> str:
    """The fragment by which a heading is linked to, as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def steps(block: Block) -> list[Step]:
    """The commands of a console block: lines that begin with `$ `, each with the lines below it.

    A command that ends in a backslash goes on in the next line.
    """
    starts = [number for number, line in enumerate(block.lines) if line.startswith("$ ")]
    assert starts[:1] == [0], f"line {block.line}: a console block begins with a command"
    found = []
    for start, end in zip(starts, [*starts[1:], len(block.lines)], strict=True):
        first_output = next(n for n in range(start, end) if not block.lines[n].endswith("\\")) + 1
        words = [line.removesuffix("\\").strip() for line in block.lines[start:first_output]]
        output = block.lines[first_output:end]
        found.append(
            Step(block.line + start, " ".join(words).removeprefix("$ "), block.line + first_output, output)
        )
    return found
