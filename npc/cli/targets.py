"""`npc targets`: what can be compiled for."""

from __future__ import annotations

import typer

from npc.backends.base import find_backend, target_names


def command() -> None:
    """List the installed targets, the files that each makes, and its own settings."""
    for name in target_names():
        backend = find_backend(name)
        typer.echo(f"{name:12} {backend.summary} ({', '.join(backend.templates)})")
        for setting, meaning in backend.settings.items():
            typer.echo(f"{'':12}   --set {setting}=...  {meaning}")
