"""The wheel, built and installed as a stranger gets it: all the code, all its data, no undeclared dependency.

No network: pip builds with the setuptools of the running environment, and the new environment sees, of the
packages installed in the running one, only those that the wheel requires.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.packaging.layout import FOLDERS, ROOT, source_files

OF_EXTRAS = frozenset({"npc.compiler.language.generate", "npc.lsp.server"})
"""Modules that an optional extra is for; they cannot be imported without it."""

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def run(*command: str | Path, cwd: Path) -> str:
    """The standard output of a command that must succeed; PYTHONPATH and its like do not reach it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def with_requirements(package: Distribution, known: dict[str, Distribution]) -> dict[str, Distribution]:
    """`known`, and what a package requires here, directly or not, as installed: name → distribution."""
    for requirement in map(Requirement, package.requires or ()):
        needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if needed and requirement.name not in known:
            found = distribution(requirement.name)
            known = with_requirements(found, known | {requirement.name: found})
    return known


@dataclass(frozen=True, slots=True)
class Built:
    """A wheel and the sources that it was built from."""

    wheel: Path
    sources: Path


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with the wheel, what it requires, and nothing else."""

    bin: Path
    site_packages: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Builds from a copy of the sources, where nothing left by an earlier build can get in."""
    sources = tmp_path_factory.mktemp("sources")
    for folder in FOLDERS.values():
        shutil.copytree(
            ROOT / folder, sources / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, sources)
    offline = ("--no-build-isolation", "--no-deps", "--no-index")
    run(*PIP, "wheel", *offline, "--wheel-dir", "dist", ".", cwd=sources)
    (wheel,) = (sources / "dist").iterdir()
    return Built(wheel, sources)


@pytest.fixture(scope="module")
def environment(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Installs the wheel where nothing is installed, and links in what it requires."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    run(*PIP, "--python", folder, "install", "--no-deps", "--no-index", built.wheel, cwd=folder)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (metadata,) = site_packages.glob("npc_compiler-*.dist-info")
    for package in with_requirements(PathDistribution(metadata), {}).values():
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            (site_packages / top).symlink_to(Path(str(package.locate_file(top))))
    return Environment(folder / "bin", site_packages)


def test_wheel_holds_every_file_of_the_source_folders_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert inside == source_files(built.sources).keys()


def test_every_module_imports_from_where_it_was_installed(
    built: Built, environment: Environment, tmp_path: Path
) -> None:
    modules = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in source_files(built.sources)
        if name.endswith(".py") and not name.endswith("/__main__.py")
    }
    modules -= OF_EXTRAS
    script = "import importlib, sys; [print(importlib.import_module(name).__file__) for name in sys.argv[1:]]"
    files = run(environment.bin / "python", "-c", script, *modules, cwd=tmp_path).splitlines()
    assert len(files) == len(modules)
    assert [file for file in files if not Path(file).is_relative_to(environment.site_packages)] == []


@pytest.mark.parametrize("command", [("npc",), ("python", "-m", "npc")], ids=" ".join)
def test_compile_runs_outside_the_checkout(
    command: tuple[str, ...], environment: Environment, tmp_path: Path
) -> None:
    shop = shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    program, *words = command
    ruleset = run(environment.bin / program, *words, "compile", "--target", "nft", shop, cwd=tmp_path)
    assert "table inet npc {" in ruleset
