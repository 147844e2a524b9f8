"""`npc targets`: what can be compiled for."""

from __future__ import annotations

import typer

from npc.backends.base import Printer, find_target, target_names
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend.diagnostics import Diagnostic, Format, InputError


def command() -> None:
    """List the installed targets, the files that each makes, and its own settings."""
    faults: list[Diagnostic] = []
    for name in target_names():
        try:
            target = find_target(name)
        except InputError as error:
            faults += error.diagnostics
            continue
        if isinstance(target, Printer):
            typer.echo(f"{name:12} {target.summary} ({target.artifact})")
            continue
        typer.echo(f"{name:12} {target.summary} ({', '.join(target.templates)})")
        for setting, meaning in target.settings.items():
            typer.echo(f"{'':12}   --set {setting}=...  {meaning}")
    if faults:
        report(faults, Format.TEXT, quiet=False)
        raise typer.Exit(EXIT_INPUT)
