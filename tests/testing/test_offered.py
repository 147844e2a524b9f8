"""What npc offers to others: hooks for pre-commit, a manual that names every option, a library."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import npc.testing
from npc.testing.settings import read_settings
from tests.cli.invocation import npc as run_npc
from tests.docs.pages import blocks
from tests.testing.clusters import from_app, policy, write_case

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "testing.md"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
B80 = policy("b", "b", from_app("a", 80))

RUNS = [
    # (hook, what pre-commit would add to its entry, exit code)
    ("npc-check", ("case/policy.yaml", "case/inventory.yaml"), 0),
    ("npc-check", ("case/policy.yaml", "case/case.toml"), 1),
    ("npc-fmt", ("case/policy.npc",), 0),
    ("npc-fmt", ("case/policy.yaml",), 1),
    ("npc-test", ("case",), 1),
]


@pytest.mark.parametrize(("hook", "added", "code"), RUNS)
def test_hooks(tmp_path: Path, hook: str, added: tuple[str, ...], code: int) -> None:
    write_case(tmp_path / "case", B80, case="targets = []")
    (tmp_path / "case" / "policy.npc").write_text("policy a in a for pods { isolate ingress }\n")
    program, *words = HOOKS[hook]["entry"].split()
    assert program == "npc"
    assert run_npc(*words, *added, folder=tmp_path).code == code


def test_hooks_are_as_pre_commit_asks() -> None:
    assert HOOKS.keys() == {"npc-check", "npc-fmt", "npc-test"}
    for hook in HOOKS.values():
        assert {"id", "name", "description", "entry"} <= hook.keys()
        assert hook["language"] == "python"
        assert hook.get("pass_filenames", True) is (hook["id"] != "npc-test")


def test_every_option_is_in_the_manual() -> None:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", run_npc("test", "--help").stdout)
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", shown)) - {"--help"}
    assert options == {"--update", "--junit", "--jobs", "--quiet", "--config"}
    table = PAGE.read_text().partition("## Options")[2].partition("## Exit codes")[0]
    assert set(re.findall(r"--[a-z]+", table)) == options


def test_the_manual_s_case_toml_has_every_key() -> None:
    (block,) = (block for block in blocks(PAGE) if block.language == "toml")
    text = "\n".join(block.lines)
    read_settings(text)
    keys = set(re.findall(r"^([a-z-]+) =", text, re.MULTILINE))
    assert keys == {
        "targets",
        "node",
        "own-node",
        "deny-with",
        "log-denied",
        "table",
        "hook-priority",
        "today",
        "input",
    }


def test_the_manual_s_use_of_the_library(tmp_path: Path) -> None:
    (block,) = (block for block in blocks(PAGE) if block.language == "python")
    (imports,) = (line for line in block.lines if line.startswith("from npc.testing import "))
    names = imports.removeprefix("from npc.testing import ").split(", ")
    assert set(names) <= set(npc.testing.__all__)
    write_case(tmp_path, B80, case="targets = []")
    (case,) = npc.testing.find_cases([str(tmp_path)])
    assert next(iter(npc.testing.details(npc.testing.examine(case)))) == "it expects nothing yet"
