r"""Between offsets in a text and the protocol's positions: a line and a column, both from 0.

Columns count code units of the encoding that client and server agreed on: UTF-16, where the client says
nothing.

Lines end where the protocol says (LSP 3.17, "Text Documents"): at `\n`, `\r\n` and `\r`. Diagnostics
count more ends of lines, as libyaml does, so nothing here takes a line number of theirs.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n?|\n")


class Encoding(StrEnum):
    """What columns count (LSP 3.17, PositionEncodingKind)."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


class Position(NamedTuple):
    """A place between two characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Positions:
    r"""The positions of a text.

    >>> text = Positions.of("a\n\N{GRINNING FACE}b")
    >>> text.position(3)
    Position(line=1, column=2)
    >>> text.offset(1, 2)
    3
    """

    text: str = field(repr=False)
    starts: array[int] = field(repr=False)
    encoding: Encoding = Encoding.UTF16

    @staticmethod
    def of(text: str, encoding: Encoding = Encoding.UTF16) -> Positions:
        return Positions(
            text, array("Q", [0, *(match.end() for match in _LINE_END.finditer(text))]), encoding
        )

    def position(self, offset: int) -> Position:
        """Where an offset is; the end of the text for one beyond it."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        return Position(line, self._units(self.text[self.starts[line] : offset]))

    def offset(self, line: int, column: int) -> int:
        """The offset at a position; the end of its line for a column beyond it, as the protocol asks.

        Within the units of one character: before it.
        """
        if line >= len(self.starts):
            return len(self.text)
        start = self.starts[line]
        match = _LINE_END.search(self.text, start)
        content = self.text[start : match.start() if match else len(self.text)]
        if content.isascii():
            return start + min(column, len(content))
        for number, character in enumerate(content):
            column -= self._units(character)
            if column < 0:
                return start + number
        return start + len(content)

    def _units(self, text: str) -> int:
        """The code units of a text."""
        if text.isascii() or self.encoding is Encoding.UTF32:
            return len(text)
        if self.encoding is Encoding.UTF8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
