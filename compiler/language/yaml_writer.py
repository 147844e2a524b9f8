r"""Plain values to YAML text, in the style that Kubernetes' documentation uses.

Takes dicts, lists, strings and integers as JSON has them; whoever reads the text as YAML 1.1 or 1.2 has
the same values back: what any reader could take for a number, a boolean or nothing is quoted.

>>> print(yaml_text({"labels": {"app": "web", "on": "1e3"}, "ports": [{"port": 80}], "spec": {}}), end="")
labels:
  app: web
  "on": "1e3"
ports:
  - port: 80
spec: {}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Value: TypeAlias = "str | int | Mapping[str, Value] | Sequence[str | int | Mapping[str, Value]]"

_WORDS = re.compile(r"[A-Za-z_/][A-Za-z0-9_.,/()-]*(?: [A-Za-z0-9_.,/()-]+)*")
_ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){3}/[0-9]+|[0-9a-fA-F:]*::?[0-9a-fA-F:.]*/[0-9]+")
"""No number and no time of YAML has a slash."""
_RESERVED = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""In any case: some reader takes each for a boolean or for nothing."""
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_BYTE_ORDER_MARK = "\ufeff"


def yaml_text(value: Mapping[str, Value]) -> str:
    """A mapping as a YAML document, without `---`."""
    return "".join(f"{line}\n" for line in _mapping(value))


def _mapping(value: Mapping[str, Value]) -> Iterator[str]:
    for key, one in value.items():
        match one:
            case Mapping() if one:
                yield f"{_scalar(key)}:"
                yield from _indented(_mapping(one))
            case str() if _is_literal(one):
                yield f"{_scalar(key)}: {'|' if one.endswith(chr(10)) else '|-'}"
                yield from _indented(iter(one.removesuffix("\n").split("\n")))
            case str() | int():
                yield f"{_scalar(key)}: {_scalar(one)}"
            case Sequence() if one:
                yield f"{_scalar(key)}:"
                yield from _indented(_sequence(one))
            case _:
                yield f"{_scalar(key)}: {'{}' if isinstance(one, Mapping) else '[]'}"


def _sequence(value: Sequence[str | int | Mapping[str, Value]]) -> Iterator[str]:
    for one in value:
        match one:
            case Mapping() if one:
                first, *rest = _mapping(one)
                yield f"- {first}"
                yield from _indented(iter(rest))
            case str() | int():
                yield f"- {_scalar(one)}"
            case _:
                yield "- {}"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {line}" if line else ""


def _scalar(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    is_plain = _WORDS.fullmatch(value) and value.lower() not in _RESERVED
    return value if is_plain or _ADDRESS.fullmatch(value) else _quoted(value)


def _quoted(text: str) -> str:
    """A double-quoted scalar (YAML 1.2, section 7.3.1), on one line."""
    return f'"{"".join(map(_character, text))}"'


def _character(one: str) -> str:
    if one in _ESCAPES:
        return _ESCAPES[one]
    if one.isprintable() and one != _BYTE_ORDER_MARK:
        return one
    number = ord(one)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _is_literal(text: str) -> bool:
    """Whether a text of several lines can stand as it is under a `|`, and be read back the same."""
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and bool(lines[-1])
        and not lines[0].startswith(" ")
        and bool(lines[0])
        and all((not line or line.strip(" ")) and line.isprintable() for line in lines)
        and _BYTE_ORDER_MARK not in text
    )
