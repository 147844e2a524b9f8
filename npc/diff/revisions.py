"""Files as a revision of a git repository has them: `git:REV:PATH`, read without touching the work tree.

Takes such a text, gives the sources that it names, as of a file or a folder on disk. PATH counts from the top
of the repository, as in `git show REV:PATH`, or from here where it begins with a dot. What a file of the
policy language includes is looked for in the same revision.
"""

from __future__ import annotations

import posixpath
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, nearest
from npc.compiler.frontend.files import NOTHING, SUFFIXES, Exclude
from npc.compiler.frontend.source import Source

PREFIX = "git:"
_LINK, _FILES = "120000", ("100644", "100755")
"""Modes of entries of git's trees."""
_MOST_LINKS = 8
"""Links that lead to links are followed so far."""


def is_revision(text: str) -> bool:
    """Whether a path is one in a revision."""
    return text.startswith(PREFIX)


def revision_sources(text: str, exclude: Exclude = NOTHING) -> list[Source]:
    """The sources that `git:REV:PATH` names; InputError where there are none."""
    revision, colon, path = text.removeprefix(PREFIX).partition(":")
    if not colon or not revision:
        raise _fault(f"{text!r} is no path in a revision", "write git:REV:PATH, like git:HEAD~1:policies")
    tree = _Tree.of(revision)
    inside = tree.inside(path)
    if inside in tree.entries:
        if (source := tree.source(inside)) is None:
            raise _fault(f"{revision}:{inside} is no file", "it is a submodule, or a link to what is no file")
        return [source]
    folder = f"{inside}/" if inside else ""
    below = [one for one in tree.entries if one.startswith(folder)]
    if not below:
        close = nearest(inside, tree.names())
        help = "PATH counts from the top of the repository"
        if close:
            help = f"did you mean git:{revision}:{close}?"
        raise _fault(f"there is no {inside or 'file'!r} in the revision {revision}", help)
    read = [
        one
        for one in sorted(below)
        if _is_read(one.removeprefix(folder)) and not exclude.covers(tree.top / one)
    ]
    tree.contents.update(_contents(tree.entries[one] for one in read))
    sources = [source for one in read if (source := tree.source(one, in_folder=True)) is not None]
    found = list({one.name: one for one in sources}.values())
    if not found:
        message = f"no {', '.join(SUFFIXES)} file in the directory {revision}:{inside}"
        raise InputError([Diagnostic(codes.NO_INPUT, message)])
    return found


@dataclass(frozen=True, slots=True)
class _Tree:
    """All files of a revision by their paths from the top of the repository: the mode and name of each."""

    revision: str
    top: Path
    here: str
    """The path of the working directory, from the top."""
    entries: Mapping[str, tuple[str, str]] = field(repr=False)
    contents: dict[str, bytes] = field(default_factory=dict, repr=False)
    """What has been read, by the name of the blob."""

    @staticmethod
    def of(revision: str) -> _Tree:
        found = _git("rev-parse", "--show-toplevel", "--show-prefix")
        if found is None:
            raise _fault("this folder is in no git repository", "run npc in the repository that is meant")
        top, here, *_ = [*found.decode("utf-8", "surrogateescape").split("\n"), ""]
        wanted = f"{revision}^{{commit}}"
        commit = None if revision.startswith("-") else _git("rev-parse", "--verify", "--quiet", wanted)
        if commit is None:
            help = "name a commit, a branch or a tag, like HEAD, main or v1.2; `git fetch` may be wanted"
            raise _fault(f"git knows no revision {revision!r}", help)
        listed = _git("ls-tree", "-r", "-z", "--full-tree", commit.decode().strip()) or b""
        entries = {}
        for line in listed.split(b"\0"):
            head, tab, path = line.partition(b"\t")
            if tab:
                mode, _, name = head.decode().split()
                entries[path.decode("utf-8", "surrogateescape")] = mode, name
        return _Tree(revision, Path(top), here, entries)

    def inside(self, path: str) -> str:
        """A path from the top of the repository; empty for all of it."""
        is_from_here = path in (".", "..") or path.startswith(("./", "../"))
        normal = posixpath.normpath(posixpath.join(self.here if is_from_here else "", path or "."))
        return "" if normal == "." else normal.strip("/")

    def names(self) -> Iterator[str]:
        """All files and the folders that they are in."""
        for one in self.entries:
            yield one
            yield from (str(folder) for folder in Path(one).parents if folder.name)

    def source(self, path: str, *, in_folder: bool = False) -> Source | None:
        """A file, or the file that a link leads to, by its own name; None where there is none."""
        target = path
        for _ in range(_MOST_LINKS):
            mode, name = self.entries.get(target, ("", ""))
            if mode in (_LINK, *_FILES) and name not in self.contents:
                self.contents.update(_contents([(mode, name)]))
            if mode == _LINK:
                to = self.contents[name].decode("utf-8", "surrogateescape")
                target = posixpath.normpath(posixpath.join(posixpath.dirname(target), to))
                continue
            if mode not in _FILES:
                return None
            content = self.contents[name]
            return Source(f"{self.revision}:{target}", None, content, in_folder, partial(self.beside, target))
        return None

    def beside(self, path: str, text: str) -> Source | None:
        """What a file includes; None where there is no such file."""
        return self.source(posixpath.normpath(posixpath.join(posixpath.dirname(path), text)))


def _is_read(path: str) -> bool:
    """Whether a file of a folder is read: not what is hidden, and not what ends otherwise."""
    return path.endswith(SUFFIXES) and not any(one.startswith(".") for one in path.split("/"))


def _contents(entries: Iterable[tuple[str, str]]) -> dict[str, bytes]:
    """What is in the blobs among some entries, by their names; all by one process."""
    names = list(dict.fromkeys(name for mode, name in entries if mode in (_LINK, *_FILES)))
    data = _git("cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode()) or b""
    found = {}
    start = 0
    for name in names:
        end = data.index(b"\n", start)
        size = int(data[start:end].split()[2])
        found[name] = data[end + 1 : end + 1 + size]
        start = end + size + 2
    return found


def _git(*arguments: str, given: bytes = b"") -> bytes | None:
    """What git prints; None where it fails."""
    command: Sequence[str] = ("git", "--no-optional-locks", *arguments)
    try:
        done = subprocess.run(command, check=False, capture_output=True, input=given)
    except OSError as error:
        help = "npc reads revisions with the command git"
        raise _fault(f"git cannot be run: {error.strerror}", help) from None
    return done.stdout if done.returncode == 0 else None


def _fault(message: str, help: str) -> InputError:
    return InputError([Diagnostic(codes.UNREADABLE, message, help=help)])
