"""`npc diff`: what two sets of policies, or two inventories, let pass differently."""

from __future__ import annotations

import sys
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from npc.backends.base import OwnNode
from npc.cli.clock import Today, day
from npc.cli.colours import is_coloured, painter
from npc.cli.configured import Config, configured
from npc.cli.output import print_whole, write
from npc.cli.readings import Assumption, OwnNodeOption, reading_of
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend.diagnostics import Format, InputError

if TYPE_CHECKING:
    from npc.compiler.ask.assumptions import Reading
    from npc.diff.listing import Listing

EXIT_DIFFERS = 3

_SIDE = "A file, a directory, or git:REV:PATH, as a revision of this repository has it."
_COLOURS = {"added": "\033[32m", "removed": "\033[31m", "changed": "\033[33m", "dim": "\033[2m"}


class Output(StrEnum):
    """How differences are written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def command(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_SIDE)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="As OLD.")],
    inventory: Annotated[
        list[str] | None,
        typer.Option(
            "--inventory",
            "-i",
            metavar="PATH",
            help="Pods, namespaces, nodes and services of both sides; "
            "they may stand among the policies instead.",
        ),
    ] = None,
    old_inventory: Annotated[
        list[str] | None, typer.Option("--old-inventory", metavar="PATH", help="Those of OLD alone.")
    ] = None,
    new_inventory: Annotated[
        list[str] | None, typer.Option("--new-inventory", metavar="PATH", help="Those of NEW alone.")
    ] = None,
    exit_code: Annotated[
        bool,
        typer.Option("--exit-code", help=f"The exit code is {EXIT_DIFFERS} where something differs."),
    ] = False,
    assume: Annotated[
        list[Assumption] | None,
        typer.Option(
            "--assume", help="Compare as tools do that read policies so; may be given more than once."
        ),
    ] = None,
    own_node: OwnNodeOption = OwnNode.ALWAYS,
    format: Annotated[Output, typer.Option("--format", help="How differences are written.")] = Output.TEXT,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Written whole or not at all. Default: standard output."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No warnings and notes.")] = False,
    config: Config = None,
    today: Today = None,
) -> None:
    """Tell which connections two sets of policies, or two inventories, allow differently, and by which rules.

    The difference is one of meaning: order, names and notation make none.
    """
    reading = reading_of(assume, own_node)
    sides = ([old, *(old_inventory or ())], [new, *(new_inventory or ())], inventory or [])
    if sum(side.count("-") for side in sides) > 1:
        raise typer.BadParameter("standard input can be read once", param_hint="-")
    try:
        listing = _listing(*sides, reading, config, day(today), quiet=quiet)
        from npc.diff.formats import Notation
        from npc.diff.formats import write as written

        wanted = output in (None, "-") and format is Output.TEXT and is_coloured(sys.stdout)
        text = written(listing, Notation(format.value), painter(_COLOURS, wanted=wanted))
        if output not in (None, "-"):
            write({"difference": text}, output)
    except InputError as error:
        report(error.diagnostics, Format.TEXT, quiet=quiet)
        raise typer.Exit(EXIT_INPUT) from None
    if output in (None, "-"):
        print_whole(text)
    if exit_code and not listing.is_empty:
        raise typer.Exit(EXIT_DIFFERS)


def _listing(
    old: list[str],
    new: list[str],
    both: list[str],
    reading: Reading,
    config: Config,
    today: date,
    *,
    quiet: bool,
) -> Listing:
    from npc.diff.listing import Listing
    from npc.diff.loading import Sides, compare, sources_of
    from npc.models import standard_input

    settings = configured(config, None)
    sides = Sides(*(sources_of(one, standard_input, settings.exclude) for one in (old, new, both)))
    comparison, found = compare(sides, reading=reading, today=today, levels=settings.levels)
    if not quiet:
        report(found, Format.TEXT, quiet=False)
    return Listing.of(comparison)
