"""Numbers as ovs-ofctl writes them."""

from __future__ import annotations

import re

_DECIMAL, _HEXADECIMAL = re.compile(r"0|[1-9][0-9]{0,19}"), re.compile(r"0[xX][0-9a-fA-F]{1,16}")


def number(text: str) -> int | None:
    """A decimal or hexadecimal number; None when it is neither.

    With a leading zero it is none: ovs-ofctl takes it for octal in some places, and refuses it in others.

    >>> number("0x50"), number("80"), number("080")
    (80, 80, None)
    """
    if _DECIMAL.fullmatch(text):
        return int(text)
    return int(text, 16) if _HEXADECIMAL.fullmatch(text) else None
