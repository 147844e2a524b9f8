"""From text to tree: one pass over the words with the automaton of `table`, which goes on after mistakes.

After a mistake inside a policy, reading goes on at its next statement; elsewhere, at the next item. So one
run finds the mistakes of all statements, and the tree has all that could be read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.language.building import WORDS, Builder, Fault
from npc.compiler.language.mistakes import Known, Mistake, explain
from npc.compiler.language.quoting import WORD
from npc.compiler.language.recovery import Landing, Region, find_landing, word_at
from npc.compiler.language.table import COMMENT, Start, Table, load_table
from npc.compiler.language.tree import (
    Comment,
    Item,
    Pods,
    PolicyBlock,
    Program,
    ServiceDefinition,
    SetDefinition,
    Text,
)

_DEFINITION = re.compile(rf"(?:set|service)\s+@?({WORD}+?):?(?!{WORD})")
_LOST_DEFINITION = re.compile(rf"^[ \t]*{WORD}++[ \t]+@?({WORD}++)(?:(?<=:)|[ \t]*[=:])", re.MULTILINE)
"""`st a = ...`: most likely a definition, whatever its keyword was meant to be."""
_LOST_INCLUDE = re.compile(
    rf"""^[ \t]*(?:inc|icn|inl|import){WORD}*+[ \t]+["'<\w]|^[ \t]*{WORD}++[ \t]*["'<][^"'<>\r\n]*\.npc""",
    re.MULTILINE | re.IGNORECASE,
)
"""`inclde "x.npc"`, `include x.npc`."""
_HEAD = re.compile(r"(?:cluster\s+)?policy\s")
_BRACES_FOR_BRACKETS = re.compile(r"\{[^{}\"#]*\}\s*\{")
"""`{app=web} {`: labels of the subject in braces, and those of the policy."""
_UNREADABLE = ""
"""The name of a policy whose head could not be read."""
_NO_WORD = "'"
"""What no word of the language begins with."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What could be read of a text, and what is wrong with the rest."""

    program: Program
    diagnostics: tuple[Diagnostic, ...] = ()
    unread: frozenset[str] = frozenset()
    """The names of sets and services whose definitions are among what could not be read."""
    mistakes: tuple[int, ...] = ()
    """Where the mistakes are behind which something was not read."""
    is_complete: bool = True
    """Whether no include is among what could not be read."""


def parse(source: Source, text: str, start: Start | None = None) -> Parsed:
    """The tree of a text, which has what could be read; never raises.

    What it is made of, its name tells where `start` does not.

    >>> parsed = parse(Source("x.npc"), "set offices = 192.0.2.0/24, fd00::/64  # both of them")
    >>> [str(peer.cidr) for peer in parsed.program.items[0].peers], parsed.program.comments
    (['192.0.2.0/24', 'fd00::/64'], (Comment(text='# both of them'),))
    """
    run = _Run(text, start or Start.of(source.name))
    items = run.go()
    known = _known(items) if run.mistakes else Known()
    found = [explain(source, text, one, known) for one in run.mistakes]
    found += [_of_fault(source, one) for one in run.builder.faults]
    places = tuple(one.start for one in run.mistakes)
    program = Program(items, tuple(run.comments))
    return Parsed(program, tuple(found), frozenset(run.unread), places, not run.lost_include)


def expected(text: str, start: Start = Start.POLICIES) -> frozenset[str]:
    """The terminals of the grammar, by name, that can follow a text; none behind a mistake.

    >>> sorted(expected("policy web in shop "))
    ['ANNOTATIONS', 'FOR', 'LABELS']
    """
    run = _Run(f"{text} {_NO_WORD}", start)
    run.go()
    return next((one.accepted for one in run.mistakes if one.start == len(text) + 1), frozenset())


def _of_fault(source: Source, fault: Fault) -> Diagnostic:
    related: tuple[Related, ...] = ()
    if fault.first is not None:
        related = (Related(Origin(source, within=fault.first), "first here"),)
    origin = Origin(source, within=(fault.start, fault.end))
    return Diagnostic(codes.SENTENCE, fault.message, origin, help=fault.help, related=related)


def _known(items: Sequence[Item]) -> Known:
    """The names that items define."""
    sets = frozenset(one.name.text for one in items if isinstance(one, SetDefinition))
    return Known(sets, frozenset(one.name.text for one in items if isinstance(one, ServiceDefinition)))


def _is_unreadable(item: Item) -> bool:
    return isinstance(item, PolicyBlock) and item.name.text == _UNREADABLE


@dataclass(slots=True)
class _Run:
    """One text on its way through the automaton."""

    text: str
    kind: Start
    table: Table = field(init=False)
    builder: Builder = field(default_factory=Builder)
    comments: list[Comment] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    lost_include: bool = False
    """Whether an include is among what could not be read."""
    states: list[int] = field(default_factory=lambda: [0])
    values: list[Any] = field(default_factory=list)
    """What each state but the first was reached with; None for words that say nothing."""
    starts: list[int] = field(default_factory=list)
    """Where each of them begins."""

    def __post_init__(self) -> None:
        self.table = load_table(self.kind)

    def go(self) -> tuple[Item, ...]:
        """Read all of the text: word by word, in one loop on local names, for texts may have megabytes."""
        text, builder, states, values, starts = self.text, self.builder, self.states, self.values, self.starts
        table = self.table
        actions, gotos, always, groups = table.actions, table.gotos, table.always, table.groups
        scanners, rules = table.scanners, table.rules
        builds = [None if one.is_list or one.is_same else getattr(builder, one.origin) for one in rules]
        start = position = last = end = 0
        terminal = ""
        state = 0
        while True:
            number = always[state]
            if number is None:
                if not terminal:
                    match = scanners[state](text, position)
                    if match is None:
                        start, position = word_at(text, position)
                        state, position = self._recover(start, position, (last, end))
                        continue
                    group = match.lastindex or 0
                    terminal = groups[state][group]
                    start, position = match.span(group)
                    if terminal == COMMENT:
                        self.comments.append(Comment(match[group], start, position))
                        terminal = ""
                        continue
                action = actions[state].get(terminal)
                if action is None:
                    terminal = ""
                    state, position = self._recover(start, position, (last, end))
                    continue
                if action >= 0:
                    word = WORDS.get(terminal)
                    said = None if word is None else word(builder, text[start:position], start, position)
                    values.append(said)
                    starts.append(start)
                    states.append(action)
                    state, last, end, terminal = action, start, position, ""
                    continue
                number = -1 - action
            rule = rules[number]
            if rule.is_same:
                states.pop()
            else:
                length = rule.length
                base = len(values) - length
                parts: list[Any] = []
                for offset, is_list in rule.parts:
                    if not is_list:
                        parts.append(values[base + offset])
                    elif parts:
                        parts += values[base + offset]
                    else:
                        parts = values[base + offset]
                begins = starts[base] if length else end
                if length:
                    del states[-length:], values[base:], starts[base:]
                build = builds[number]
                values.append(parts if build is None else build(parts, begins, end))
                starts.append(begins)
            state = gotos[states[-1]][rule.origin]
            states.append(state)
            if state == table.end:
                return tuple(one for one in values[-1] if not _is_unreadable(one))

    def _recover(self, start: int, end: int, before: tuple[int, int]) -> tuple[int, int]:
        """Put down that the word from `start` to `end` cannot be, and go on behind it as soon as can be.

        `before` is where the word before it begins and ends. Gives the state and the place to go on with.
        """
        opened = next((one for one in reversed(self.starts) if self.text[one] in "{("), None)
        top = self._last("SET")
        item = self.starts[top] if top < len(self.starts) else start
        self.mistakes.append(Mistake(start, end, self._accepted(), before, opened))
        region = Region.OUTSIDE
        if self.kind is Start.ASSERTIONS:
            region = Region.ASSERTIONS
        elif self._last("ALLOW") >= 0:
            region = Region.BODY
        elif _HEAD.match(self.text, item):
            region = Region.HEAD
        if region is Region.BODY and (match := _BRACES_FOR_BRACKETS.match(self.text, before[0])):
            landing = Landing(match.end() - 1, "LBRACE", ())
        else:
            landing = find_landing(self.text, start, region)
        self.comments += [Comment(self.text[slice(*one)], *one) for one in landing.comments]
        if landing.terminal == "LBRACE":
            self._drop(top)
            self._enter_body(item, landing.position)
            return self.states[-1], landing.position + 1
        kept = top if landing.is_item else self._last(landing.terminal)
        if kept <= top and (match := _DEFINITION.match(self.text, item)):
            self.unread.add(match[1])
        if kept <= top and region in (Region.OUTSIDE, Region.ASSERTIONS):
            lost = self.text[item : landing.position]
            self.unread.update(match[1].rstrip(":") for match in _LOST_DEFINITION.finditer(lost))
            self.lost_include = self.lost_include or _LOST_INCLUDE.search(lost) is not None
        self._drop(kept)
        return self.states[-1], landing.position

    def _drop(self, kept: int) -> None:
        """Forget all behind a state."""
        del self.states[kept + 1 :], self.values[kept:], self.starts[kept:]

    def _enter_body(self, item: int, brace: int) -> None:
        """Go on behind the `{` of a policy as if all before it had been read."""
        actions, gotos = self.table.actions, self.table.gotos
        name, subject = Text(_UNREADABLE, item, item), Pods((), None, item, item)
        for symbol, value in (("POLICY", None), ("NAME", name), ("FOR", None), ("pods", subject)):
            symbols = gotos if symbol.islower() else actions
            self.states.append(symbols[self.states[-1]][symbol])
            self.values.append(value)
            self.starts.append(item)
        self.states.append(actions[self.states[-1]]["LBRACE"])
        self.values.append(None)
        self.starts.append(brace)

    def _last(self, terminal: str) -> int:
        """Of the states, the last that goes on with a terminal at once; -1 when there is none."""
        actions, states = self.table.actions, self.states
        found = (at for at in reversed(range(len(states))) if actions[states[at]].get(terminal, -1) >= 0)
        return next(found, -1)

    def _accepted(self) -> frozenset[str]:
        """The terminals that can come next."""
        return frozenset(one for one in self.table.actions[self.states[-1]] if self._accepts(one))

    def _accepts(self, terminal: str) -> bool:
        """Whether a terminal can come next: an automaton may find out some rules later that it cannot."""
        table, states = self.table, list(self.states)
        while (action := table.actions[states[-1]].get(terminal)) is not None:
            if action >= 0:
                return True
            rule = table.rules[-1 - action]
            del states[len(states) - rule.length :]
            states.append(table.gotos[states[-1]][rule.origin])
            if states[-1] == table.end:
                return True
        return False
