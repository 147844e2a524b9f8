r"""Strings of the policy language: in double quotes, on one line, with the escapes of JSON.

>>> print(quote('say "hi"'), unquote(r'"a\tb"').split())
"say \"hi\"" ['a', 'b']
"""

from __future__ import annotations

import json
import re
from typing import Final

QUOTES: Final = r"'`«»\u2018-\u201f\u2039\u203a"
"""The quotes of other languages, as a part of a regular expression's `[...]`."""
WORD: Final = rf"""[^\s(){{}}\[\],;="#@!{QUOTES}]"""
"""A character of a word, as a regular expression: no sign and no quote (`grammar/terminals.lark`)."""
_WORD = re.compile(f"{WORD}+")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class InvalidStringError(ValueError):
    """A string has an escape that there is not."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset
        """Where it is, counted from the opening quote."""


def is_word(text: str) -> bool:
    """Whether a name or value can stand without quotes."""
    return _WORD.fullmatch(text) is not None


def quote(text: str) -> str:
    """A text as a string of the language; what cannot be seen, or turns other text round, is escaped."""
    return '"' + "".join(map(_escape, text)) + '"'


def unquote(literal: str) -> str:
    """What a string, with its quotes, says; raises InvalidStringError."""
    if "\\" not in literal:
        return literal[1:-1]
    try:
        text = json.loads(literal, strict=False)
    except json.JSONDecodeError as error:
        raise InvalidStringError("there is no such escape", literal.rindex("\\", 0, error.pos + 1)) from None
    assert isinstance(text, str)
    if _SURROGATE.search(text):
        escape = _SURROGATE_ESCAPE.search(literal)
        offset = 0 if escape is None else escape.start()
        raise InvalidStringError("half of a surrogate pair is no character", offset)
    return text


def _escape(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    return character if character.isprintable() else json.dumps(character)[1:-1]
