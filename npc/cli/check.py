"""`npc check`: everything that is wrong with the input, or odd about it, without compiling it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from npc.cli.clock import Today, day
from npc.cli.configured import Config, Level, configured
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend.diagnostics import Format, InputError, has_errors, has_warnings


def command(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Files, directories, or - for standard input."),
    ],
    inventory: Annotated[
        list[str] | None,
        typer.Option(
            "--inventory", "-i", metavar="PATH", help="As if it were a PATH; for lints that need one."
        ),
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="How findings are written.")] = Format.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="The exit code is 1 for a warning too.")] = False,
    config: Config = None,
    level: Level = None,
    today: Today = None,
) -> None:
    """Validate policies and inventories as the API server would, and say what is odd about them.

    Findings go to standard output; the exit code is 1 when one is an error.
    """
    from npc.api import check_paths  # not for `npc --help`

    try:
        settings = configured(config, level)
    except InputError as error:
        report(error.diagnostics, format, quiet=quiet, to=sys.stdout)
        raise typer.Exit(EXIT_INPUT) from None
    diagnostics = check_paths(
        [*paths, *(inventory or ())], today=day(today), levels=settings.levels, exclude=settings.exclude
    )
    is_too_much = strict and has_warnings(diagnostics) and not has_errors(diagnostics)
    strictly = "the exit code is 1" if is_too_much else ""
    report(diagnostics, format, quiet=quiet, to=sys.stdout, strictly=strictly)
    if has_errors(diagnostics) or is_too_much:
        raise typer.Exit(EXIT_INPUT)
