"""`npc convert`: policies from one notation into the other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from npc.cli.output import names_folder, print_whole, write
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Format, InputError, has_errors
from npc.compiler.frontend.files import LANGUAGE_SUFFIX, SUFFIXES, sources
from npc.compiler.language.notation import Notation

if TYPE_CHECKING:
    from npc.compiler.language.conversion import Converted

_SUFFIXES = {Notation.NPC: (LANGUAGE_SUFFIX,), Notation.YAML: (".yaml", ".yml")}
"""What names of files in a notation end in."""


def command(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Files, directories, or - for standard input."),
    ],
    to: Annotated[Notation, typer.Option("--to", help="npc: the policy language. yaml: Kubernetes objects.")],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A file, or a folder (one that exists, or PATH/): a file in it for each that is read. "
            "Default: standard output.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
) -> None:
    """Convert policies between YAML and the policy language.

    Nothing that a policy says is lost; what the other notation cannot say is an error. Comments are not
    kept. What is in the notation already is passed over, as are objects that are no policies.
    """
    from npc.compiler.language.conversion import convert, together  # other commands need not wait for it

    if output is not None and not names_folder(output):
        _check_suffix(output, to)
    found, faults = sources(paths, sys.stdin.buffer.read)
    try:
        if faults:
            raise InputError(faults)
        converted = convert(found, to)
        if has_errors(converted.diagnostics):
            raise InputError(converted.diagnostics)
        whole = together(converted.texts.values(), to)
        if output is not None and names_folder(output):
            _write_all(converted, to, output)
        elif output is not None and output != "-":
            write({Path(output).name: whole}, output)
    except InputError as error:
        report(error.diagnostics, Format.TEXT, quiet=quiet)
        raise typer.Exit(EXIT_INPUT) from None
    report(converted.diagnostics, Format.TEXT, quiet=quiet)
    if output in (None, "-"):
        print_whole(whole)


def _check_suffix(output: str, to: Notation) -> None:
    """Usage: no file whose name says that it is in another notation, for it would be read as such."""
    suffix = Path(output).suffix
    if suffix in SUFFIXES and suffix not in _SUFFIXES[to]:
        message = f"{output!r} would hold {to.value}: name it *{_SUFFIXES[to][0]}"
        raise typer.BadParameter(message, param_hint="--output")


def _write_all(converted: Converted, to: Notation, output: str) -> None:
    """Write a file for each source into a folder, named like the source."""
    texts: dict[str, str] = {}
    for source, text in converted.texts.items():
        name = f"{Path(source.name.strip('<>')).stem}.{to.value}"
        if name in texts:
            message = f"two files would be {Path(output, name)}"
            raise InputError([Diagnostic(codes.OUTPUT, message, help="convert them one by one")])
        texts[name] = text
    write(texts, output)
