"""`npc targets`: what can be compiled for."""

from __future__ import annotations

import typer

from npc.backends.base import find_backend, target_names
from npc.cli.reporting import EXIT_INPUT, report
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.render import Format


def command() -> None:
    """List the installed targets, the files that each makes, and its own settings."""
    faults: list[Diagnostic] = []
    for name in target_names():
        try:
            backend = find_backend(name)
        except InputError as error:
            faults += error.diagnostics
            continue
        typer.echo(f"{name:12} {backend.summary} ({', '.join(backend.templates)})")
        for setting, meaning in backend.settings.items():
            typer.echo(f"{'':12}   --set {setting}=...  {meaning}")
    if faults:
        report(faults, Format.TEXT, quiet=False)
        raise typer.Exit(EXIT_INPUT)
