"""JSON to plain values, and the places of values in JSON text.

Values come from the standard library where duplicate keys must be seen (policies) and from msgspec
where speed counts (inventories, `documents`); places are found by walking the text along a path,
skipping what is beside it, so that nothing is paid for them until a diagnostic is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from npc.compiler.frontend.source import PathInDocument, Span, Step


class DuplicateKeyError(ValueError):
    """An object has a key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} stands here twice")
        self.key = key


def read_json(data: bytes) -> Any:
    """The value of a JSON text.

    Raises DuplicateKeyError, and ValueError or RecursionError for what is no (sane) JSON.
    """
    return json.loads(data, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKeyError(key)
            seen.add(key)
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR_END = re.compile(r"[,\]}\s]")
_decode = json.JSONDecoder().raw_decode


def find_duplicate(text: str, key: str) -> int | None:
    """The offset where an object repeats `key`; None when it never does."""
    stack: list[set[str]] = []
    token = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]')
    for match in token.finditer(text):
        if match[0] == "{":
            stack.append(set())
        elif match[0] == "}":
            if stack:
                stack.pop()
        elif _after(text, match.end()) == ":" and stack:
            name = json.loads(match[0], strict=False)
            if name in stack[-1] and name == key:
                return match.start()
            stack[-1].add(name)
    return None


def _after(text: str, offset: int) -> str:
    end = _SPACE.match(text, offset).end()  # type: ignore[union-attr]
    return text[end : end + 1]


def span_in_json(text: str, path: PathInDocument, on_key: bool) -> Span:
    """The place of the value (or the key) that a path leads to, or of the last one there is."""
    start = end = _skip(text, 0)
    position = start
    for depth, step in enumerate(path):
        for name, key_at, value_at in _members(text, position):
            if name == step:
                position = value_at
                if on_key and depth == len(path) - 1:
                    start, end = key_at, _decode(text, key_at)[1]
                else:
                    start, end = value_at, _head_end(text, value_at)
                break
        else:
            break
    else:
        if not path:
            end = _head_end(text, start)
    return span_at(text, start, max(end, start + 1))


def span_at(text: str, start: int, end: int) -> Span:
    """The place of the characters from `start` to before `end`."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    stop = end if line_end < 0 else min(end, line_end)
    column = start - line_start + 1
    return Span(text.count("\n", 0, start) + 1, column, max(column + 1, column + stop - start))


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


def _members(text: str, start: int) -> Iterator[tuple[Step, int, int]]:
    """(key or index, offset of the key, offset of the value) of a container's members."""
    opening = text[start : start + 1]
    if opening not in ("{", "["):
        return
    offset, index = _skip(text, start + 1), 0
    while offset < len(text) and text[offset] not in "]}":
        key_at, name = offset, index
        if opening == "{":
            name, offset = _decode(text, offset)
            offset = _skip(text, _skip(text, offset) + 1)
        yield name, key_at, offset
        offset = _skip(text, _decode(text, offset)[1])
        if text[offset : offset + 1] == ",":
            offset = _skip(text, offset + 1)
        index += 1
