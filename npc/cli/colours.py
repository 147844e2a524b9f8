"""Colours, where they are wanted: on a terminal that has them, unless NO_COLOR says otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TextIO

Paint = Callable[[str, str], str]
"""Text in a colour, by the colour's name."""


def is_coloured(stream: TextIO) -> bool:
    """Whether what is written to a stream may have colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painter(colours: Mapping[str, str], *, wanted: bool) -> Paint:
    """Paints by the escape sequences of colours; where they are not `wanted`, leaves text as it is."""
    return lambda text, colour: f"{colours[colour]}{text}\033[0m" if wanted else text
