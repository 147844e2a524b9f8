"""Paths to sources: files as they are, directories with all the manifests in them, `-` for standard input."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.source import Source

LANGUAGE_SUFFIX = ".npc"
"""Of files in npc's own language."""
ASSERTIONS_SUFFIX = ".assert.npc"
"""Of files of assertions."""
SUFFIXES = (".yaml", ".yml", ".json", LANGUAGE_SUFFIX)
"""Files of a directory that are read."""
STDIN = "<stdin>"
"""What standard input is called."""


@dataclass(frozen=True, slots=True)
class Exclude:
    """Files and folders that are left out of folders, by patterns for their paths below `base`.

    `*` stands for anything within one name, `**` for names at any depth, `?` for a character. A folder that
    a pattern names is left out with all that is in it.

    >>> exclude = Exclude(("charts", "**/test-*.yaml"), Path("/repo"))
    >>> [exclude.covers(Path("/repo", one)) for one in ("charts/a.yaml", "b/charts", "c/d/test-x.yaml")]
    [True, False, True]
    """

    patterns: tuple[str, ...] = ()
    base: Path = Path()

    def covers(self, path: Path) -> bool:
        """Whether a path, or a folder that it is in, is left out; links are not followed."""
        if not self.patterns:
            return False
        try:
            parts = Path(os.path.abspath(path)).relative_to(os.path.abspath(self.base)).parts  # noqa: PTH100
        except ValueError:
            return False
        names = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        return any(_regex(one).fullmatch(name) for one in self.patterns for name in names)


NOTHING = Exclude()


def sources(
    paths: Iterable[str],
    stdin: Callable[[], bytes],
    suffixes: tuple[str, ...] = SUFFIXES,
    exclude: Exclude = NOTHING,
) -> tuple[list[Source], list[Diagnostic]]:
    """The files that paths name: files as they are, directories with all in them, `-` for standard input.

    Of a directory those count that end in one of `suffixes` and are not excluded. A file that is named twice
    is read once. Folders and files that begin with a dot are left out; symbolic links are followed.
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
                files = list(_files(path, suffixes, exclude, unreadable))
                if not files and len(diagnostics) == before:
                    message = f"no {', '.join(suffixes)} file in the directory {text}"
                    diagnostics.append(Diagnostic(codes.NO_INPUT, message))
                for file in files:
                    found.setdefault(os.path.realpath(file), Source(str(file), file, in_folder=True))
            elif path.is_file():
                place = os.path.realpath(path)
                if place not in found or found[place].in_folder:
                    found[place] = Source(text, path)
            elif text and path.exists():  # a pipe, which can be read only once
                found.setdefault(os.path.realpath(path), Source(text, content=path.read_bytes()))
            else:
                message = f"there is no file or directory {text or 'of no name'}"
                diagnostics.append(Diagnostic(codes.UNREADABLE, message))
        except OSError as error:
            unreadable(error)
    return list(found.values()), diagnostics


def _files(
    directory: Path, suffixes: tuple[str, ...], exclude: Exclude, unreadable: Callable[[OSError], None]
) -> Iterator[Path]:
    """The files with some suffixes below a directory, in order of their names."""
    seen = set()
    for folder, subfolders, names in os.walk(directory, onerror=unreadable, followlinks=True):
        place = os.path.realpath(folder)
        if place in seen:  # a link to a folder that was read, or is being read
            subfolders.clear()
            continue
        seen.add(place)
        subfolders[:] = sorted(
            name for name in subfolders if not name.startswith(".") and not exclude.covers(Path(folder, name))
        )
        for name in sorted(names):
            path = Path(folder, name)
            is_meant = name.endswith(suffixes) and not name.startswith(".") and not exclude.covers(path)
            if is_meant and not _is_special(path):
                yield path


def _is_special(path: Path) -> bool:
    """Whether it is a pipe, a socket or a device: those are read only where they are named."""
    return path.exists() and not path.is_file()


_WILD = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _regex(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression for a whole path; `re` keeps what it has compiled."""
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.strip("/"))
    return re.compile("".join(_WILD.get(piece) or re.escape(piece) for piece in pieces))
