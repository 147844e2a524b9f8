"""What `bench.query` prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.query import main


def test_it_measures_questions_and_batches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--policies", "10", "--pods", "40", "--namespaces", "4", "--nodes", "2"]
    main([*sizes, "--dir", str(tmp_path / "cluster"), "--questions", "50"])
    head, first, *singles, batch = capsys.readouterr().out.splitlines()
    assert head == "npc query: 10 policies, 40 pods; CPU time"
    assert re.fullmatch(r"the first question, with what it loads: [0-9.]+ ms", first)
    for words, single in zip(("by name", "by address", "by labels"), singles, strict=True):
        assert re.fullmatch(f"one question {words}: [0-9.]+ ms, [0-9.]+% of reading the files", single)
    assert re.fullmatch(
        r"a batch of 50: [0-9,]+ a second, [0-9.]+ times decoding the lines; asked again [0-9,]+", batch
    )
