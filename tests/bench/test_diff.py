"""What `bench.diff` prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.diff import main


def test_it_measures_a_change_and_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--policies", "10", "--pods", "40", "--namespaces", "4", "--nodes", "2"]
    main([*sizes, "--dir", str(tmp_path / "cluster")])
    *rows, changes = capsys.readouterr().out.splitlines()
    titles = ["reading one side", "diff, one policy changed", "diff, nothing changed"]
    assert [re.split("  +", row)[0] for row in rows] == titles
    assert all(re.search(r" [0-9.]+ s +[0-9.]+ times reading$", row) for row in rows)
    assert changes.endswith("and 0")
