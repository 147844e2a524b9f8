"""`--today`: the day that rules with a last day are held against.

Nothing else in npc reads the clock, but for the language server.
"""

from __future__ import annotations

from datetime import date, datetime
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
