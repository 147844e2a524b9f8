"""`npc diff`: what two sets of policies, or two inventories, let pass differently."""

from __future__ import annotations

import os
import sys
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from npc.backends.base import OwnNode
from npc.cli.clock import Today, day
from npc.cli.configured import Config, configured
from npc.cli.output import print_whole, write
from npc.cli.query import Assumption
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
    own_node: Annotated[
        OwnNode, typer.Option("--own-node", help="Whether policies rule traffic of pods with their own node.")
    ] = OwnNode.ALWAYS,
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
    from npc.compiler.ask.assumptions import Reading

    assumed = set(assume or ())
    reading = Reading(
        host_network_is_endpoint=Assumption.HOST_NETWORK in assumed,
        blocks_are_external=Assumption.BLOCKS in assumed,
        own_node_is_policed=own_node is OwnNode.POLICED,
    )
    sides = ([old, *(old_inventory or ())], [new, *(new_inventory or ())], inventory or [])
    if sum(side.count("-") for side in sides) > 1:
        raise typer.BadParameter("standard input can be read once", param_hint="-")
    try:
        listing = _listing(*sides, reading, config, day(today), quiet=quiet)
        from npc.diff.formats import Notation
        from npc.diff.formats import write as written

        is_coloured = output in (None, "-") and format is Output.TEXT and _is_coloured()
        text = written(listing, Notation(format.value), _paint if is_coloured else _plain)
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

    settings = configured(config, None)
    data = sys.stdin.buffer.read
    sides = Sides(*(sources_of(one, data, settings.exclude) for one in (old, new, both)))
    comparison, found = compare(sides, reading=reading, today=today, levels=settings.levels)
    if not quiet:
        report(found, Format.TEXT, quiet=False)
    return Listing.of(comparison)


def _is_coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _paint(text: str, colour: str) -> str:
    return f"{_COLOURS[colour]}{text}\033[0m"


def _plain(text: str, _colour: str) -> str:
    return text
