"""What `bench.verify` prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import verify


def test_it_measures_a_node_and_the_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "ROUNDS", 1)
    sizes = ["--policies", "10", "--pods", "60", "--namespaces", "4", "--nodes", "8"]
    verify.main([*sizes, "--dir", str(tmp_path / "cluster"), "--target", "nft", "ovs"])
    head, *nodes, words, nft, iptables, ovs = capsys.readouterr().out.splitlines()
    assert head == "npc verify of one node: 10 policies, 60 pods, 8 nodes"
    for target, line in zip(("nft", "ovs"), nodes, strict=True):
        assert re.match(rf"  {target} +[0-9.]+ MB  plan +[0-9.]+ s  read +[0-9.]+ s  prove +[0-9.]+ s", line)
    assert words.startswith("npc compile of the small example")
    for target, line in (("nft", nft), ("iptables", iptables), ("ovs", ovs)):
        assert re.fullmatch(rf"  {target} +compile [0-9.]+ s, with --verify [0-9.]+ s: [0-9.]+ times", line)
