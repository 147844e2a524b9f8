"""`npc check`: everything that is wrong with the input, or odd about it, without compiling it."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from npc.cli.clock import Today, day
from npc.cli.configured import Config, Level, configured
from npc.cli.output import print_whole, write
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend.diagnostics import Format, InputError, has_errors, has_warnings

if TYPE_CHECKING:
    from npc.fixing import Fixed

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


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
    assertions: Annotated[
        list[str] | None,
        typer.Option(
            "--assert",
            metavar="FILE",
            help="Sentences that shall hold of the policies: see docs/assertions.md. Files among the paths "
            "that end in .assert.npc count too.",
        ),
    ] = None,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Mend in the files what can be mended without a change of meaning."),
    ] = False,
    diff: Annotated[
        bool,
        typer.Option("--diff", help="Write nothing; show what --fix would change, as a unified diff."),
    ] = False,
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
    from npc.checking import check_paths  # not for `npc --help`

    named = [*paths, *(inventory or ())]
    if (fix or diff) and "-" in named:
        raise typer.BadParameter(
            "not for standard input: name files", param_hint="--fix" if fix else "--diff"
        )
    try:
        settings = configured(config, level)
        if fix or diff:
            from npc.fixing import fix_paths  # seldom asked for

            changes = fix_paths(named, today=day(today), levels=settings.levels, exclude=settings.exclude)
            if diff:
                print_whole("".join(line for one in changes for line in _difference(one)))
                return
            for one in changes:
                write({one.path.name: one.after}, str(one.path))
                if format is Format.TEXT and not quiet:
                    print_whole(f"fixed {one.name}\n")
    except InputError as error:
        report(error.diagnostics, format, quiet=quiet, to=sys.stdout)
        raise typer.Exit(EXIT_INPUT) from None
    diagnostics = check_paths(
        named,
        assertions=assertions or (),
        today=day(today),
        levels=settings.levels,
        exclude=settings.exclude,
    )
    is_too_much = strict and has_warnings(diagnostics) and not has_errors(diagnostics)
    strictly = "the exit code is 1" if is_too_much else ""
    report(diagnostics, format, quiet=quiet, to=sys.stdout, strictly=strictly)
    if has_errors(diagnostics) or is_too_much:
        raise typer.Exit(EXIT_INPUT)


def _difference(one: Fixed) -> Iterator[str]:
    before, after = _LINE.findall(one.before), _LINE.findall(one.after)
    for line in difflib.unified_diff(before, after, one.name, f"{one.name} (fixed)"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
