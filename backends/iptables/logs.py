"""What the LOG target writes for rules that log (X2): the kernel limits how its lines may begin."""

from __future__ import annotations

from npc.backends.logged import check_logged
from npc.compiler.plan import LoggedRule, Plan

LONGEST_PREFIX = 29
"""Bytes: the kernel's 30 hold a final zero (linux/netfilter/xt_LOG.h)."""


def check_prefixes(plan: Plan) -> None:
    """InputError for each rule whose text the LOG target cannot take as the prefix of a line."""

    def fault(one: LoggedRule) -> str:
        why = _fault(one.prefix)
        return f"iptables cannot log with the prefix of the rule `{one.rule}`: {why}" if why else ""

    check_logged(plan, fault, f"at most {LONGEST_PREFIX - 1} bytes, without what cannot be printed")


def log_action(logged: LoggedRule) -> str:
    """The action that logs the packets of a rule, with its own text or else with its words."""
    text = _spaced(logged.prefix) or _from_words(logged.rule)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'-j LOG --log-prefix "{escaped}"'


def printable(text: str) -> str:
    """A text for one line of ASCII: whoever names a rule may have written anything."""
    return "".join(one if one.isprintable() and one.isascii() else "?" for one in text)


def _spaced(text: str) -> str:
    """With a blank between it and what the kernel writes after it."""
    return text if text.endswith(" ") or not text else f"{text} "


def _fault(prefix: str) -> str:
    """Why a prefix cannot be used; empty when it can."""
    if not prefix.isprintable():
        return "it has a character that cannot be printed"
    if (size := len(_spaced(prefix).encode())) > LONGEST_PREFIX:
        return f"it takes {size} bytes, with the blank after it"
    return ""


def _from_words(words: str) -> str:
    """A prefix that says which rule it was: its beginning and its end, where there is no room for all.

    >>> _from_words("deny guard-rails no-ssh"), _from_words("deny guard-rails no-ssh-from-anywhere")
    ('npc deny guard-rails no-ssh ', 'deny guard-ra..from-anywhere ')
    """
    text = printable(words)
    if len(text) + len("npc  ") <= LONGEST_PREFIX:
        return f"npc {text} "
    half = (LONGEST_PREFIX - len(".. ")) // 2
    return f"{text[:half]}..{text[-half:]} " if len(text) >= LONGEST_PREFIX else f"{text} "
