"""The command `npc`. Exit codes: 0 fine, 1 errors in the input, 2 usage, 70 a bug in npc.

3 where `npc diff --exit-code` finds a difference, and `npc verify` no proof.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from npc.cli import check, compile, convert, diff, fmt, lsp, query, reach, targets, test, verify
from npc.verifying import NotProven

EXIT_BUG = 70
_BUG = "  This is a bug in npc, not in your input; please report it with the input that led to it"

app = typer.Typer(
    name="npc",
    help="Compile network policies into rules for a real dataplane.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _Command(TyperCommand):
    """A command with the usage `npc check [OPTIONS] PATH...`, as the manual has it: typer has {PATH...}."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


def _add(name: str, command: Callable[..., None]) -> None:
    """Add a command; its help is its docstring, unbroken: typer knows how wide the terminal is."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    help = "\n\n".join(" ".join(one.split()) for one in paragraphs)
    app.command(name, cls=_Command, help=help)(command)


_add("compile", compile.command)
_add("check", check.command)
_add("query", query.command)
_add("reach", reach.command)
_add("convert", convert.command)
_add("fmt", fmt.command)
_add("test", test.command)
_add("verify", verify.command)
_add("diff", diff.command)
_add("targets", targets.command)
_add("lsp", lsp.command)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"npc {version('npc-compiler')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit."),
    ] = None,
) -> None:
    pass


def main() -> None:
    """Run the command line; never a traceback."""
    try:
        app()
    except NotProven as error:
        print(f"npc: internal error: {error}\n{_BUG}; nothing was written.", file=sys.stderr)
        sys.exit(EXIT_BUG)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        print(
            f"npc: internal error: {type(error).__name__}: {error}\n"
            f"  at {Path(where.filename).name}:{where.lineno} in {where.name}\n"
            f"{_BUG}.",
            file=sys.stderr,
        )
        sys.exit(EXIT_BUG)
