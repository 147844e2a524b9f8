"""Which notation a text is in, where no file name tells it: by how it begins."""

from __future__ import annotations

import re
from typing import Final

from npc.compiler.frontend.diagnostics import nearest

_BEGIN: Final = rb"(?:\xef\xbb\xbf)?(?:\s|#[^\r\n]*+)*+"
"""What may come before the first word."""
_KEYWORD: Final = re.compile(_BEGIN + rb"(?:policy|cluster|set|service|include)(?=[\s\"])(?!\s*:)")
_LINE: Final = re.compile(
    _BEGIN + rb"(?P<word>[A-Za-z][A-Za-z-]*)[ \t]+(?!:)(?:(?!:[ \t\r\n]|:\Z)[^\r\n({\"])+(?:[\r\n({\"]|\Z)"
)
"""A first line of several words that is no mapping of YAML."""
_MEANT: Final = (
    *("policy", "cluster", "set", "service", "include", "clusterpolicy", "networkpolicy"),
    *("allow", "deny", "isolate"),
)
"""What a text was meant to begin with in the policy language, which tells best what is wrong with it."""
_QUALIFIERS: Final = re.compile(_BEGIN + rb"(?:baseline|admin|network)[ \t]+policy\s", re.IGNORECASE)
_EMPTY: Final = re.compile(_BEGIN + rb"\Z")


def begins_like_the_language(data: bytes) -> bool:
    """Whether a text begins with a keyword of the policy language, as no manifest does, or has nothing in it.

    >>> begins_like_the_language(b"policy web for pods { }"), begins_like_the_language(b"policy: web")
    (True, False)
    """
    return _KEYWORD.match(data) is not None or _EMPTY.match(data) is not None


def is_meant_as_the_language(data: bytes) -> bool:
    """Whether a text is in npc's own language, or was meant to be: its first word may be mistyped.

    >>> is_meant_as_the_language(b"polcy web for pods { }"), is_meant_as_the_language(b"polcy web: pods")
    (True, False)
    """
    if _KEYWORD.match(data) is not None or _QUALIFIERS.match(data) is not None:
        return True
    line = _LINE.match(data)
    return line is not None and nearest(line["word"].decode("ascii"), _MEANT, cutoff=0.75) is not None
