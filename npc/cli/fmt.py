"""`npc fmt`: policies of the language in their one form."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

import typer

from npc.cli.output import print_whole, write
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Format, InputError, has_errors
from npc.compiler.frontend.files import LANGUAGE_SUFFIX, SUFFIXES, sources
from npc.compiler.frontend.source import Origin, Source

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class _Formatted:
    """A source's text before and after."""

    source: Source
    before: str
    after: str

    @property
    def is_other(self) -> bool:
        return self.before != self.after


def command(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Files, directories (*.npc), or - for standard input."),
    ],
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; name the files that would change, and exit with 1."),
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Write nothing; show what would change, as a unified diff.")
    ] = False,
) -> None:
    """Format policies of the policy language, in place.

    There is one form, and no options of style. Comments are kept. A file with errors is reported
    and left alone.
    """
    found, faults = sources(paths, sys.stdin.buffer.read, (LANGUAGE_SUFFIX,))
    diagnostics = list(faults)
    results = list(_format_all(found, diagnostics))
    try:
        for one in results:
            if diff:
                print_whole("".join(_difference(one)))
            elif check:
                print_whole(f"{one.source.name}\n" if one.is_other else "")
            elif one.source.path is None:
                print_whole(one.after)
            elif one.is_other:
                write({one.source.path.name: one.after}, str(one.source.path))
                print_whole(f"formatted {one.source.name}\n")
    except InputError as error:
        diagnostics += error.diagnostics
    report(diagnostics, Format.TEXT, quiet=False)
    if has_errors(diagnostics) or (check and any(one.is_other for one in results)):
        raise typer.Exit(EXIT_INPUT)


def _format_all(files: Iterable[Source], diagnostics: list[Diagnostic]) -> Iterator[_Formatted]:
    """The files that can be read; what is wrong with the others is added to the diagnostics."""
    from npc.compiler.language.format import format_program  # other commands need not wait for them
    from npc.compiler.language.parser import parse

    for source in files:
        if (
            source.path is not None
            and source.path.suffix in SUFFIXES
            and source.path.suffix != LANGUAGE_SUFFIX
        ):
            message = f"{source.name} is not in the policy language"
            help = f"npc convert --to npc {source.name} prints it in the language"
            diagnostics.append(Diagnostic(codes.NO_INPUT, message, help=help))
            continue
        try:
            data = source.data()
            text = data.decode("utf-8-sig")
        except OSError as error:
            message = f"{source.name}: {error.strerror or error}"
            diagnostics.append(Diagnostic(codes.UNREADABLE, message))
            continue
        except UnicodeDecodeError as error:
            from npc.compiler.frontend.malformed import not_text  # not for `npc --help`

            diagnostics.append(not_text(Origin(source), error))
            continue
        parsed = parse(source, text)
        diagnostics += parsed.diagnostics
        if not has_errors(parsed.diagnostics):
            yield _Formatted(source, data.decode("utf-8"), format_program(parsed.program, text))


def _difference(one: _Formatted) -> Iterator[str]:
    before, after = _LINE.findall(one.before), _LINE.findall(one.after)
    for line in difflib.unified_diff(before, after, one.source.name, f"{one.source.name} (formatted)"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
