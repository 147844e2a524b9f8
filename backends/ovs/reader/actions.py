"""What a flow does with its packets, read from the words of ovs-actions(7)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from npc.backends.ovs.reader.matches import REGISTERS
from npc.backends.ovs.reader.numbers import number
from npc.compiler.verify.program import Line, Malformed, Unsupported

LAST_TABLE = 254


@dataclass(frozen=True, slots=True)
class Clause:
    """A dimension of a conjunction, of which the flow has one alternative."""

    number: int
    dimension: int
    size: int


@dataclass(frozen=True, slots=True)
class Actions:
    """What becomes of a packet: it passes, goes to a table, or neither, and then it is dropped."""

    registers: tuple[tuple[str, int], ...] = ()
    """Those that are set, whole."""
    track: int | None = None
    """The zone in which the packet is looked up before it goes to the table."""
    commit: int | None = None
    """The zone in which its connection is committed."""
    table: int | None = None
    is_output: bool = False
    """It goes on to what comes after npc."""
    clauses: tuple[Clause, ...] = ()
    untracks: bool = False
    """`ct_clear`: what conntrack said is forgotten."""


@dataclass(slots=True)
class _Reading:
    line: Line
    registers: dict[str, int] = field(default_factory=dict)
    track: int | None = None
    commit: int | None = None
    table: int | None = None
    is_output: bool = False
    clauses: list[Clause] = field(default_factory=list)
    untracks: bool = False

    def done(self) -> Actions:
        return Actions(
            tuple(self.registers.items()),
            self.track,
            self.commit,
            self.table,
            self.is_output,
            tuple(self.clauses),
            self.untracks,
        )


def read_actions(text: str, following: str, line: Line) -> Actions:
    """The actions that a text states; `following` is the one by which packets pass, in OVS's spelling."""
    words = _split(text, line)
    reading = _Reading(line)
    if words == ["drop"]:
        return Actions()
    for word in words:
        if reading.table is not None or (reading.is_output and not word.startswith("ct(")):
            raise Unsupported(f"the action `{word}` after the packet went on", line)
        _read(word, following, reading)
    found = reading.done()
    if found.clauses and found != Actions(clauses=found.clauses):
        raise Malformed("other actions beside `conjunction`", line)
    if found.commit is not None and found.table is not None:
        raise Unsupported("a connection that is committed before all tables are passed", line)
    return found


def _read(word: str, following: str, reading: _Reading) -> None:
    """Take up one action."""
    name, arguments, form = _parts(word)
    match name, form:
        case _ if _same_output(word, following):
            reading.is_output = True
        case (("set_field" | "load"), ":"):
            _set(word, arguments, reading)
        case "goto_table", ":":
            reading.table = _table(arguments, word, reading.line)
        case "resubmit", "(" if arguments.startswith(","):
            reading.table = _table(arguments[1:].strip(), word, reading.line)
        case "ct", "(":
            _track(word, arguments, reading)
        case "ct_clear", "":
            reading.untracks = True
        case "conjunction", "(":
            reading.clauses.append(_clause(arguments, word, reading.line))
        case "note", ":":
            pass
        case _:
            raise Unsupported(f"the action `{word}`", reading.line, _help(following))


def _help(following: str) -> str:
    return f"packets pass by `{following}` where the options say nothing else; `--set next=` says otherwise"


def _same_output(word: str, following: str) -> bool:
    """Whether an action is the one by which packets pass."""
    spelling = word.removeprefix("output:") if word == "output:LOCAL" else word
    if spelling.upper() in ("NORMAL", "LOCAL"):
        spelling = spelling.upper()
    if spelling.startswith("goto_table:"):
        spelling = f"resubmit(,{spelling.removeprefix('goto_table:')})"
    return spelling == following


_LOADED = re.compile(r"(?:NXM_NX_REG(?P<number>[0-9]+)|(?P<name>reg[0-9]+))(?:\[\]|\[0\.\.31\])?")


def _set(word: str, arguments: str, reading: _Reading) -> None:
    """A register that is set whole."""
    value_text, arrow, target = arguments.partition("->")
    value_text, slash, mask = value_text.partition("/")
    found = _LOADED.fullmatch(target)
    if not arrow or not found:
        raise Unsupported(f"the action `{word}`", reading.line)
    name = found["name"] or f"reg{found['number']}"
    value = number(value_text)
    if name not in REGISTERS or value is None or value > 0xFFFF_FFFF:
        raise Malformed(f"the action `{word}`", reading.line)
    if slash and number(mask) != 0xFFFF_FFFF:
        raise Unsupported(f"the action `{word}`, which sets a part of a register", reading.line)
    reading.registers[name] = value


def _track(word: str, arguments: str, reading: _Reading) -> None:
    """`ct(commit,zone=5)`, or `ct(table=1,zone=5)`."""
    words: dict[str, str] = {}
    for one in arguments.split(","):
        name, _, value = one.strip().partition("=")
        if name not in ("commit", "zone", "table") or name in words:
            raise Unsupported(f"the action `{word}`", reading.line)
        words[name] = value
    zone = number(words.get("zone", "0"))
    if zone is None:
        raise Unsupported(f"the action `{word}`", reading.line)
    if zone > 0xFFFF:
        raise Malformed(f"the zone {zone}", reading.line)
    if "commit" in words:
        if words["commit"] or "table" in words or reading.commit is not None:
            raise Unsupported(f"the action `{word}`", reading.line)
        reading.commit = zone
    elif "table" in words:
        reading.table, reading.track = _table(words["table"], word, reading.line), zone
        if reading.is_output:
            raise Unsupported(f"the action `{word}` after the packet went on", reading.line)
    else:
        raise Unsupported(f"the action `{word}`, after which nobody asks for the state", reading.line)


def _table(text: str, word: str, line: Line) -> int:
    found = number(text)
    if found is None:
        raise Unsupported(
            f"the action `{word}`", line, "list tables by their numbers: ovs-ofctl --no-names dump-flows"
        )
    if found > LAST_TABLE:
        raise Malformed(f"the table {found}", line)
    return found


def _clause(arguments: str, word: str, line: Line) -> Clause:
    number_text, _, place = arguments.partition(",")
    dimension_text, _, size_text = place.strip().partition("/")
    own, dimension, size = number(number_text), number(dimension_text), number(size_text)
    if own is None or dimension is None or size is None:
        raise Malformed(f"the action `{word}`", line)
    if not (1 <= dimension <= size and 2 <= size <= 64 and own <= 0xFFFF_FFFF):
        raise Malformed(f"the action `{word}`", line)
    if own == 0:
        raise Unsupported(f"the action `{word}`, of the number that packets have without it", line)
    return Clause(own, dimension, size)


def _parts(word: str) -> tuple[str, str, str]:
    """Name, arguments, and how they are given: `(`, `:` or not at all."""
    for index, letter in enumerate(word):
        if letter == "(" and word.endswith(")"):
            return word[:index], word[index + 1 : -1], "("
        if letter == ":":
            return word[:index], word[index + 1 :], ":"
    return word, "", ""


def _split(text: str, line: Line) -> list[str]:
    """The actions, which commas part; those in parentheses are of one action."""
    words: list[str] = []
    depth = start = 0
    for index, letter in enumerate(text):
        if letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
            if depth < 0:
                raise Malformed("`)` without `(`", line)
        elif letter == "," and depth == 0:
            words.append(text[start:index].strip())
            start = index + 1
    if depth:
        raise Malformed("`(` without `)`", line)
    words.append(text[start:].strip())
    return [] if words == [""] else words
