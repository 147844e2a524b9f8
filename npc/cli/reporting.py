"""Diagnostics to standard error, in the format that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from npc.cli.colours import is_coloured
from npc.compiler.frontend.codes import Severity
from npc.compiler.frontend.diagnostics import Diagnostic, Format

EXIT_INPUT = 1


def report(
    diagnostics: Iterable[Diagnostic],
    format: Format,
    *,
    quiet: bool,
    to: TextIO | None = None,
    strictly: str = "",
) -> None:
    """Write diagnostics; `quiet` leaves all but errors out of the text.

    `strictly` is what comes of warnings where they count as errors (`--strict`); then they are not left out.
    """
    from npc.compiler.frontend.render import render, summary  # not for `npc --help`

    stream = to or sys.stderr
    if stream is None:  # the process was started without one
        return
    listed = list(diagnostics)
    if quiet and format is Format.TEXT:
        least = (Severity.ERROR, Severity.WARNING) if strictly else (Severity.ERROR,)
        listed = [one for one in listed if one.severity in least]
    stream.write(render(listed, format, colour=is_coloured(stream)))
    if format is Format.TEXT and (counts := summary(listed)):
        stream.write(f"npc: {counts}{f'; with --strict {strictly}' if strictly else ''}\n")
