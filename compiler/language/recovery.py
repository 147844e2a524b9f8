"""Where reading goes on after a mistake: at the next statement or a brace of the policy, or the next item."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from npc.compiler.frontend.diagnostics import nearest
from npc.compiler.language.quoting import WORD

_TOKEN = re.compile(
    rf"""\s*(?:(?P<comment>\#[^\r\n]*)|(?P<string>"(?:[^"\\\r\n]|\\.)*"?)|(?P<word>{WORD}+)|(?P<end>\Z)|(?P<sign>.))""",
    re.DOTALL,
)
_ITEM = re.compile(
    rf"""(?:policy\s+{WORD}++(?!\s*\()|cluster\s+policy\s|(?:set|service)\s+@?{WORD}++(?!\s*\()|include\s*["'<\w])"""
)
"""How an item begins, and hardly anything else that begins a line."""
_ITEM_KEYWORDS = frozenset(("policy", "cluster", "set", "service", "include"))
_OF_POLICIES = frozenset(("policy", "cluster"))
_STATEMENT_KEYWORDS = frozenset(("allow", "deny", "pass", "isolate"))
_MEANT_AS_STATEMENT = frozenset(("accept", "permit", "drop", "reject", "block"))
"""How statements begin in other languages."""


@dataclass(frozen=True, slots=True)
class Landing:
    """A place to go on at, and what stands there."""

    position: int
    terminal: str
    """Empty for an item, or the end of the text."""
    comments: tuple[tuple[int, int], ...]
    """The comments that were passed over."""

    @property
    def is_item(self) -> bool:
        return not self.terminal


def word_at(text: str, position: int) -> tuple[int, int]:
    """The word, the string or the sign that comes next; nothing at the end of the text."""
    match = _TOKEN.match(text, position)
    assert match is not None, "any character is a sign"
    return match.span(match.lastgroup or 0)


class Region(Enum):
    """Where a mistake is."""

    HEAD = "before the braces of a policy"
    BODY = "inside the braces of a policy"
    OUTSIDE = "elsewhere"
    ASSERTIONS = "in a file of assertions"


_BEGINNINGS = {Region.BODY: _STATEMENT_KEYWORDS, Region.ASSERTIONS: frozenset(("allow", "deny"))}
"""The keywords that sentences begin with."""


def find_landing(text: str, mistake: int, region: Region) -> Landing:
    """Where to go on after a mistake at a place.

    A statement begins with its keyword, outside brackets or at the beginning of a line, and not where a name
    is; an item with its keyword and what belongs behind it, at the beginning of a line or behind a `}`.
    A `}` that closes a `{` behind the mistake is not that of the policy.
    """
    position = mistake
    depth = braces = 0
    before = ""
    comments: list[tuple[int, int]] = []
    while True:
        match = _TOKEN.match(text, position)
        assert match is not None, "any character is a sign"
        kind = match.lastgroup or ""
        start, position = match.span(kind)
        found = match[kind]
        match kind:
            case "end":
                return Landing(start, "", tuple(comments))
            case "comment":
                comments.append((start, position))
                continue
            case "word" if found in _items(region) and _ITEM.match(text, start):
                if before == "}" or _begins_line(text, start):
                    return Landing(start, "", tuple(comments))
            case "word" if found in _BEGINNINGS.get(region, ()):
                if (depth == 0 or _begins_line(text, start)) and before not in ("as", ",", "("):
                    return Landing(start, found.upper(), tuple(comments))
            case "word" if region in _BEGINNINGS and start > mistake and _is_another(text, start, found):
                return Landing(start, "ALLOW", tuple(comments))
            case "sign" if region is Region.BODY and found == "{":
                braces += 1
            case "sign" if region is Region.BODY and found == "}" and braces:
                braces -= 1
            case "sign" if region is Region.BODY and found == "}":
                return Landing(start, "RBRACE", tuple(comments))
            case "sign" if region is Region.HEAD and found == "{":
                return Landing(start, "LBRACE", tuple(comments))
            case "sign" if found in "()":
                depth = max(0, depth + (1 if found == "(" else -1))
            case _:
                pass
        before = found


def _items(region: Region) -> frozenset[str]:
    """The keywords that items begin with."""
    return _ITEM_KEYWORDS - _OF_POLICIES if region is Region.ASSERTIONS else _ITEM_KEYWORDS


def _is_another(text: str, start: int, found: str) -> bool:
    """Whether a word is another mistake: meant as the beginning of a statement, and none."""
    if not _begins_line(text, start):
        return False
    return found in _MEANT_AS_STATEMENT or nearest(found, _STATEMENT_KEYWORDS, cutoff=0.75) is not None


def _begins_line(text: str, start: int) -> bool:
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    return start == 0 or text[start - 1] in "\r\n"
