"""A text that names several ends, taken apart at its commas."""

from __future__ import annotations

from collections.abc import Iterator

_OPENING, _CLOSING = "([", ")]"


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """The parts between the commas that stand in no brackets and no quotes, each with where it begins.

    >>> list(pieces("shop/web, pods(app in (a,b)) in ns/shop"))
    [(0, 'shop/web'), (10, 'pods(app in (a,b)) in ns/shop')]
    """
    depth, begin, quote = 0, 0, ""
    for at, one in enumerate(f"{text},"):
        if quote:
            quote = "" if one == quote else quote
        elif one in "\"'":
            quote = one
        elif one in _OPENING:
            depth += 1
        elif one in _CLOSING:
            depth -= 1
        if one == "," and (at == len(text) or (depth <= 0 and not quote)):
            part = text[begin:at]
            yield begin + len(part) - len(part.lstrip()), part.strip()
            begin = at + 1
