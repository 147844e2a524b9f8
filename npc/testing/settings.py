"""`case.toml`: how a case is compiled, in the words of the options of `npc compile`.

Beside `node`, `own-node`, `deny-with`, `log-denied`, `table` and `hook-priority`, which are as there:

- `targets`: a list, of nft alone when it is absent; an empty one leaves the plan;
- `today`: a date, as `--today` has it; no rule ends when it is absent;
- `input`: paths to further input, relative to the case's folder;
- `[settings]`: what `--set` would say; each target is told what it knows.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from npc.backends.base import Options
from npc.compiler.frontend.diagnostics import did_you_mean

_Choice = TypeVar("_Choice", bound=StrEnum)

_KEYS = (
    "targets",
    "node",
    "own-node",
    "deny-with",
    "log-denied",
    "table",
    "hook-priority",
    "today",
    "input",
    "settings",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a case is compiled."""

    targets: tuple[str, ...] = ("nft",)
    node: str | None = None
    options: Options = Options()
    input: tuple[str, ...] = ()
    """Paths to further input, relative to the case's folder."""
    today: date | None = None
    """The day of the compilation; None: no rule has ended."""


def read_settings(text: str) -> Settings:
    """What a `case.toml` says; ValueError says what is wrong with it."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(str(error)) from None
    for key in table:
        if key not in _KEYS:
            raise ValueError(f"unknown key {key!r}: {did_you_mean(key, _KEYS)}")
    default = Options()
    return Settings(
        targets=_texts(table, "targets", ("nft",)),
        node=_of_type(table, "node", str, None),
        options=Options(
            own_node=_choice(table, "own-node", default.own_node),
            deny_with=_choice(table, "deny-with", default.deny_with),
            log_denied=_of_type(table, "log-denied", bool, default.log_denied),
            table=_of_type(table, "table", str, default.table),
            hook_priority=_of_type(table, "hook-priority", int, default.hook_priority),
            settings=_settings(table),
        ),
        input=_texts(table, "input", ()),
        today=_of_type(table, "today", date, None),
    )


_TYPES = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    date: "a date, like 2027-01-31",
    list: "a list",
    dict: "a table",
}


def _of_type(table: Mapping[str, Any], key: str, type_: type, default: Any) -> Any:
    value = table.get(key, default)
    if key in table and type(value) is not type_:  # a bool is an int, but no number
        raise ValueError(f"{key}: expected {_TYPES[type_]}")
    return value


def _texts(table: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    values = _of_type(table, key, list, default)
    if not all(isinstance(one, str) for one in values):
        raise ValueError(f"{key}: expected a list of strings")
    return tuple(values)


def _choice(table: Mapping[str, Any], key: str, default: _Choice) -> _Choice:
    known = {one.value: one for one in type(default)}
    value = _of_type(table, key, str, default.value)
    if value not in known:
        raise ValueError(f"{key}: {value!r} is not known: {did_you_mean(value, known)}")
    return known[value]


def _settings(table: Mapping[str, Any]) -> dict[str, str]:
    """Names and values as `--set` has them: text."""
    values = _of_type(table, "settings", dict, {})
    for name, value in values.items():
        if type(value) not in (str, bool, int):
            raise ValueError(f"settings.{name}: expected a string, a number, or true or false")
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()
    }
