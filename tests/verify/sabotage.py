"""Lowering with a bug: each of its functions in turn gives something else than it should.

A result loses an element, is off by one, has its ends, verdicts or negations swapped, or is empty; a function
that gives nothing is not run at all. What is spoiled follows from the type of the result alone, so that a new
function is broken as well, without a word here.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from importlib import import_module
from pkgutil import walk_packages
from random import Random
from types import ModuleType
from typing import Any, Final

import msgspec
import pytest

import npc.backends
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet

SHARED: Final = ("pairs", "icmp", "naming", "logged")
"""Modules of all targets' lowering."""
NO_LOWERING: Final = ("reader", "statistics", "layout")
"""What stands beside lowering in a target's folder: it has no part in the text of a ruleset."""
WORDS: Final = (
    ("accept", "drop"),
    ("ACCEPT", "DROP"),
    ("RETURN", "DROP"),
    ("saddr", "daddr"),
    ("nw_src", "nw_dst"),
    ("ipv6_src", "ipv6_dst"),
    ("src", "dst"),
    ("-s ", "-d "),
    ("tcp", "udp"),
    ("goto ", "jump "),
    ("!= ", ""),
    ("! ", ""),
    ("forward", "input"),
    ("established,related", "established,related,new"),
    ("goto_table", "drop"),
    ("ct(commit", "ct("),
    (" nomatch", ""),
)
_DEEPEST: Final = 4
_MOST_CALLS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Function:
    """A function of lowering, and where it is looked up."""

    name: str
    """Module below npc.backends, and qualified name."""
    owners: tuple[tuple[object, str], ...]
    """Modules or the class, each with the attribute."""
    raw: Any
    """As it stands there: a function, or one in a staticmethod, classmethod, property or cache."""


def functions(target: str) -> list[Function]:
    """All functions and methods of a target's lowering, and those that all targets share."""
    found = []
    for module in _modules(target):
        short = module.__name__.removeprefix("npc.backends.")
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) != module.__name__:
                continue
            if inspect.isclass(value):
                found += [
                    Function(f"{short}.{name}.{attribute}", ((value, attribute),), raw)
                    for attribute, raw in vars(value).items()
                    if _is_written_here(raw, module)
                ]
            elif callable(value) and _is_written_here(value, module):
                owners = tuple(
                    (one, attribute)
                    for one in _all_modules()
                    for attribute, other in vars(one).items()
                    if other is value
                )
                found.append(Function(f"{short}.{name}", owners, value))
    return found


def _modules(target: str) -> Iterator[ModuleType]:
    package = import_module(f"npc.backends.{target}")
    for info in walk_packages(package.__path__, f"{package.__name__}."):
        if not any(f".{word}" in info.name for word in NO_LOWERING):
            yield import_module(info.name)
    for name in SHARED:
        yield import_module(f"npc.backends.{name}")


def _all_modules() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.startswith(npc.backends.__name__)]


def _is_written_here(raw: object, module: ModuleType) -> bool:
    """Whether it is a function whose text stands in a module: a dataclass makes some by itself."""
    inner = _inner(raw)
    code = getattr(inner, "__code__", None)
    return code is not None and code.co_filename == module.__file__


def _inner(raw: Any) -> Any:
    match raw:
        case staticmethod() | classmethod():
            return raw.__func__
        case property():
            return raw.fget
        case _:
            return getattr(raw, "__wrapped__", raw)


# --- running with one function broken -----------------------------------------------------------------------


@contextmanager
def wrapped(function: Function, around: Callable[[Callable[[], Any]], Any]) -> Iterator[None]:
    """Run the body with every call of a function handed to `around`, which may make it."""
    raw = function.raw
    inner = _inner(raw)

    def instead(*given: Any, **named: Any) -> Any:
        return around(lambda: inner(*given, **named))

    put: Any = instead
    match raw:
        case staticmethod():
            put = staticmethod(instead)
        case classmethod():
            put = classmethod(instead)
        case property():
            put = property(instead)
    with pytest.MonkeyPatch.context() as patch:
        _forget()
        for owner, name in function.owners:
            patch.setattr(owner, name, put)
        try:
            yield
        finally:
            _forget()


def _forget() -> None:
    """Empty all caches of lowering: what a broken function gave must not stay."""
    for module in _all_modules():
        for value in vars(module).values():
            clear = getattr(value, "cache_clear", None)
            if clear is not None:
                clear()


class TooManyCalls(Exception):
    """A broken function made its callers run in circles."""


@dataclass
class Bug:
    """What a broken function gives: spoiled alike at each call, or nothing where it is not even run."""

    seed: int
    is_run: bool = True
    calls: int = 0
    results: int = 0
    """How many of the calls gave something."""

    def __call__(self, call: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.calls > _MOST_CALLS:
            raise TooManyCalls
        if not self.is_run:
            return None
        result = call()
        self.results += result is not None
        return spoiled(result, Random(self.seed))


# --- spoiling -----------------------------------------------------------------------------------------------


def spoiled(value: Any, chance: Random, depth: int = 0) -> Any:
    """Something close to a value, and not equal to it; the value itself where there is nothing."""
    if depth > _DEEPEST:
        return value
    match value:
        case bool():
            return not value
        case Enum():
            others = [one for one in type(value) if one is not value]
            return chance.choice(others) if others else value
        case int():
            return value + chance.choice((-1, 1)) if value > 0 else value + 1
        case str():
            return _spoiled_text(value, chance)
        case Intervals():
            return _spoiled_intervals(value, chance)
        case PacketSet():
            return replace(value, parts=value.parts[:-1]) if value.parts else value
        case dict():
            return _spoiled_mapping(value, chance, depth)
        case list() | tuple():
            return type(value)(_spoiled_items(list(value), chance, depth)) if value else value
        case set() | frozenset():
            return type(value)(sorted(value, key=repr)[:-1]) if value else value
        case msgspec.Struct():
            names = [one.name for one in msgspec.structs.fields(value)]
            return _spoiled_fields(value, names, msgspec.structs.replace, chance, depth)
        case _ if is_dataclass(value) and not isinstance(value, type):
            names = [one.name for one in fields(value) if one.init]
            return _spoiled_fields(value, names, replace, chance, depth)
        case _ if inspect.isgenerator(value):
            return iter(_spoiled_items(list(value), chance, depth))
        case _:
            return value


def _spoiled_text(text: str, chance: Random) -> str:
    found = [(one, two) for pair in WORDS for one, two in (pair, pair[::-1]) if one and one in text]
    numbers = list(re.finditer(r"(?<![\w])\d+(?![\w])", text))
    if numbers and (not found or chance.random() < 0.5):
        number = chance.choice(numbers)
        other = int(number[0]) + (1 if int(number[0]) == 0 else chance.choice((-1, 1)))
        return f"{text[: number.start()]}{other}{text[number.end() :]}"
    return text.replace(*chance.choice(found)) if found else text[:-1]


def _spoiled_intervals(value: Intervals, chance: Random) -> Intervals:
    if not value:
        return value
    low, high = value.ranges[-1]
    match chance.randrange(3):
        case 0:
            return Intervals(value.ranges[:-1])
        case 1:
            return value | Intervals(((low, high + 1),))
        case _:
            return value - Intervals(((high, high),))


def _spoiled_mapping(value: dict[Any, Any], chance: Random, depth: int) -> dict[Any, Any]:
    if not value:
        return value
    key = chance.choice(list(value))
    others = [one for one in value if one != key]
    match chance.randrange(3):
        case 0:
            return {one: value[one] for one in others}
        case 1 if others:
            return {**value, key: value[chance.choice(others)]}
        case _:
            return {**value, key: spoiled(value[key], chance, depth + 1)}


def _spoiled_items(items: list[Any], chance: Random, depth: int) -> list[Any]:
    if not items:
        return items
    place = chance.randrange(len(items))
    is_list = len({type(one) for one in items}) == 1 and not (len(items) == 2 and isinstance(items[0], int))
    match chance.randrange(4) if is_list else 0:
        case 1:
            return items[:-1]
        case 2:
            return items[:place] + items[place + 1 :]
        case 3 if depth == 0:
            return []
        case _:
            return [*items[:place], spoiled(items[place], chance, depth + 1), *items[place + 1 :]]


def _spoiled_fields(
    value: Any, names: Sequence[str], changed: Callable[..., Any], chance: Random, depth: int
) -> Any:
    for name in chance.sample(names, len(names)):
        old = getattr(value, name)
        new = spoiled(old, chance, depth + 1)
        if new is not old and new != old:
            return changed(value, **{name: new})
    return value
