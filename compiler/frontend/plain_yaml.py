"""YAML as programs print manifests, and most people write them: block mappings and lists, a line each.

Takes the text of one document, gives its value, or refuses it where a line is not plainly of this form: then
it is for libyaml, by way of `yaml_reader`, from which this must never differ. There are no anchors, tags,
tabs, comments behind values, scalars of several lines or flow collections (but empty ones); quotes hold
printable ASCII without escapes.
"""

from __future__ import annotations

import re
from typing import Any

from npc.compiler.frontend.scalars import resolve

_DEEPEST = 50
"""Levels of nesting; fewer than libyaml's way allows."""

_SCALAR = r"[A-Za-z0-9](?:[A-Za-z0-9_./:-]*[A-Za-z0-9_./-])?"
_VALUE = _SCALAR + r'|"[ !#-\[\]-~]*"' + r"|'[ -&(-~]*'|\{\}|\[\]"
_LINE = re.compile(
    rf"^(?: *(?:#[ -~]*)?|( *)((?:- )*)(?:([A-Za-z][A-Za-z0-9_./-]{{0,200}}):(?: ({_VALUE}))?|({_VALUE})))$",
    re.MULTILINE,
)
"""Nothing or a comment; or an indent, dashes, and a key with or without a value, or a value alone."""


class NotPlain(Exception):
    """The document is not plainly of this form."""


class _Level:
    """A mapping or a list that has not ended, and the column of its keys or dashes."""

    __slots__ = ("column", "container", "is_list", "key")

    def __init__(self, column: int, container: Any, *, is_list: bool) -> None:
        self.column = column
        self.container = container
        self.is_list = is_list
        self.key: str | None = None
        """Of a mapping: the key whose value may follow on the next lines."""


class PlainReader:
    """Reads documents; manifests repeat their keys and values, each of which is looked at once."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        """Those that are text."""
        self._values: dict[str, Any] = {}
        self._stack: list[_Level] = []

    def read(self, text: str) -> dict[str, Any]:
        """The value of a document, of which the `---` is left out; raises NotPlain."""
        lines = _LINE.findall(text)
        if len(lines) != text.count("\n") + 1:
            raise NotPlain
        root: dict[str, Any] = {}
        stack = self._stack = [_Level(0, root, is_list=False)]
        keys, values = self._keys, self._values
        for indent, dashes, key, value, item in lines:
            column = len(indent)
            if not key and not item:
                continue
            while stack[-1].column > column:
                stack.pop()
            level = stack[-1]
            if dashes:
                column = self._dashes(column, len(dashes) // 2)
                if item:
                    stack[-1].container.append(values[item] if item in values else self._value(item))
                    continue
                level = self._push(column, {}, is_list=False)
            elif level.is_list or level.column != column:
                level = self._mapping(column)
            if key not in keys:
                self._check_key(key)
            container = level.container
            if not key or key in container:
                raise NotPlain
            if value:
                level.key = None
                container[key] = values[value] if value in values else self._value(value)
            else:
                level.key = key
                container[key] = None
        if not root:
            raise NotPlain
        return root

    def _dashes(self, column: int, count: int) -> int:
        """Begin an item of a list at a column, and lists in it; the column of what stands in it."""
        level = self._stack[-1]
        if not level.is_list or level.column != column:
            if level.is_list or level.key is None:
                raise NotPlain
            self._push(column, [], is_list=True)
        for _ in range(count - 1):
            column += 2
            self._push(column, [], is_list=True)
        return column + 2

    def _mapping(self, column: int) -> _Level:
        """The mapping that a key at a column is of."""
        stack = self._stack
        if stack[-1].is_list and stack[-1].column == column:
            stack.pop()  # its dashes stand where the keys around it do
        level = stack[-1]
        if level.is_list:
            raise NotPlain
        if level.column == column:
            return level
        if level.key is None:
            raise NotPlain
        return self._push(column, {}, is_list=False)

    def _push(self, column: int, container: Any, *, is_list: bool) -> _Level:
        """Begin a container: an item of the list on top, or the value of its mapping's last key."""
        level = self._stack[-1]
        if level.is_list:
            level.container.append(container)
        else:
            level.container[level.key] = container
            level.key = None
        if len(self._stack) > _DEEPEST:
            raise NotPlain
        self._stack.append(_Level(column, container, is_list=is_list))
        return self._stack[-1]

    def _check_key(self, key: str) -> None:
        if resolve(key) != key:
            raise NotPlain  # `on` or `null`
        self._keys.add(key)

    def _value(self, text: str) -> Any:
        if text in ("{}", "[]"):
            return {} if text == "{}" else []
        value = text[1:-1] if text[0] in "\"'" else resolve(text)
        self._values[text] = value
        return value
