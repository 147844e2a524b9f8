"""Packages that claim to have a target, and what is said of those that have none."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from npc.backends.base import find_target, target_names
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import InputError
from tests.cli.invocation import npc
from tests.testing.clusters import from_app, policy, write_case

WORKING = """\
from pathlib import Path
from npc.backends.base import Backend
BACKEND = Backend("{name}", "a test", lambda plan, options: plan, {{"npc.{name}": "plan.j2"}}, (), (),
                  template_folder=Path(__file__).parent)
"""


def install(folder: Path, name: str, code: str, package: str = "") -> None:
    """What pip leaves behind of a package with one target: a module, and metadata with the entry point."""
    module = package or f"npc_{name}"
    (folder / f"{module}.py").write_text(code)
    metadata = folder / f"{module}-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[npc.backends]\n{name} = {module}:BACKEND\n")
    importlib.invalidate_caches()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python finds packages in."""
    found = tmp_path / "site-packages"
    found.mkdir()
    monkeypatch.syspath_prepend(found)
    return found


def test_a_target_that_works(folder: Path, tmp_path: Path) -> None:
    install(folder, "worksone", WORKING.format(name="worksone"))
    (folder / "plan.j2").write_text("{{ ruleset.classes | length }} classes\n")
    write_case(tmp_path / "case", policy("b", "b", from_app("a", 80)))
    assert npc("compile", "-t", "worksone", "case", folder=tmp_path).stdout == "1 classes\n"
    assert "worksone     a test (npc.worksone)\n" in npc("targets").stdout


def test_a_template_that_fails_is_no_bug_of_npc(folder: Path, tmp_path: Path) -> None:
    install(folder, "workstwo", WORKING.format(name="workstwo"))
    (folder / "plan.j2").write_text("\n{{ ruleset.nothing }}")
    write_case(tmp_path / "case", policy("b", "b", from_app("a", 80)))
    outcome = npc("compile", "-t", "workstwo", "case", folder=tmp_path)
    assert outcome.code == 1
    assert outcome.stderr.startswith("error[NPC504]: ")
    assert "plan.j2:2: " in outcome.stderr


FAULTS = [
    # (name of the target, the module's code, the message)
    (
        "failsone",
        "import absent_module",
        "cannot be loaded: ModuleNotFoundError: ",
    ),
    ("failstwo", "", "cannot be loaded: AttributeError"),
    ("failsthree", "BACKEND = 1", "is no npc backend"),
]


@pytest.mark.parametrize(("name", "code", "said"), FAULTS, ids=[case[0] for case in FAULTS])
def test_a_target_that_is_none(folder: Path, name: str, code: str, said: str) -> None:
    install(folder, name, code)
    with pytest.raises(InputError) as raised:
        find_target(name)
    (fault,) = raised.value.diagnostics
    assert fault.code is codes.NO_TARGET
    assert said in fault.message
    assert f"npc_{name}:BACKEND" in fault.help
    outcome = npc("targets")
    assert (outcome.code, "nft " in outcome.stdout) == (1, True), "the others are listed all the same"
    assert f"the installed target {name!r}" in outcome.stderr


def test_a_name_belongs_to_one_package(folder: Path) -> None:
    install(folder, "nft", WORKING.format(name="nft"), "npc_other")
    assert "nft" in target_names()
    with pytest.raises(InputError) as raised:
        find_target("nft")
    (fault,) = raised.value.diagnostics
    assert fault.message == "two installed targets are called 'nft'"
    assert "npc.backends.nft:BACKEND and npc_other:BACKEND" in fault.help
