"""What a run does not need is not imported: the language where no text is in it, lark never."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

LOADED = "import sys, npc.cli\n{}\nprint(*(one for one in {!r} if one in sys.modules))"
MODULES = ("lark", "npc.compiler.language.parser", "npc.compiler.language.tree")
READ = "from npc.checking import check_paths; assert not check_paths([{!r}])"
CASES = [
    # name, what is run, which of the modules are there then
    ("the command itself", "pass", ""),
    ("manifests", READ.format("examples/shop"), ""),
    ("a text in the language", READ.format("x.npc"), " ".join(MODULES[1:])),
]


@pytest.mark.parametrize(("code", "loaded"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_modules(code: str, loaded: str, tmp_path: Path) -> None:
    (tmp_path / "x.npc").write_text("policy web for pods { isolate ingress }")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    command = [sys.executable, "-c", LOADED.format(code, MODULES)]
    environment = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False, text=True
    )
    assert (done.stdout.strip(), done.stderr) == (loaded, "")
