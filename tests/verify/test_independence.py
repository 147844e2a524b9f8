"""The proof shares the algebra with lowering, and nothing else; and it catches lowering that is broken.

Names and texts of npc's own notation are written down twice, in lowering and in the readers: a slip in one is
not repeated by the other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.verify.rulesets import TARGETS

ROOT: Final = Path(__file__).parents[2]
FOLDERS: Final = {
    "npc.compiler.verify": ROOT / "compiler" / "verify",
    **{f"npc.backends.{target}.reader": ROOT / "backends" / target / "reader" for target in TARGETS},
}
ALLOWED: Final = (
    "npc.compiler.algebra",  # the one thing that is shared: tested by itself
    "npc.compiler.verify",
    "npc.compiler.plan",  # what should pass
    "npc.compiler.inventory",  # Endpoint, the type
    "npc.compiler.frontend.syntax",  # Direction, the type
    "npc.backends.base",  # Options and Backend, the types
)
"""What the proof may import of npc, beside each reader's own modules."""
NOT_DECISIONS: Final = frozenset({"arms", "key", "logs"})
"""What a class of a plan has that lowering makes rulesets of; the proof asks for the decision alone."""


def _modules() -> Iterator[tuple[str, Path]]:
    for name, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            yield name, path


MODULES: Final = list(_modules())


def _imported(path: Path) -> Iterator[str]:
    """The modules that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, names, 0):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.ImportFrom():
                yield "a relative import"


@pytest.mark.parametrize(("own", "path"), MODULES, ids=[str(path.relative_to(ROOT)) for _, path in MODULES])
def test_the_proof_imports_nothing_of_lowering(own: str, path: Path) -> None:
    npc = [name for name in _imported(path) if name == "npc" or name.startswith(("npc.", "a relative"))]
    assert [name for name in npc if not name.startswith((*ALLOWED, own))] == []


@pytest.mark.parametrize("path", [path for _, path in MODULES], ids=lambda path: str(path.relative_to(ROOT)))
def test_the_proof_asks_for_decisions_alone(path: Path) -> None:
    asked = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "one"
    }
    assert asked & NOT_DECISIONS == set()


def test_every_folder_has_modules() -> None:
    assert {own for own, _ in MODULES} == set(FOLDERS)
