"""Cases: folders with an input, and with what is expected of it.

A folder is a case when it holds a `case.toml`, a `packets.txt`, an `expect.*` file, or a `policy` or
`policies` file (`.yaml`, `.yml`, `.json`, `.npc`). All below it belongs to it. Of a case are read

- as input: every YAML, JSON and .npc file in it, at any depth, but for `expect.*`;
- `case.toml`: how it is compiled, see `settings`;
- `packets.txt`: packets and what must become of them, see `packets`;
- `expect.ARTIFACT`: a file that a target makes, byte for byte, without the prefix `npc.` of its name;
- `expect.plan`: what the policies decide, see `plantext`;
- `expect.txt`: the diagnostics, where there are any.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from npc.compiler.frontend.diagnostics import nearest
from npc.compiler.frontend.files import SUFFIXES

SETTINGS, PACKETS = "case.toml", "packets.txt"
EXPECT = "expect."
PLAN, DIAGNOSTICS = f"{EXPECT}plan", f"{EXPECT}txt"
_POLICIES = ("policy", "policies")


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One case: the name that people know it by, a path where they named one, and its folder."""

    name: str
    folder: Path

    def inputs(self) -> list[Path]:
        """The files in the folder that are compiled, sorted."""
        return sorted(
            path
            for path in _files(self.folder)
            if path.suffix in SUFFIXES and not path.name.startswith(EXPECT)
        )

    def expected(self) -> dict[str, bytes]:
        """The expectations that stand in the folder: file name to content."""
        return {
            path.name: path.read_bytes()
            for path in sorted(self.folder.iterdir())
            if path.name.startswith(EXPECT) and path.is_file()
        }

    def strays(self) -> Iterator[str]:
        """What is wrong with the files in the folder: those of a case in it, and names that mean nothing."""
        for path in sorted(_files(self.folder)):
            name = path.relative_to(self.folder).as_posix()
            own = path.name in (SETTINGS, PACKETS) or path.name.startswith(EXPECT)
            if path.parent != self.folder:
                if own:
                    yield f"{name}: a case cannot stand inside a case"
            elif not own and path.suffix not in (*SUFFIXES, ".md") and not path.name.endswith("~"):
                close = nearest(path.name, [SETTINGS, PACKETS, PLAN, DIAGNOSTICS])
                help = f": did you mean {close!r}?" if close else ""
                yield f"{name}: a case has no such file{help}"


def find_cases(paths: Iterable[str]) -> list[Case]:
    """The cases in folders, or that folders are, in order of their names; each once."""
    found: dict[Path, Case] = {}
    for text in paths:
        root = Path(text)
        for folder in _case_folders(root):
            name = folder.as_posix() if folder != Path() else folder.resolve().name
            found.setdefault(folder.resolve(), Case(name, folder))
    return sorted(found.values())


def _case_folders(root: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root):
        if any(map(_makes_a_case, names)):
            subfolders.clear()
            yield Path(folder)
        else:
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))


def _makes_a_case(name: str) -> bool:
    path = Path(name)
    is_policy = path.stem in _POLICIES and path.suffix in SUFFIXES
    return is_policy or name in (SETTINGS, PACKETS) or name.startswith(EXPECT)


def _files(root: Path) -> Iterator[Path]:
    """Every file below a folder but for what begins with a dot, in no order."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = (name for name in subfolders if not name.startswith("."))
        yield from (Path(folder, name) for name in names if not name.startswith("."))
