"""Where things were written: sources, paths inside their documents, and places on the page.

Reading keeps no positions: an `Origin` names a source, a document and a path in it, and `locate`
turns it into a `Span` when a diagnostic must be shown.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, overload

Step = str | int
PathInDocument = tuple[Step, ...]
"""Keys and list indices from a document's root."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input: the name that people know it by, and its bytes or where to read them."""

    name: str
    path: Path | None = None
    content: bytes | None = field(default=None, repr=False)
    """What counts instead of the file: of standard input, or of a file that an editor has changed."""
    in_folder: bool = field(default=False, compare=False)
    """Whether only its folder was named: then it may be anything, Helm's values or a Compose file."""
    beside: Callable[[str], Source | None] | None = field(default=None, compare=False, repr=False)
    """Finds what it includes where that is no file on disk, but one of the same revision."""

    def data(self) -> bytes:
        """The bytes, read again for a file: nothing large is kept for the rare diagnostic."""
        if self.content is not None:
            return self.content
        return self.path.read_bytes() if self.path is not None else b""

    def open(self) -> BinaryIO:
        """The bytes as a file, for what is too large to be held at once."""
        if self.content is None and self.path is not None:
            return self.path.open("rb")
        return BytesIO(self.content or b"")


@dataclass(frozen=True, slots=True)
class Span:
    """A place on the page; lines and columns count from 1, `end` is the column after the last."""

    line: int
    column: int
    end: int


class FirstLine(int):
    """The line, from 0, that a YAML document begins on, where the byte is known, too.

    A number like others: there is an origin for all that is read, and only few are looked up.
    """

    offset: int
    """The byte, after a byte order mark."""

    @staticmethod
    def at(line: int, offset: int) -> FirstLine:
        """The line of that number, which begins at a byte."""
        found = FirstLine(line)
        found.offset = offset
        return found


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: by its path, or by its place where that is known already."""

    source: Source
    document: int = 0
    """The line, from 0, that the YAML document begins on; 0 in JSON."""
    path: PathInDocument = ()
    on_key: bool = False
    """Whether the key at the end of `path` is meant rather than its value."""
    span: Span | None = None
    within: tuple[int, int] | None = None
    """The characters that are meant, where no path leads to them: counted from where the value begins."""

    @property
    def offset(self) -> int | None:
        """The byte that the YAML document begins at, after a byte order mark, where it is known."""
        return self.document.offset if isinstance(self.document, FirstLine) else None

    def at(self, *steps: Step) -> Origin:
        """The origin of something inside this value; where characters are known, there is nothing inside."""
        if self.within is not None:
            return self
        return Origin(self.source, self.document, self.path + steps)

    def key(self, name: Step) -> Origin:
        """The origin of a key of this mapping."""
        return Origin(self.source, self.document, (*self.path, name), on_key=True)


LINE_END = re.compile(r"\r\n?|[\n\x85\u2028\u2029]")
"""What ends a line in YAML 1.1, and so in every page: the line numbers of libyaml count these."""


_RARE_LINE_ENDS = ("\r", "\x85", "\u2028", "\u2029")
"""All but the usual one."""
_LARGE = 1 << 18
"""Characters of a page whose lines are not all counted because a few of them are wanted."""
_CHUNK = 1 << 14


@dataclass(frozen=True, slots=True)
class _Starts(Sequence[int]):
    """Where the lines of a text with none but usual line ends begin, found as they are asked for."""

    text: str = field(repr=False)
    before: array[int] = field(repr=False)
    """The line ends before each chunk of the text, and last before its end."""

    @staticmethod
    def of(text: str) -> _Starts:
        counts = (text.count("\n", start, start + _CHUNK) for start in range(0, len(text), _CHUNK))
        return _Starts(text, array("Q", accumulate(counts, initial=0)))

    def __len__(self) -> int:
        return self.before[-1] + 1

    @overload
    def __getitem__(self, number: int) -> int: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[int]: ...
    def __getitem__(self, number: int | slice) -> int | Sequence[int]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        if number == 0:
            return 0
        chunk = bisect_left(self.before, number) - 1
        position = chunk * _CHUNK - 1
        for _ in range(number - self.before[chunk]):
            position = self.text.index("\n", position + 1)
        return position + 1

    def of_character(self, offset: int) -> int:
        """The number of the line that a character is in."""
        chunk = min(offset, len(self.text)) // _CHUNK
        return self.before[chunk] + self.text.count("\n", chunk * _CHUNK, offset)


@dataclass(frozen=True, slots=True)
class Lines:
    r"""A text by its lines, which count from 0.

    >>> [Lines.of("a\r\nb\n").line(number) for number in range(3)]
    ['a', 'b', '']
    """

    text: str = field(repr=False)
    starts: Sequence[int] = field(repr=False)

    @staticmethod
    def of(text: str) -> Lines:
        if len(text) >= _LARGE and not any(end in text for end in _RARE_LINE_ENDS):
            return Lines(text, _Starts.of(text))
        return Lines(text, array("Q", [0, *(match.end() for match in LINE_END.finditer(text))]))

    def line(self, number: int) -> str:
        """The characters of a line without its end; empty for a line that there is not."""
        if not 0 <= number < len(self.starts):
            return ""
        if number + 1 == len(self.starts):
            return self.text[self.starts[number] :]
        line = self.text[self.starts[number] : self.starts[number + 1]]
        return line[:-2] if line.endswith("\r\n") else line[:-1]

    def number(self, offset: int) -> int:
        """The line, from 0, that a character is in."""
        if isinstance(self.starts, _Starts):
            return self.starts.of_character(offset)
        return bisect_right(self.starts, offset) - 1

    def span(self, start: int, end: int) -> Span:
        """The place of the characters from `start` to before `end`, as far as its line goes."""
        number = self.number(start)
        column = start - self.starts[number] + 1
        width = min(end - start, len(self.line(number)) - column + 1)
        return Span(number + 1, column, column + max(width, 1))


_PLAIN_STEP = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_LONGEST_STEP = 80
"""Characters of a key that a path shows."""


def format_path(path: PathInDocument) -> str:
    """A path in the API server's notation.

    >>> format_path(("spec", "ingress", 0, "from", 1, "ipBlock", "cidr"))
    'spec.ingress[0].from[1].ipBlock.cidr'
    >>> format_path(("metadata", "labels", "app.kubernetes.io/name"))
    'metadata.labels[app.kubernetes.io/name]'
    """
    text = ""
    for step in path:
        shown = str(step)[:_LONGEST_STEP]
        if isinstance(step, str) and _PLAIN_STEP.fullmatch(shown):
            text += f".{shown}" if text else shown
        else:
            text += f"[{shown}]"
    return text
