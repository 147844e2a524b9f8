"""What `bench.language` measures and makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.language import load_language, report, write_policies
from npc.compiler.frontend.documents import Loaded, load
from npc.compiler.frontend.source import Source

CASES = [
    (
        [1.0, 1.5, 2.0],
        [2.0, 3.0, 4.0],
        [1.0, 2.0, 2.0],
        [
            "median of 3                      CPU s           npc takes",
            "npc, text to policies            1.500                    ",
            "PyYAML, collector on             3.000          0.50 times",
            "PyYAML, collector off            2.000          1.00 times",
            "no slower than PyYAML: yes",
        ],
    ),
    (
        [1.5],
        [2.0],
        [1.0],
        [
            "median of 1                      CPU s           npc takes",
            "npc, text to policies            1.500                    ",
            "PyYAML, collector on             2.000          0.75 times",
            "PyYAML, collector off            1.000          1.50 times",
            "no slower than PyYAML: NO",
        ],
    ),
]


@pytest.mark.parametrize(("npc", "yaml_on", "yaml_off", "lines"), CASES, ids=["as fast", "slower"])
def test_report(npc: list[float], yaml_on: list[float], yaml_off: list[float], lines: list[str]) -> None:
    assert report(npc, yaml_on, yaml_off).split("\n") == lines


def test_both_notations_hold_the_same_policies(tmp_path: Path) -> None:
    paths = write_policies(tmp_path, 50)
    in_language = load_language(paths["npc"])
    assert isinstance(in_language, Loaded)
    assert set(in_language.policies) == set(load([Source("x.yaml", paths["yaml"])]).policies)
    assert len(in_language.policies) == 50
