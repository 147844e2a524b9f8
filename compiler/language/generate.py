"""Makes the parser's tables of the grammar: `python -m npc.compiler.language.generate`.

lark reads `grammar/policy.lark`, builds the LALR(1) automaton of its contextual lexer, and refuses conflicts.
What comes of it is written beside this module, of policies to `table.json`, of assertions to
`assertions.json`, so that a run of npc needs neither the time to import lark nor the time to build an
automaton. A test keeps grammar and tables in step.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lark import Lark
from lark.lexer import PatternRE, PatternStr, TerminalDef
from lark.parsers.lalr_analysis import Shift

import npc.grammar
from npc.compiler.language.quoting import WORD
from npc.compiler.language.table import TABLES, Start, grammar_checksum

END = "$END"
_END_OF_WORD = f"(?!{WORD})"
_SKIPPED = ("SPACE", "COMMENT")
"""What the parser's own loop looks for, in every state."""


def load_grammar(start: Start = Start.POLICIES, *, strict: bool = False) -> Lark:
    """The grammar of one kind of text as lark's own parser.

    `strict` refuses words that could be two things in one place.
    """
    path = Path(npc.grammar.__file__).with_name("policy.lark")
    return Lark.open(
        str(path),
        parser="lalr",
        lexer="contextual",
        strict=strict,
        start=start.value,
        maybe_placeholders=False,
        edit_terminals=_end_with_the_word,
    )


def _end_with_the_word(terminal: TerminalDef) -> TerminalDef:
    """A keyword that is not the beginning of a longer word."""
    if isinstance(terminal.pattern, PatternStr) and terminal.pattern.value.isalpha():
        terminal.pattern = PatternRE(terminal.pattern.value + _END_OF_WORD, terminal.pattern.flags)
    return terminal


def _is_keyword(terminal: TerminalDef) -> bool:
    return bool(terminal.pattern.value == terminal.name.lower() + _END_OF_WORD)


def make_table(grammar: Lark) -> dict[str, Any]:
    """The automaton as `table.Table` reads it; states are numbered in the order in which they are reached."""
    frontend: Any = grammar.parser
    automaton = frontend.parser._parse_table
    lexers = frontend.lexer.lexers
    rules = sorted({_signature(rule) for rule in grammar.rules})
    numbers = {rule: index for index, rule in enumerate(rules)}
    order = _reached(automaton)
    places = {state: index for index, state in enumerate(order)}
    states = []
    for state in order:
        actions, gotos = {}, {}
        for symbol, (kind, target) in sorted(automaton.states[state].items()):
            if not _is_terminal(symbol):
                gotos[symbol] = places[target]
            elif kind is Shift:
                actions[symbol] = places[target]
            else:
                actions[symbol] = -1 - numbers[_signature(target)]
        scan = [one.name for one in lexers[state].terminals if one.name not in _SKIPPED]
        states.append({"scan": scan, "actions": actions, "gotos": gotos})
    return {
        "grammar": grammar_checksum(),
        "end": places[_only(automaton.end_states)],
        "keywords": [one.name for one in grammar.terminals if _is_keyword(one)],
        "terminals": {
            one.name: one.pattern.to_regexp()
            for one in sorted(grammar.terminals, key=lambda one: one.name)
            if one.name not in _SKIPPED
        },
        "rules": [[origin, list(symbols)] for origin, symbols in rules],
        "states": states,
    }


def _signature(rule: Any) -> tuple[str, tuple[str, ...]]:
    return str(rule.origin.name), tuple(str(one.name) for one in rule.expansion)


def _is_terminal(symbol: str) -> bool:
    return symbol == END or symbol.isupper()


def _only(states: dict[str, Any]) -> Any:
    """The state of the one kind of text that the automaton is for."""
    (state,) = states.values()
    return state


def _reached(automaton: Any) -> list[Any]:
    """All states, breadth first from the start."""
    order = [_only(automaton.start_states)]
    seen = set(order)
    for state in order:
        for _, (kind, target) in sorted(automaton.states[state].items()):
            if kind is Shift and target not in seen:
                seen.add(target)
                order.append(target)
    return order


def write_tables() -> None:
    """Write the tables of the grammar as it is now."""
    for start, path in TABLES.items():
        path.write_text(table_text(start), encoding="utf-8")


def table_text(start: Start = Start.POLICIES) -> str:
    """A table as it is written: a line for each rule and each state."""
    table = make_table(load_grammar(start))
    fields = []
    for name, value in table.items():
        match value:
            case list():
                text = "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
            case dict():
                lines = (f"{json.dumps(key)}: {json.dumps(one)}" for key, one in value.items())
                text = "{\n" + ",\n".join(lines) + "\n}"
            case _:
                text = json.dumps(value)
        fields.append(f"{json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


if __name__ == "__main__":
    write_tables()
