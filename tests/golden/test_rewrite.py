"""`make golden` brings expectations up to date, and says what it did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.cases import find_cases
from tests.golden.rewrite import main
from tests.golden.test_golden import differences

INVENTORY = "endpoints: [{name: a, namespace: default, addresses: [10.0.0.1]}]\n"
POLICY = (
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}}}\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("good", "bad"):
        folder = tmp_path / "nft" / name
        folder.mkdir(parents=True)
        (folder / "inventory.yaml").write_text(INVENTORY)
        (folder / "policies.yaml").write_text(POLICY if name == "good" else POLICY.replace("spec", "spek"))
    return tmp_path


def test_it_writes_what_is_missing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], root) == 0
    assert capsys.readouterr().out.splitlines() == [
        "wrote nft/bad/expect.txt",
        "wrote nft/good/expect.nft",
        "wrote nft/good/expect.txt",
        "2 cases, 3 files changed",
    ]
    assert main([], root) == 0
    assert capsys.readouterr().out == "2 cases, 0 files changed\n"
    assert all(case.expected() == case.compiled() for case in find_cases(root))
    text = (root / "nft/bad/expect.txt").read_text()
    assert text.startswith('exit code 1\n\nerror[NPC201]: spek: unknown field "spek"\n')


def test_it_mends_and_removes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([], root)
    (root / "nft/good/expect.nft").write_text("table inet npc\n")
    (root / "nft/good/expect.old").write_text("what an earlier version made\n")
    (root / "nft/bad/expect.txt").write_text("")
    capsys.readouterr()
    assert main(["good"], root) == 0
    assert capsys.readouterr().out.splitlines() == [
        "rewrote nft/good/expect.nft",
        "removed nft/good/expect.old",
        "1 cases, 2 files changed",
    ]
    assert (root / "nft/bad/expect.txt").read_text() == "", "only the named case"


def test_an_unknown_case(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nft/good", "goood"], root) == 2
    assert capsys.readouterr().err == "there is no golden case goood\n"


DIFFERENCES = [
    ("equal", {"a": "x\n"}, {"a": "x\n"}, ""),
    (
        "changed",
        {"a": "x\ny\n"},
        {"a": "x\nz\n"},
        "--- a (expected)\n+++ a (compiled)\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n",
    ),
    (
        "stale",
        {"a": "x\n"},
        {},
        "--- a (expected)\n+++ a (not made: stale)\n@@ -1 +0,0 @@\n-x\n",
    ),
    (
        "new",
        {},
        {"a": "x\n"},
        "--- a (not expected at all)\n+++ a (compiled)\n@@ -0,0 +1 @@\n+x\n",
    ),
    (
        "the newline at the end",
        {"a": "x\n"},
        {"a": "x"},
        "--- a (expected)\n+++ a (compiled)\n@@ -1 +1 @@\n-x\n+x\n\\ no newline at the end\n",
    ),
]


@pytest.mark.parametrize(
    ("expected", "found", "report"), [case[1:] for case in DIFFERENCES], ids=[case[0] for case in DIFFERENCES]
)
def test_differences(expected: dict[str, str], found: dict[str, str], report: str) -> None:
    assert differences(expected, found) == report
