"""Paths to sources: files as they are, directories with all the manifests in them, `-` for standard input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.source import Source

LANGUAGE_SUFFIX = ".npc"
"""Of files in npc's own language."""
SUFFIXES = (".yaml", ".yml", ".json", LANGUAGE_SUFFIX)
"""Files of a directory that are read."""
STDIN = "<stdin>"
"""What standard input is called."""


def sources(
    paths: Iterable[str], stdin: Callable[[], bytes], suffixes: tuple[str, ...] = SUFFIXES
) -> tuple[list[Source], list[Diagnostic]]:
    """The files that paths name: files as they are, directories with all in them, `-` for standard input.

    Of a directory those count that end in one of `suffixes`. A file that is named twice is read once. Folders
    and files that begin with a dot are left out; symbolic links are followed.
    """
    found: dict[str, Source] = {}
    diagnostics: list[Diagnostic] = []

    def unreadable(error: OSError) -> None:
        message = f"{error.filename or text}: {error.strerror or error}"
        diagnostics.append(Diagnostic(codes.UNREADABLE, message))

    for text in paths:
        path = Path(text)
        try:
            if text == "-":
                if "-" not in found:
                    found["-"] = Source(STDIN, content=stdin())
            elif text and path.is_dir():
                before = len(diagnostics)
                files = list(_files(path, suffixes, unreadable))
                if not files and len(diagnostics) == before:
                    message = f"no {', '.join(suffixes)} file in the directory {text}"
                    diagnostics.append(Diagnostic(codes.NO_INPUT, message))
                for file in files:
                    found.setdefault(os.path.realpath(file), Source(str(file), file))
            elif path.is_file():
                found.setdefault(os.path.realpath(path), Source(text, path))
            elif text and path.exists():  # a pipe, which can be read only once
                found.setdefault(os.path.realpath(path), Source(text, content=path.read_bytes()))
            else:
                message = f"there is no file or directory {text or 'of no name'}"
                diagnostics.append(Diagnostic(codes.UNREADABLE, message))
        except OSError as error:
            unreadable(error)
    return list(found.values()), diagnostics


def _files(
    directory: Path, suffixes: tuple[str, ...], unreadable: Callable[[OSError], None]
) -> Iterator[Path]:
    """The files with some suffixes below a directory, in order of their names."""
    seen = set()
    for folder, subfolders, names in os.walk(directory, onerror=unreadable, followlinks=True):
        place = os.path.realpath(folder)
        if place in seen:  # a link to a folder that was read, or is being read
            subfolders.clear()
            continue
        seen.add(place)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if name.endswith(suffixes) and not name.startswith(".") and not _is_special(path):
                yield path


def _is_special(path: Path) -> bool:
    """Whether it is a pipe, a socket or a device: those are read only where they are named."""
    return path.exists() and not path.is_file()
