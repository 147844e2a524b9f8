"""Paths to sources: files as they are, directories with all the manifests in them, `-` for standard input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.source import Source

SUFFIXES = (".yaml", ".yml", ".json")
"""Files of a directory that are read."""


def sources(paths: Iterable[str], stdin: Callable[[], bytes]) -> tuple[list[Source], list[Diagnostic]]:
    """The files that paths name: files as they are, directories with all in them, `-` for standard input.

    A file that is named twice is read once. Folders and files that begin with a dot are left out.
    """
    found: dict[Path | str, Source] = {}
    diagnostics = []
    for text in paths:
        path = Path(text)
        if text == "-":
            if "-" not in found:
                found["-"] = Source("<stdin>", content=stdin())
        elif path.is_dir():
            files = list(_files(path))
            if not files:
                diagnostics.append(
                    Diagnostic(codes.NO_INPUT, f"no {', '.join(SUFFIXES)} file in the directory {text}")
                )
            for file in files:
                found.setdefault(file.resolve(), Source(str(file), file))
        elif path.exists():
            found.setdefault(path.resolve(), Source(text, path))
        else:
            diagnostics.append(Diagnostic(codes.UNREADABLE, f"there is no file or directory {text}"))
    return list(found.values()), diagnostics


def _files(directory: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(directory):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)
