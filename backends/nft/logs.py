"""What nft's `log` statement writes: of denied packets, and of those that rules log (X2)."""

from __future__ import annotations

from npc.backends.base import Options
from npc.backends.logged import check_logged
from npc.backends.nft.ruleset import Rule
from npc.compiler.plan import LoggedRule, Plan

LONGEST_PREFIX = 127
"""Bytes: the kernel's 128 (NF_LOG_PREFIXLEN) hold a final zero."""


def check_prefixes(plan: Plan) -> None:
    """InputError for each rule whose text nft cannot take as the prefix of a log line."""

    def fault(one: LoggedRule) -> str:
        why = _fault(one.prefix)
        return f"nft cannot log with the prefix of the rule `{one.rule}`: {why}" if why else ""

    check_logged(
        plan, fault, f"at most {LONGEST_PREFIX - 1} bytes, without '\"', '$' and what cannot be printed"
    )


def log_statement(logged: LoggedRule) -> str:
    """The statement that logs the packets of a rule: with its own text, or else with its words."""
    return f'log prefix "{_spaced(logged.prefix) or _from_words(logged.rule)}"'


def denied(words: str, options: Options) -> tuple[Rule, ...]:
    """The end of a chain: what comes here is denied, and logged first where that is asked for."""
    end = Rule((), "goto deny")
    if not options.log_denied:
        return (end,)
    return Rule((), f'limit rate 10/second burst 20 packets log prefix "npc {words} "'), end


def _spaced(text: str) -> str:
    """With a blank between it and what the kernel writes after it."""
    return text if text.endswith(" ") or not text else f"{text} "


def _fault(prefix: str) -> str:
    """Why a prefix cannot be used; empty when it can.

    nft's strings end at the first quote, escaped or not, and `$` begins the name of a variable.
    """
    if unusable := next(filter(_is_unusable, prefix), ""):
        return f"it has the character {unusable!r}"
    if (size := len(_spaced(prefix).encode())) > LONGEST_PREFIX:
        return f"it takes {size} bytes, with the blank after it"
    return ""


def _is_unusable(character: str) -> bool:
    return character in '"$' or not character.isprintable()


def _from_words(words: str) -> str:
    """A prefix that says which rule it was, as far as there is room."""
    usable = "".join("_" if _is_unusable(one) else one for one in f"npc {words}")
    room = LONGEST_PREFIX - 1
    if len(usable.encode()) > room:
        usable = usable.encode()[: room - 3].decode(errors="ignore") + "..."
    return f"{usable} "
