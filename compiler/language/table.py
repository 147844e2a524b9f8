"""The automata that recognize the policy language: `table.json` policies, `assertions.json` assertions.

Each is ready for the parser's loop. `generate` makes the files of the grammar, with lark. They are a cache:
where the grammar is another than they were made of, lark makes the table anew, in memory.

Where a state has one thing to do whatever comes next, it is done before the next word is looked at: `always`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from zlib import crc32

import msgspec

import npc.grammar
from npc.compiler.frontend.files import ASSERTIONS_SUFFIX
from npc.compiler.language.building import WORDS

END = "$END"
COMMENT = "COMMENT"


class Start(StrEnum):
    """What a text is made of, by the rule of the grammar that it begins with.

    Each has an automaton of its own, so that what is said of a mistake in the one knows nothing of the other.
    """

    POLICIES = "start"
    ASSERTIONS = "assertions"

    @staticmethod
    def of(name: str) -> Start:
        """What is in a file of some name."""
        return Start.ASSERTIONS if name.endswith(ASSERTIONS_SUFFIX) else Start.POLICIES


TABLES: Mapping[Start, Path] = {
    Start.POLICIES: Path(__file__).with_name("table.json"),
    Start.ASSERTIONS: Path(__file__).with_name("assertions.json"),
}

Scan = Callable[[str, int], re.Match[str] | None]
"""Finds the next word from a place on: behind blanks, as the group of its terminal."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the grammar in one of its shapes."""

    origin: str
    length: int
    parts: tuple[tuple[int, bool], ...]
    """Which of its symbols say something, and whether that is a list whose items count one by one."""
    is_list: bool
    """It is no node of its own: its parts are those of the rule that it stands in."""
    is_same: bool
    """It is no node of its own, and has exactly one part: nothing is to be done."""


class _Scanners(dict[int, Scan]):
    """The scanner of each state, made when it is first needed."""

    def __init__(self, patterns: Sequence[str]) -> None:
        super().__init__()
        self.patterns = patterns

    def __missing__(self, state: int) -> Scan:
        scan = self[state] = _scanner(self.patterns[state])
        return scan


@dataclass(frozen=True, slots=True)
class Table:
    """The automaton. State 0 begins."""

    end: int
    """The state that a whole text ends in."""
    keywords: Sequence[str]
    """The names of the keywords, in the grammar's order; the keyword is the name in small letters."""
    rules: Sequence[Rule]
    actions: Sequence[Mapping[str, int]]
    """For each state and terminal: the next state, or -1 less a rule's number."""
    gotos: Sequence[Mapping[str, int]]
    always: Sequence[int | None]
    """For each state the rule that applies whatever comes next."""
    groups: Sequence[Sequence[str]]
    """For each state the terminals of its scanner's groups, from 1 on."""
    scanners: _Scanners = field(repr=False)


class _State(msgspec.Struct):
    scan: list[str]
    actions: dict[str, int]
    gotos: dict[str, int]


class _Written(msgspec.Struct):
    grammar: int
    """The checksum of the grammar that it was made of."""
    end: int
    keywords: list[str]
    terminals: dict[str, str]
    rules: list[tuple[str, list[str]]]
    states: list[_State]


@cache
def load_table(start: Start = Start.POLICIES) -> Table:
    """The table of the grammar as it is."""
    written = msgspec.json.decode(TABLES[start].read_bytes(), type=_Written)
    if written.grammar != grammar_checksum():
        from npc.compiler.language.generate import table_text  # lark takes longer to import than a compile

        written = msgspec.json.decode(table_text(start), type=_Written)
    same = _same(written.rules)
    return Table(
        written.end,
        written.keywords,
        [_rule(origin, symbols, same) for origin, symbols in written.rules],
        [state.actions for state in written.states],
        [state.gotos for state in written.states],
        [_always(state.actions) for state in written.states],
        [("", *state.scan, COMMENT, END) for state in written.states],
        _Scanners([_pattern(state.scan, written.terminals) for state in written.states]),
    )


def grammar_checksum() -> int:
    """Tells one grammar from another."""
    folder = Path(npc.grammar.__file__).parent
    return crc32(b"".join(path.read_bytes() for path in sorted(folder.glob("*.lark"))))


def _says_something(symbol: str) -> bool:
    return symbol in WORDS or not symbol.isupper()


def _same(rules: Sequence[tuple[str, list[str]]]) -> frozenset[str]:
    """The inlined rules all of whose shapes are one part: `_peer: pods | namespaces | ...`."""
    inlined = {origin for origin, _ in rules if origin.startswith("_")}
    shapes = {
        origin: [list(filter(_says_something, symbols)) for name, symbols in rules if name == origin]
        for origin in inlined
    }
    same = set(inlined)
    while True:
        lists = {
            origin
            for origin in same
            if any(len(parts) != 1 or parts[0] in inlined - same for parts in shapes[origin])
        }
        if not lists:
            return frozenset(same)
        same -= lists


def _rule(origin: str, symbols: list[str], same: frozenset[str]) -> Rule:
    parts = tuple(
        (index, symbol.startswith("_") and symbol not in same)
        for index, symbol in enumerate(symbols)
        if _says_something(symbol)
    )
    is_inlined = origin.startswith("_")
    is_same = origin in same and len(symbols) == 1
    return Rule(origin, len(symbols), parts, is_inlined and not is_same, is_same)


def _always(actions: Mapping[str, int]) -> int | None:
    found = set(actions.values())
    if len(found) == 1 and (only := next(iter(found))) < 0:
        return -1 - only
    return None


def _pattern(scan: Sequence[str], terminals: Mapping[str, str]) -> str:
    groups = [*(terminals[name] for name in scan), r"#[^\r\n]*", r"\Z"]
    return r"\s*(?:" + "|".join(f"({one})" for one in groups) + ")"


@cache
def _scanner(pattern: str) -> Scan:
    return re.compile(pattern).match
