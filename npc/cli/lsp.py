"""`npc lsp`: the language server, for editors."""

from __future__ import annotations

import sys

import typer

EXIT_USAGE = 2

_NEEDED = frozenset({"pygls", "lsprotocol", "cattrs"})
"""What the optional extra brings."""


def command() -> None:
    """Serve an editor: the Language Server Protocol on standard input and output.

    docs/editors.md says how editors are told of it.
    """
    try:
        from npc.lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        print(
            f"npc: the language server needs the package {error.name}, which is not installed\n"
            "   = help: pip install 'npc-compiler[lsp]'",
            file=sys.stderr,
        )
        raise typer.Exit(EXIT_USAGE) from None
    serve()
