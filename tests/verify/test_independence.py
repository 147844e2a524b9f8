"""A proof is worth its independence: readers and the walk know nothing of how a ruleset was made."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = (
    "npc.compiler.algebra",
    "npc.compiler.verify",
    "npc.compiler.plan",
    "npc.compiler.inventory",
    "npc.compiler.frontend.syntax",
    "npc.backends.base",
)
"""What a reader may know of npc: sets of packets, what should pass, and the options."""


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    return {name for name in found if name.split(".")[0] == "npc"}


def _is_within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in packages)


READERS = sorted(path for path in ROOT.glob("backends/*/reader/*.py"))


@pytest.mark.parametrize("path", READERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_reader_imports_nothing_of_what_it_reads(path: Path) -> None:
    own = ".".join(("npc", *path.relative_to(ROOT).parts[:-1]))
    assert sorted(name for name in _imports(path) if not _is_within(name, (*SHARED, own))) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("compiler/verify/*.py")), ids=lambda path: path.name)
def test_the_walk_knows_no_target(path: Path) -> None:
    allowed = tuple(name for name in SHARED if name != "npc.backends.base")
    assert sorted(name for name in _imports(path) if not _is_within(name, allowed)) == []
