"""`--today`: the day that rules with a last day are held against. Nothing else in npc reads the clock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

Today = Annotated[
    datetime | None,
    typer.Option(
        "--today",
        metavar="YYYY-MM-DD",
        formats=["%Y-%m-%d"],
        help="The day that `until` is held against. Default: today.",
    ),
]
"""The option."""


def day(given: datetime | None) -> date:
    """The day that was given, or else the one that it is here."""
    return date.today() if given is None else given.date()
