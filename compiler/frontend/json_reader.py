"""JSON to plain values, and the places of values in JSON text.

Values come from the standard library where duplicate keys must be seen (policies) and from msgspec
where speed counts (inventories, `documents`); places are found by walking the text along paths,
skipping what is beside them, so that nothing is paid for them until a diagnostic is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import Code
from npc.compiler.frontend.malformed import TEMPLATE, TEMPLATE_HELP
from npc.compiler.frontend.shapes import quoted
from npc.compiler.frontend.source import PathInDocument, Step

Wanted = tuple[PathInDocument, bool]
"""A path, and whether its last key is meant."""
Offsets = tuple[int, int]
"""Where something begins in a text, and where it has ended, in characters."""


class MalformedJson(ValueError):
    """What keeps a text from being JSON, or from meaning one thing; `at` is where."""

    def __init__(self, code: Code, message: str, at: Offsets, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at
        self.help = help


def read_json(text: str) -> Any:
    """The value of a JSON text. Raises MalformedJson."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer)
    except _RepeatedKey as error:
        message = f"the key {quoted(error.key)} stands here twice"
        raise MalformedJson(codes.DUPLICATE_KEY, message, _repeated(text, error.key)) from None
    except _NoConstant as error:
        message = f"malformed JSON: {error.name} is no JSON value"
        raise MalformedJson(codes.SYNTAX, message, _constant(text, error.name)) from None
    except json.JSONDecodeError as error:
        raise _explained(text, error) from None
    except RecursionError:
        message = "nested too deeply"
        raise MalformedJson(codes.TOO_DEEP, message, _deepest(text)) from None
    if "\\u" in text and (lone := _lone_surrogate(text)) is not None:
        message = "malformed JSON: an escape that is half of a character"
        raise MalformedJson(codes.SYNTAX, message, lone, "write both halves, or the character itself")
    return value


class _RepeatedKey(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _NoConstant(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RepeatedKey(key)
            seen.add(key)
    return value


def _no_constant(name: str) -> Any:
    raise _NoConstant(name)


_LONGEST_INTEGER = 64
"""Digits; longer ones are read as floating-point, so that no input makes Python convert megabytes of them."""


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


# --- where a text is wrong ----------------------------------------------------------------------------------

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|-?Infinity|NaN', re.DOTALL)
_DEEPEST = 100
"""Levels of nesting; a NetworkPolicy needs ten."""
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_SPACE = re.compile(r"[ \t\n\r]*")


def _repeated(text: str, key: str) -> Offsets:
    """The first key that repeats `key` in its object."""
    stack: list[set[str]] = []
    for match in _TOKEN.finditer(text):
        if match[0] in "{[":
            stack.append(set())
        elif match[0] in "}]":
            stack.pop()
        elif text.startswith(":", _skip(text, match.end())):
            name = json.loads(match[0], strict=False)
            if name == key and name in stack[-1]:
                return match.span()
            stack[-1].add(name)
    raise AssertionError("the text was read, and repeats the key")


def _constant(text: str, name: str) -> Offsets:
    return next(match.span() for match in _TOKEN.finditer(text) if match[0] == name)


def _deepest(text: str) -> Offsets:
    """The bracket at which a text is nested more deeply than any manifest."""
    depth = 0
    for match in _TOKEN.finditer(text):
        if match[0] in "{[":
            depth += 1
            if depth > _DEEPEST:
                return match.span()
        elif match[0] in "}]":
            depth -= 1
    return 0, 1


def _lone_surrogate(text: str) -> Offsets | None:
    """The first escape of one half of a surrogate pair that stands without the other."""
    high: re.Match[str] | None = None
    for match in _ESCAPE.finditer(text):
        number = int(match[1] or "0", 16)
        if 0xDC00 <= number < 0xE000 and high is not None and high.end() == match.start():
            high = None
            continue
        if high is not None:
            return high.span()
        if 0xDC00 <= number < 0xE000:
            return match.span()
        high = match if 0xD800 <= number < 0xDC00 else None
    return high.span() if high is not None else None


def _explained(text: str, error: json.JSONDecodeError) -> MalformedJson:
    """The standard library's complaint, in words for the author."""
    at = error.pos
    character = text[at : at + 1]
    known = (words for begin, words in _WORDS.items() if error.msg.startswith(begin))
    message, help = next(known, (error.msg, ""))
    if at >= len(text.rstrip()):
        message, help = "the text ends too early", ""
        at = max(0, len(text.rstrip()) - 1)
    elif TEMPLATE.search(text, max(0, at - 1), at + 2):
        help = TEMPLATE_HELP
    elif message in ("expected a key in double quotes", "expected a value"):
        if character in "}]" and text[:at].rstrip().endswith(","):
            message, help = f"a comma before {character!r}", "leave the comma out"
            at = text.rindex(",", 0, at)  # where Python 3.13 has it
        elif character == "\0":
            help = "this is no text, or UTF-16: save it as UTF-8"
        elif character == "'":
            help = "JSON has double quotes only"
        elif character in "/#":
            help = "JSON has no comments"
        elif character.isalpha():
            help = "put text in double quotes"
    return MalformedJson(codes.SYNTAX, f"malformed JSON: {message}", (at, at + 1), help)


_WORDS = {
    "Expecting property name enclosed in double quotes": ("expected a key in double quotes", ""),
    "Illegal trailing comma before end of object": ("a comma before '}'", "leave the comma out"),
    "Illegal trailing comma before end of array": ("a comma before ']'", "leave the comma out"),
    "Expecting value": ("expected a value", ""),
    "Expecting ',' delimiter": ("expected ',' or the closing bracket", ""),
    "Expecting ':' delimiter": ("expected ':' after the key", ""),
    "Extra data": (
        "text after the end of the value",
        "put several objects into the items of a List, or into a YAML file with '---' between them",
    ),
    "Invalid control character": ("the string does not end in its line", "close the quote, or write \\n"),
    "Invalid \\escape": ("an escape that JSON does not have", "double the backslash"),
    "Invalid \\uXXXX escape": ("\\u and no four hexadecimal digits", ""),
    "Unterminated string": ("the quote is not closed", ""),
}
"""What the standard library says, what is meant, and how to mend it."""


_Raw = msgspec.Raw
_Member = tuple[Step, int, int, _Raw | None]
"""(key or index, offset of the key, offset of the value, the value where it was asked for)."""
_LARGE = 1 << 20
"""Characters of a text in which values are found by their lengths, which msgspec tells at once."""

# --- the places of values -----------------------------------------------------------------------------------

_SCALAR_END = re.compile(r"[,\]}\s]")
_decode = json.JSONDecoder().raw_decode


def places_in_json(text: str, wanted: Iterable[Wanted], *, large: int = _LARGE) -> dict[Wanted, Offsets]:
    """Where values and keys are, by their paths, in one walk; where a path ends early, its last value.

    From `large` characters on values are found by their lengths, not one by one. Raises ValueError or
    RecursionError where the text is no (sane) JSON.
    """
    start = _skip(text, 0)
    place = start, _head_end(text, start)
    paths = dict.fromkeys(wanted, 0)
    found: dict[Wanted, Offsets] = {}
    if len(text) >= large and text.isascii():
        try:
            _place(text, start, place, paths, found, _Raw(text.strip().encode()))
        except (ValueError, LookupError):
            found = {}  # a key stands twice: one by one
        else:
            return found
    _place(text, start, place, paths, found, None)
    return found


def _place(
    text: str,
    start: int,
    place: Offsets,
    wanted: Mapping[Wanted, int],
    found: dict[Wanted, Offsets],
    raw: _Raw | None,
) -> None:
    """Find what is wanted in the value at `start`; `wanted` has how much of each path leads there.

    `raw` is the same value as bytes, where each character is one.
    """
    deeper: dict[Step, dict[Wanted, int]] = {}
    for one, depth in wanted.items():
        found[one] = place
        if depth < len(one[0]):
            deeper.setdefault(one[0][depth], {})[one] = depth + 1
    if not deeper:
        return
    for name, key_at, value_at, part in (
        _members(text, start) if raw is None else _raw_members(text, start, raw)
    ):
        if name in deeper:
            on_key = {one: depth for one, depth in deeper[name].items() if one[1] and depth == len(one[0])}
            if on_key:
                found.update(dict.fromkeys(on_key, (key_at, _decode(text, key_at)[1])))
            rest = {one: depth for one, depth in deeper[name].items() if one not in on_key}
            if rest:
                _place(text, value_at, (value_at, _head_end(text, value_at)), rest, found, part)


def _skip(text: str, offset: int) -> int:
    return _SPACE.match(text, offset).end()  # type: ignore[union-attr]


def _head_end(text: str, start: int) -> int:
    """The end of a scalar, or of the bracket that opens a container."""
    first = text[start : start + 1]
    if first in ("{", "["):
        return start + 1
    if first == '"':
        return _decode(text, start)[1]
    match = _SCALAR_END.search(text, start)
    return match.start() if match else len(text)


def _members(text: str, start: int) -> Iterator[_Member]:
    """The members of a container; each is decoded to know where it ends."""
    opening = text[start : start + 1]
    if opening not in ("{", "["):
        return
    offset, index = _skip(text, start + 1), 0
    while offset < len(text) and text[offset] not in "]}":
        key_at, name = offset, index
        if opening == "{":
            name, offset = _decode(text, offset)
            offset = _skip(text, _skip(text, offset) + 1)
        yield name, key_at, offset, None
        offset = _skip(text, _decode(text, offset)[1])
        if text[offset : offset + 1] == ",":
            offset = _skip(text, offset + 1)
        index += 1


def _raw_members(text: str, start: int, raw: _Raw) -> Iterator[_Member]:
    """As `_members`, by the lengths of values; ValueError where two keys are equal: one length is lost."""
    opening = text[start : start + 1]
    if opening not in ("{", "["):
        return
    values: dict[str, _Raw] | list[_Raw]
    if opening == "{":
        values = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    else:
        values = msgspec.json.decode(raw, type=list[msgspec.Raw])
    offset = _skip(text, start + 1)
    for index in range(len(values)):
        key_at, name = offset, index
        part: _Raw
        if isinstance(values, dict):
            key, offset = _decode(text, offset)
            offset = _skip(text, _skip(text, offset) + 1)
            part = values[key]
            yield key, key_at, offset, part
        else:
            part = values[name]
            yield name, key_at, offset, part
        offset = _skip(text, offset + len(memoryview(part)))
        if text[offset : offset + 1] != ",":
            break
        offset = _skip(text, offset + 1)
    if offset != start + len(memoryview(raw)) - 1 and values:
        raise ValueError("a key stands twice")
