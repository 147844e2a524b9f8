"""All that keeps a value from being converted to a schema type, not only the first thing.

Takes a plain value and a `schema` type, gives the problems and the value without its faulty parts,
so that what remains can be validated further in the same run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from msgspec import inspect

from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import Code
from npc.compiler.frontend.diagnostics import did_you_mean, nearest
from npc.compiler.frontend.schema import Extensible, Strict
from npc.compiler.frontend.source import PathInDocument


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a path of a document; `reason` is the API server's error type."""

    path: PathInDocument
    code: Code
    message: str
    reason: str = ""
    on_key: bool = False
    help: str = ""
    label: str = ""
    show: PathInDocument | None = None
    """Where to point instead of `path`: deeper than the field path that the API server gives."""


def invalid(
    path: PathInDocument,
    value: str,
    expected: str,
    help: str = "",
    *,
    show: PathInDocument | None = None,
    on_key: bool = False,
) -> Problem:
    """A value (as it is to be shown) that is not what was expected."""
    message = f"Invalid value {value}: not {expected}"
    return Problem(path, codes.INVALID, message, "Invalid", on_key=on_key, help=help, show=show)


def required(path: PathInDocument, what: str, help: str = "") -> Problem:
    """A value that is missing."""
    return Problem(path, codes.REQUIRED, f"Required value: {what}", "Required", help=help)


def too_many(path: PathInDocument, count: int, what: str, most: int) -> Problem:
    """A list that is too long."""
    return Problem(path, codes.TOO_LONG, f"Too many: {count:,} {what}, at most {most}", "TooMany")


def not_alone(path: PathInDocument, fields: Sequence[str], help: str) -> Problem:
    """Fields of which only one may be set."""
    message = f"Forbidden: {fields[-1]} stands beside {' and '.join(fields[:-1])}"
    show = (*path, fields[-1])
    return Problem(path, codes.FORBIDDEN, message, "TooMany", help=help, show=show, on_key=True)


def not_supported(path: PathInDocument, value: str, supported: Iterable[str]) -> Problem:
    """A value that is none of the supported ones."""
    message, help = f"Unsupported value {quoted(value)}", did_you_mean(value, supported)
    return Problem(path, codes.NOT_SUPPORTED, message, "NotSupported", help=help)


class _Faulty:
    """Stands for a part that was left out."""


_FAULTY = _Faulty()
_NEUTRAL: dict[type[inspect.Type], Any] = {inspect.StructType: {}, inspect.StrType: ""}
"""What takes the place of a faulty item, so that the items after it keep their indices."""


def check_shape(value: Any, schema: type) -> tuple[list[Problem], Any]:
    """The problems of a value as a `schema`, and the value without the parts that have them.

    The value is None when nothing of it can be used.
    """
    walk = _Walk()
    kept = walk.value(value, _info(schema), ())
    return walk.problems, None if kept is _FAULTY else kept


@cache
def _info(schema: type) -> inspect.Type:
    return inspect.type_info(schema)


@dataclass(slots=True)
class _Walk:
    problems: list[Problem] = field(default_factory=list)

    def value(self, value: Any, expected: inspect.Type, path: PathInDocument) -> Any:
        match expected:
            case inspect.AnyType():
                return value
            case inspect.UnionType(types=types):
                chosen = next((one for one in types if _fits(value, one)), None)
                if chosen is not None:
                    return self.value(value, chosen, path)
            case inspect.StructType() if isinstance(value, dict):
                return self._struct(value, expected, path)
            case inspect.ListType(item_type=item) if isinstance(value, list):
                kept = [self.value(one, item, (*path, index)) for index, one in enumerate(value)]
                return [_NEUTRAL.get(type(item)) if one is _FAULTY else one for one in kept]
            case inspect.DictType(value_type=item) if isinstance(value, dict):
                entries = {key: self.value(one, item, (*path, key)) for key, one in value.items()}
                return {key: one for key, one in entries.items() if one is not _FAULTY}
            case _ if _fits(value, expected):
                return value
        self._wrong_type(value, expected, path)
        return _FAULTY

    def _struct(self, value: dict[str, Any], expected: inspect.StructType, path: PathInDocument) -> Any:
        known = {one.encode_name: one for one in expected.fields}
        if _is_of_a_later_version(value, expected.cls, known):
            return {}
        kept: dict[str, Any] = {}
        for key, one in value.items():
            if key in known:
                result = self.value(one, known[key].type, (*path, key))
                if result is not _FAULTY:
                    kept[key] = result
            elif issubclass(expected.cls, Strict):
                self.problems.append(
                    Problem(
                        (*path, key),
                        codes.UNKNOWN_FIELD,
                        f"unknown field {quoted(key)}",
                        on_key=True,
                        help=expected.cls.misplaced.get(key) or _field_help(key, value, expected),
                    )
                )
        missing = [name for name, one in known.items() if one.required and name not in value]
        for name in missing:
            message = f"Required value: {' or '.join(_names(known[name].type))}"
            self.problems.append(Problem((*path, name), codes.REQUIRED, message, "Required"))
        usable = all(name in kept for name, one in known.items() if one.required)
        return kept if usable else _FAULTY

    def _wrong_type(self, value: Any, expected: inspect.Type, path: PathInDocument) -> None:
        wanted = " or ".join(dict.fromkeys(_names(expected)))
        self.problems.append(
            Problem(
                path,
                codes.WRONG_TYPE,
                f"expected {wanted}, found {describe(value)}",
                "TypeInvalid",
                help=_type_help(value, expected),
            )
        )


def _is_of_a_later_version(value: dict[str, Any], cls: type, known: Iterable[str]) -> bool:
    """Whether all that an object has are fields which the API may have come to have since."""
    if not value or not issubclass(cls, Extensible):
        return False
    return all(key not in cls.misplaced and nearest(key, known) is None for key in value)


def _fits(value: Any, expected: inspect.Type) -> bool:
    """Whether the outermost type of a value is the expected one, which is no union."""
    match expected:
        case inspect.NoneType():
            return value is None
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.StrType():
            return isinstance(value, str)
        case inspect.ListType():
            return isinstance(value, list)
        case inspect.StructType() | inspect.DictType():
            return isinstance(value, dict)
        case _:
            return False


def _names(expected: inspect.Type) -> Iterator[str]:
    match expected:
        case inspect.UnionType(types=types):
            for one in types:
                yield from _names(one)
        case inspect.BoolType():
            yield "true or false"
        case inspect.IntType():
            yield "an integer"
        case inspect.StrType():
            yield "a string"
        case inspect.ListType():
            yield "a list"
        case inspect.StructType() | inspect.DictType():
            yield "a mapping"


def describe(value: Any) -> str:
    """A value in an error message: its type, and itself where it is short."""
    match value:
        case None:
            return "null"
        case bool():
            return f"the boolean {'true' if value else 'false'}"
        case int():
            return f"the number {value}" if abs(value) < 10**20 else "a number of more than 20 digits"
        case float():
            return f"the number {value}"
        case str():
            return f"the string {quoted(value)}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def quoted(text: str) -> str:
    """Text in double quotes, shortened, with all that cannot be printed escaped."""
    shown = text if len(text) <= 60 else text[:57] + "..."
    return '"' + "".join(map(_escaped, shown)) + '"'


def _escaped(character: str) -> str:
    if character in ('"', "\\"):
        return "\\" + character
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _field_help(key: str, value: dict[str, Any], struct: inspect.StructType) -> str:
    """What an unknown field may have been meant to be, or where it belongs."""
    fields = {one.encode_name: one.type for one in struct.fields}
    close = nearest(key, [name for name in fields if name not in value] or fields)
    if close is not None:
        return f"did you mean {close!r}?"
    parents = [name for name, type_ in fields.items() if key in _fields_of(type_)]
    if parents:
        return f"it belongs under {' or '.join(parents)}"
    return "expected one of: " + ", ".join(
        name for name, type_ in fields.items() if not isinstance(type_, inspect.AnyType)
    )


def _fields_of(type_: inspect.Type) -> set[str]:
    match type_:
        case inspect.StructType(fields=fields):
            return {one.encode_name for one in fields}
        case inspect.UnionType(types=types):
            return set().union(*map(_fields_of, types))
        case _:
            return set()


def _type_help(value: Any, expected: inspect.Type) -> str:
    names = set(_names(expected))
    match value:
        case bool() if names == {"a string"}:
            return "put it in quotes: without them it is a boolean"
        case int() | float() if names == {"a string"}:
            return "put it in quotes: without them it is a number"
        case float() if "an integer" in names and value.is_integer():
            return f"write {value:.0f}" if abs(value) < 1e20 else ""
        case str() if "true or false" in names and value in ("true", "false"):
            return "write it without quotes"
        case str() if "an integer" in names and value.strip().isdigit():
            return "write it without quotes"
        case str() if "a mapping" in names and ":" in value.strip(":"):
            return "put a space after the ':'"
        case str() | int() | float() if "a mapping" in names:
            return "a mapping is written 'key: value'"
        case dict() if "a list" in names:
            return "make it a list: '- ' before each item, or [...] around them"
        case str() | int() if "a list" in names:
            return "make it a list: [...]"
        case list():
            return "leave out the '- ', or the [...]"
        case None if "a mapping" in names:
            return "write {} for an empty mapping, or leave it out"
        case _:
            return ""
