"""`npc compile --passes` and `--stats`: which steps of the optimizer run, and what they come to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.invocation import npc

TWICE = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: twice, namespace: shop}
spec:
  podSelector: {}
  ingress:
    - {ports: [{port: 80}], from: [{ipBlock: {cidr: 192.0.2.0/25}}]}
    - {ports: [{port: 80}], from: [{ipBlock: {cidr: 192.0.2.128/25}}]}
    - {ports: [{port: 81}], from: [{ipBlock: {cidr: 192.0.2.0/24}}]}
"""
INVENTORY = "{namespaces: [{name: shop}], endpoints: [{name: web, namespace: shop, addresses: [10.0.0.1]}]}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "twice.yaml").write_text(TWICE)
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    return tmp_path


def _rules(folder: Path, *options: str) -> list[str]:
    outcome = npc("compile", "twice.yaml", "inventory.yaml", *options, folder=folder)
    assert (outcome.code, outcome.stderr) == (0, "")
    return [line.strip() for line in outcome.stdout.splitlines() if line.strip().startswith("tcp dport")]


MERGED = ["tcp dport 80-81 ip saddr 192.0.2.0/24 accept"]


@pytest.mark.parametrize(
    ("passes", "expected"),
    [
        ("merge", MERGED),
        ("cover", MERGED),
        (" widen , merge ", MERGED),
        (
            "none",
            [
                "tcp dport 80 ip saddr 192.0.2.0/25 accept",
                "tcp dport 80 ip saddr 192.0.2.128/25 accept",
                "tcp dport 81 ip saddr 192.0.2.0/24 accept",
            ],
        ),
    ],
)
def test_passes(folder: Path, passes: str, expected: list[str]) -> None:
    assert _rules(folder, "--passes", passes) == expected


def test_all_run_by_default(folder: Path) -> None:
    assert _rules(folder) == _rules(folder, "--passes", "merge,cover,widen") == MERGED


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        ("covr", "did you mean 'cover'?"),
        ("", "expected one of: merge, cover, widen"),
        ("merge,none", "the optimizer has no pass 'none'"),
    ],
)
def test_an_unknown_pass(folder: Path, passes: str, said: str) -> None:
    outcome = npc("compile", "twice.yaml", "inventory.yaml", "--passes", passes, folder=folder)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert said in outcome.stderr


def test_statistics_as_json(folder: Path) -> None:
    outcome = npc("compile", "twice.yaml", "inventory.yaml", "--stats", "--format", "json", folder=folder)
    assert outcome.code == 0
    findings, statistics = map(json.loads, outcome.stderr.splitlines())
    assert findings == []
    before, after = statistics["statistics"]["before"], statistics["statistics"]["after"]
    assert before["rules"] - after["rules"] == 2
    assert before.keys() == after.keys() == {"rules", "sets", "elements", "tried", "lookups"}


def test_statistics_as_a_table(folder: Path) -> None:
    outcome = npc("compile", "twice.yaml", "inventory.yaml", "--stats", folder=folder)
    assert [line.split("  ")[0] for line in outcome.stderr.splitlines()] == [
        "",
        "rules or flows",
        "sets and maps",
        "elements of them",
        "tried for a packet, at most",
        "look-ups for a packet, at most",
    ]
    assert outcome.stdout == npc("compile", "twice.yaml", "inventory.yaml", folder=folder).stdout


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--format", "sarif"], 2, "not with --format sarif"),
        (["--target", "kubernetes"], 1, "the target kubernetes has no statistics"),
        (["--all-nodes", "--output", "out/"], 2, "not with --all-nodes"),
    ],
)
def test_no_statistics(folder: Path, options: list[str], code: int, said: str) -> None:
    outcome = npc("compile", "twice.yaml", "inventory.yaml", "--stats", *options, folder=folder)
    assert (outcome.code, outcome.stdout) == (code, "")
    assert said in outcome.stderr.replace("\n", " ")
    assert not (folder / "out").exists()
