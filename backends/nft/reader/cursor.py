"""A text of nft's language as words: one at a time, with the lines that they stand in.

>>> cursor = Cursor("npc.nft", 'tcp dport { 22, 80-90 } log prefix "a # b" # why')
>>> cursor.statement()
['tcp', 'dport', '{', '22', ',', '80-90', '}', 'log', 'prefix', '"a # b"']
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from npc.compiler.verify.program import Line, Malformed

_WORD = re.compile(r'"[^"]*"|#.*|[!=<>]=|[{},;()|^&<>=!]|[^\s"#{},;()|^&<>=!]+|"')
END_OF_LINE, END = "\n", ""


def split(text: str) -> list[tuple[str, int]]:
    """The words of a line without its comment, each with the offset at which it ends."""
    words = []
    for found in _WORD.finditer(text):
        word, end = found[0], found.end()
        if word.startswith("#"):
            break
        if word[0] != '"' and ":" in word and len(word) > 1 and _is_key(word):
            key, _, rest = word.rpartition(":")
            words += [(key, end), (":", end)]
            words += [(rest, end)] if rest else []
        else:
            words.append((word, end))
    return words


def _is_key(word: str) -> bool:
    """Whether a word is a map's key with its colon: IPv6 addresses have two colons or more."""
    return word.count(":") == 1 or (word.endswith(":") and not word.endswith("::"))


class Cursor:
    """Words of a text one after another: an end of line is one too, and after the last come empty ones."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._lines = text.split("\n")
        self._number = 0
        self._words: list[tuple[str, int]] = []
        self._position = 0

    @property
    def line(self) -> Line:
        """Of the next word."""
        return Line(self._file, max(self._number, 1))

    def peek(self) -> str:
        """The next word, which stays the next."""
        while self._position >= len(self._words):
            if self._number >= len(self._lines):
                return END
            self._load(self._lines[self._number], 0)
            self._number += 1
        return self._words[self._position][0]

    def next(self) -> str:
        """The next word."""
        word = self.peek()
        self._position += 1 if word is not END else 0
        if word == '"':
            raise Malformed("the string without an end", self.line)
        return word

    def expect(self, word: str) -> None:
        """The next word is this one; Malformed where it is another."""
        found = self.next()
        if found != word:
            raise Malformed(f"{_shown(found)}, where `{word}` was expected", self.line)

    def name(self) -> str:
        """The next word, which is one of somebody's own."""
        word = self.next()
        if not word.strip() or word in "{},;()|^&<>=!":
            raise Malformed(f"{_shown(word)}, where a name was expected", self.line)
        return word

    def statement(self) -> list[str]:
        """The words up to the end of a line, `;`, or the end of the block; braces may hold several lines."""
        words: list[str] = []
        depth = 0
        while True:
            word = self.peek()
            if word == END or (not depth and word in ("}", ";", END_OF_LINE)):
                return words
            self.next()
            depth += {"{": 1, "}": -1}.get(word, 0)
            if word != END_OF_LINE:
                words.append(word)

    def skip_block(self) -> list[list[str]]:
        """The statements of a block that has begun, and of the blocks in it; all is then behind."""
        depth = 1
        found: list[list[str]] = [[]]
        while depth:
            word = self.next()
            if word == END:
                raise Malformed("the end of the text, in a block", self.line)
            depth += {"{": 1, "}": -1}.get(word, 0)
            if word in (END_OF_LINE, ";", "{", "}"):
                found.append([])
            else:
                found[-1].append(word)
        return found

    def take_line(self) -> tuple[str, int]:
        """What is left of the last word's line, and its number: for text that is not read by words."""
        offset = self._words[self._position - 1][1]
        self._position = len(self._words)
        return self._lines[self._number - 1][offset:], self._number

    @property
    def lines(self) -> Sequence[str]:
        """All of the text, for those who then `resume`."""
        return self._lines

    def resume(self, number: int, offset: int) -> None:
        """Go on at an offset of a line."""
        self._number = number
        self._load(self._lines[number - 1], offset)

    def _load(self, line: str, offset: int) -> None:
        self._words = [(word, offset + end) for word, end in split(line[offset:])]
        self._position = 0
        if self._words and self._words[-1][0] == "\\":
            self._words.pop()
        else:
            self._words.append((END_OF_LINE, len(line)))


def _shown(word: str) -> str:
    match word:
        case "":
            return "the end of the text"
        case "\n":
            return "the end of the line"
        case _:
            return f"the word `{word}`"
