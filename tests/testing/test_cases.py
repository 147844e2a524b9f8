"""Which folders are cases, and what in them is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from npc.testing import find_cases

TREES = [
    # (name, files, the cases)
    ("nothing", [], []),
    ("a folder", ["a/policy.yaml"], ["a"]),
    ("any depth", ["a/b/policies.json", "a/c/policy.yml"], ["a/b", "a/c"]),
    ("packets make a case", ["a/packets.txt"], ["a"]),
    ("settings make a case", ["a/case.toml"], ["a"]),
    ("expectations make a case", ["a/expect.v4.rules"], ["a"]),
    ("other YAML does not", ["a/inventory.yaml", "b/web.yaml"], []),
    ("shared input above", ["inventory.yaml", "a/policy.yaml"], ["a"]),
    ("no case in a case", ["a/policy.yaml", "a/b/policy.yaml"], ["a"]),
    ("hidden folders", [".git/policy.yaml", "a/policy.yaml"], ["a"]),
    ("in order", ["b/policy.yaml", "a/policy.yaml", "c/policy.yaml"], ["a", "b", "c"]),
    ("another policy", ["a/policy.txt", "b/policyx.yaml"], []),
]


def write(root: Path, files: list[str]) -> None:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.mark.parametrize(("files", "found"), [case[1:] for case in TREES], ids=[case[0] for case in TREES])
def test_finding(tmp_path: Path, files: list[str], found: list[str]) -> None:
    write(tmp_path, files)
    assert [case.folder.relative_to(tmp_path).as_posix() for case in find_cases([str(tmp_path)])] == found


def test_names_are_paths_as_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ["t/a/policy.yaml", "t/b/policy.yaml"])
    monkeypatch.chdir(tmp_path)
    assert [case.name for case in find_cases(["t"])] == ["t/a", "t/b"]
    assert [case.name for case in find_cases(["t/b", "t"])] == ["t/a", "t/b"], "each once"
    monkeypatch.chdir(tmp_path / "t")
    assert [case.name for case in find_cases(["."])] == ["a", "b"]
    monkeypatch.chdir(tmp_path / "t" / "a")
    assert [case.name for case in find_cases(["."])] == ["a"]


def test_input_and_expectations(tmp_path: Path) -> None:
    files = [
        "policy.yaml",
        "more/inventory.json",
        "x.yml",
        "notes.md",
        ".hidden.yaml",
        "expect.json",
        "expect.nft",
    ]
    write(tmp_path, files)
    (case,) = find_cases([str(tmp_path)])
    assert [path.relative_to(tmp_path).as_posix() for path in case.inputs()] == [
        "more/inventory.json",
        "policy.yaml",
        "x.yml",
    ]
    assert case.expected() == {"expect.json": b"", "expect.nft": b""}
    assert list(case.strays()) == []


STRAYS = [
    ("packet.txt", "packet.txt: a case has no such file: did you mean 'packets.txt'?"),
    ("case.tml", "case.tml: a case has no such file: did you mean 'case.toml'?"),
    ("flags", "flags: a case has no such file"),
    ("more/expect.nft", "more/expect.nft: a case cannot stand inside a case"),
    ("more/README", ""),
    ("policy.yaml~", ""),
    ("README.md", ""),
]


@pytest.mark.parametrize(("file", "said"), STRAYS, ids=[case[0] for case in STRAYS])
def test_strays(tmp_path: Path, file: str, said: str) -> None:
    write(tmp_path, ["policy.yaml", file])
    (case,) = find_cases([str(tmp_path)])
    assert list(case.strays()) == ([said] if said else [])
