"""`--today`: the day that rules with a last day are held against; and how long a proof took.

Nothing else in npc reads the clock, but for the language server.
"""

from __future__ import annotations

from datetime import date, datetime
from time import perf_counter
from typing import Annotated

import typer


def _read(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        message = f"{text!r} is no day: write YYYY-MM-DD, like 2027-01-31"
        raise typer.BadParameter(message) from None


Today = Annotated[
    date | None,
    typer.Option(
        "--today",
        metavar="YYYY-MM-DD",
        parser=_read,
        help="The day that `until` is held against. Default: today.",
    ),
]
"""The option."""


def day(given: date | None) -> date:
    """The day that was given, or else the one that it is here."""
    return date.today() if given is None else given


class Stopwatch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._start = perf_counter()

    @property
    def seconds(self) -> float:
        """Since then."""
        return perf_counter() - self._start
