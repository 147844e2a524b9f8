"""`--config` and `--level`: what the configuration says, and what the command line says instead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from npc.configuration import Configuration

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        dir_okay=False,
        help="The configuration. Default: npc.toml, or \\[tool.npc] in pyproject.toml, here or further up.",
    ),
]
Level = Annotated[
    list[str] | None,
    typer.Option(
        "--level",
        metavar="CODE=LEVEL",
        help="What findings of a code count as: 0, note, warn or error. Before the configuration.",
    ),
]


def configured(file: Path | None, levels: list[str] | None) -> Configuration:
    """What the two options come to; InputError when it cannot be used."""
    from npc.configuration import configuration  # not for `npc --help`

    return configuration(file).with_levels(levels or [])
