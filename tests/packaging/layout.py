"""What pyproject.toml says about the packages: which there are, and where each top folder is imported."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]

_SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]

PACKAGES: frozenset[str] = frozenset(_SETUPTOOLS["packages"])
"""Every package that is installed, by its import name."""

FOLDERS: dict[str, str] = _SETUPTOOLS["package-dir"]
"""Import name of a top folder → the folder, relative to the root."""


def source_files(root: Path) -> dict[str, Path]:
    """Every file of the top folders below a root: its path in an installed environment → the file.

    >>> source_files(ROOT)["npc/grammar/__init__.py"].relative_to(ROOT).as_posix()
    'grammar/__init__.py'
    """
    return {
        f"{package.replace('.', '/')}/{file.relative_to(root / folder).as_posix()}": file
        for package, folder in FOLDERS.items()
        for file in (root / folder).rglob("*")  # does not follow symbolic links: no file is found twice
        if file.is_file() and "__pycache__" not in file.parts
    }
