"""`npc targets`: what can be compiled for."""

from __future__ import annotations

import typer

from npc.backends.base import find_backend, target_names


def command() -> None:
    """List the installed targets and the files that each makes."""
    for name in target_names():
        backend = find_backend(name)
        typer.echo(f"{name:12} {backend.summary} ({', '.join(backend.templates)})")
