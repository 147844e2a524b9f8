"""`npc test`: golden tests of one's own policies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from npc.cli.configured import Config, configured
from npc.cli.output import write
from npc.cli.progress import progress_bar
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Format, InputError

if TYPE_CHECKING:
    from npc.testing import Outcome


def command(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", exists=True, file_okay=False, help="Cases, or folders with cases."),
    ],
    update: Annotated[
        bool, typer.Option("--update", help="Make what comes of the cases now what they expect.")
    ] = False,
    junit_file: Annotated[
        Path | None,
        typer.Option("--junit", metavar="FILE", dir_okay=False, help="Write the results as JUnit XML, too."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="Cases at a time. Default: one a processor."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only what failed, and no progress bar.")
    ] = False,
    config: Config = None,
) -> None:
    """Compile the cases in folders and compare with what they expect.

    What differs is shown, and whether its meaning differs. The exit code is 1 when a case failed.
    """
    from npc.testing import examine_all, find_cases, junit  # other commands need not wait for them

    cases = find_cases(map(str, folders))
    if not cases:
        _fail(f"there is no case in {', '.join(map(str, folders))}", "a case is a folder with a policy.yaml")
    try:
        levels = configured(config, None).levels
    except InputError as error:
        report(error.diagnostics, Format.TEXT, quiet=True)
        raise typer.Exit(EXIT_INPUT) from None
    with progress_bar(quiet=quiet) as progress:
        outcomes = list(examine_all(cases, jobs or os.cpu_count() or 1, progress, levels=levels))
    try:
        lines = [line for one in outcomes for line in (_update(one) if update else _lines(one))]
        updated = sum(bool(one.changes) for one in outcomes) if update else 0
        if update:
            outcomes = [replace(one, changes=(), meaning="") for one in outcomes]
        if junit_file is not None:
            write({junit_file.name: junit(outcomes)}, str(junit_file))
    except InputError as error:
        report(error.diagnostics, Format.TEXT, quiet=True)
        raise typer.Exit(EXIT_INPUT) from None
    failed = sum(not one.passed for one in outcomes)
    if not quiet:
        lines.append(_summary(len(outcomes) - failed, failed, updated))
    typer.echo("".join(f"{_printable(line)}\n" for line in lines), nl=False)
    if failed:
        raise typer.Exit(EXIT_INPUT)


def _lines(outcome: Outcome) -> Iterator[str]:
    """What is said of a case: nothing when it passed."""
    from npc.testing import details

    if not outcome.passed:
        yield f"FAIL {outcome.case.name}"
        yield from (f"  {line}".rstrip(" ") for line in details(outcome))


def _update(outcome: Outcome) -> Iterator[str]:
    """Bring a case's expectations up to date; what was done, and what that does not mend."""
    from npc.testing import accept

    if outcome.changes:
        try:
            done = accept(outcome)
        except OSError as error:
            message = f"cannot write {error.filename}: {error.strerror}"
            raise InputError([Diagnostic(codes.OUTPUT, message)]) from None
        yield f"updated {outcome.case.name}: {', '.join(done)}"
        yield f"  {outcome.meaning}"
    yield from _lines(replace(outcome, changes=(), meaning=""))


def _summary(passed: int, failed: int, updated: int) -> str:
    """`12 passed, 1 failed`."""
    words = [f"{passed:,} passed"]
    if failed:
        words.append(f"{failed:,} failed")
    if updated:
        words.append(f"{updated:,} updated")
    return ", ".join(words)


def _printable(line: str) -> str:
    """A line without control characters, so that no file can drive the terminal."""
    return "".join(one if one.isprintable() or one == "\t" else "\ufffd" for one in line)


def _fail(message: str, help: str) -> NoReturn:
    report([Diagnostic(codes.NO_INPUT, message, help=help)], Format.TEXT, quiet=False)
    raise typer.Exit(EXIT_INPUT)
