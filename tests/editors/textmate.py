"""Colours a text by a TextMate grammar, as editors do: enough for grammars of `match`, `begin` and `end`.

The patterns of ours mean the same in Python's `re` and in Oniguruma. No `while`, no injections, no captures
with patterns of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Rule = Mapping[str, Any]
"""A pattern of the grammar as JSON has it."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """A TextMate grammar."""

    root: Rule = field(repr=False)

    @staticmethod
    def of(path: Path) -> Grammar:
        return Grammar(json.loads(path.read_text(encoding="utf-8")))

    def scopes(self, text: str) -> list[str]:
        """The innermost scope of each character; empty where none is."""
        found = [""] * len(text)
        stack: list[Rule] = [{"patterns": self.root["patterns"]}]
        start = 0
        for line in text.splitlines(keepends=True):
            position = 0
            while position <= len(line):
                hit = self._next(stack, line, position)
                if hit is None:
                    _paint(found, start + position, start + len(line), _inside(stack[-1]))
                    break
                match, rule, ends = hit
                _paint(found, start + position, start + match.start(), _inside(stack[-1]))
                _paint(found, start + match.start(), start + match.end(), rule.get("name", ""))
                captures = "endCaptures" if ends else "beginCaptures" if "begin" in rule else "captures"
                for number, capture in rule.get(captures, {}).items():
                    first, last = match.span(int(number))
                    _paint(found, start + first, start + last, capture["name"])
                if ends:
                    stack.pop()
                elif "begin" in rule:
                    stack.append(rule)
                position = match.end()
            start += len(line)
        return found

    def patterns(self, rule: Rule) -> Iterator[Rule]:
        """The patterns of a rule with those that it includes, in order."""
        for one in rule.get("patterns", ()):
            if "include" in one:
                included = self.root["repository"][one["include"].removeprefix("#")]
                if "match" in included or "begin" in included:
                    yield included
                else:
                    yield from self.patterns(included)
            else:
                yield one

    def _next(self, stack: list[Rule], line: str, position: int) -> tuple[re.Match[str], Rule, bool] | None:
        """The first match at or after a position: of the end that is waited for, or of a pattern."""
        choices: list[tuple[re.Match[str], Rule, bool]] = []
        if "end" in stack[-1] and (match := re.compile(stack[-1]["end"]).search(line, position)):
            choices.append((match, stack[-1], True))
        for rule in self.patterns(stack[-1]):
            if match := re.compile(rule.get("match") or rule["begin"]).search(line, position):
                choices.append((match, rule, False))
        return min(choices, key=lambda one: one[0].start(), default=None)


def _inside(rule: Rule) -> str:
    name: str = rule.get("name", "")
    return name


def _paint(found: list[str], first: int, last: int, scope: str) -> None:
    if scope:
        found[first:last] = [scope] * (last - first)
