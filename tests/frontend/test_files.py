"""Which files paths name, in what order, and what is said of those that cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from npc.compiler.frontend.documents import load
from npc.compiler.frontend.files import sources
from tests.cli.invocation import npc

POLICY = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web}}\n"


@dataclass(frozen=True, slots=True)
class Tree:
    """Files by name, links by name with where they lead, and what paths find among them."""

    name: str
    paths: Sequence[str]
    found: Sequence[str]
    files: Sequence[str] = ()
    links: Sequence[tuple[str, str]] = ()
    faults: Sequence[str] = ()


TREES = [
    Tree("files as they are named, whatever their suffix", ["b.txt", "a"], ["b.txt", "a"], ["a", "b.txt"]),
    Tree(
        "of a directory what is a manifest, by name, files before folders",
        ["."],
        ["b.yml", "d.json", "z.yaml", "a/c.yaml", "c/a/x.yaml"],
        ["z.yaml", "b.yml", "d.json", "e.txt", "f.YAML", "a/c.yaml", "c/a/x.yaml"],
    ),
    Tree(
        "nothing hidden, unless it is named",
        ["d", "d/.h/c.yaml"],
        ["d/a.yaml", "d/.h/c.yaml"],
        ["d/.b.yaml", "d/.h/c.yaml", "d/a.yaml"],
    ),
    Tree(
        "once what is named twice",
        ["b.yaml", ".", "./b.yaml", "a.yaml"],
        ["b.yaml", "a.yaml"],
        ["a.yaml", "b.yaml"],
    ),
    Tree("links to files", ["."], ["a.yaml"], ["d/x"], [("a.yaml", "d/x")]),
    Tree("one file by two links", ["."], ["a.yaml"], ["d/x"], [("a.yaml", "d/x"), ("b.yaml", "d/x")]),
    Tree("links to folders", ["d"], ["d/l/a.yaml"], ["e/a.yaml", "d/x"], [("d/l", "../e")]),
    Tree("links in a circle", ["d"], ["d/a.yaml"], ["d/a.yaml"], [("d/e/up", ".."), ("d/l", ".")]),
    Tree(
        "a link to itself",
        ["."],
        ["a.yaml", "b.yaml"],
        ["b.yaml"],
        [("a.yaml", "a.yaml")],
    ),
    Tree(
        "nothing at all",
        ["absent", "a.yaml/b", "", "n" * 300],
        [],
        ["a.yaml"],
        faults=[
            "there is no file or directory absent",
            "there is no file or directory a.yaml/b",
            "there is no file or directory of no name",
            f"{'n' * 300}: File name too long",
        ],
    ),
    Tree(
        "a directory without manifests",
        ["d"],
        [],
        ["d/a.txt"],
        faults=["no .yaml, .yml, .json, .npc file in the directory d"],
    ),
]


@pytest.mark.parametrize("tree", TREES, ids=[tree.name for tree in TREES])
def test_sources(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tree.files:
        _write(tmp_path / name)
    for name, target in tree.links:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(target)
    monkeypatch.chdir(tmp_path)
    found, faults = sources(tree.paths, _no_stdin)
    assert [source.name for source in found] == list(tree.found)
    assert [fault.message for fault in faults] == list(tree.faults)


def test_standard_input_is_read_once() -> None:
    texts = iter([b"first", b"second"])
    found, faults = sources(["-", "-"], lambda: next(texts))
    assert [(source.name, source.data()) for source in found] == [("<stdin>", b"first")]
    assert faults == []


def test_pipes_are_read_once(tmp_path: Path) -> None:
    """A diagnostic shows the line that is wrong, though it cannot be read again."""
    with _pipe("kind: [\n") as path:
        (found,), faults = sources([path], _no_stdin)
    assert (found.name, found.data(), faults) == (path, b"kind: [\n", [])
    with _pipe("kind: {\n") as path:
        outcome = npc("check", path, folder=tmp_path)
    assert (outcome.code, "1 | kind: {" in outcome.stdout) == (1, True)


def test_files_that_are_not_there_any_more(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("nowhere")
    (tmp_path / "b.yaml").write_text(POLICY, encoding="utf-8")
    outcome = npc("check", ".", folder=tmp_path)
    assert outcome.stdout == "error[NPC101]: a.yaml: No such file or directory\n\nnpc: 1 error\n"
    assert (outcome.code, outcome.stderr) == (1, "")


def test_what_may_not_be_read_does_not_keep_the_rest_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.yaml", "b/c.yaml", "d.yaml"):
        _write(tmp_path / name)
    for name in ("a.yaml", "b"):
        (tmp_path / name).chmod(0)
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    try:
        with _not_as_root():
            found, faults = sources(["."], _no_stdin)
            loaded = load(found)
    finally:
        (tmp_path / "b").chmod(0o700)
    assert [fault.message for fault in faults] == ["./b: Permission denied"]
    assert [one.message for one in loaded.diagnostics] == ["a.yaml: Permission denied"]
    assert [policy.name for policy in loaded.policies] == ["web"]


def test_a_file_name_cannot_drive_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "\x1b[31m\n.yaml").write_text("kind: [\n", encoding="utf-8")
    outcome = npc("check", ".", folder=tmp_path)
    assert " --> \ufffd[31m\ufffd.yaml:1:7\n" in outcome.stdout


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(POLICY, encoding="utf-8")


def _no_stdin() -> bytes:
    raise AssertionError("standard input was read")


@contextmanager
def _not_as_root() -> Iterator[None]:
    """As nobody where the tests run as root, whom no permission stops."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@contextmanager
def _pipe(text: str) -> Iterator[str]:
    """A path at which a text can be read once, as of `npc check <(command)`."""
    reader, writer = os.pipe()
    try:
        os.write(writer, text.encode())
        os.close(writer)
        yield f"/dev/fd/{reader}"
    finally:
        os.close(reader)


def test_a_pipe_in_a_folder_is_left_alone(tmp_path: Path) -> None:
    """Nobody may be writing into it: to read it would take forever. One that is named is read."""
    (tmp_path / "a.yaml").touch()
    os.mkfifo(tmp_path / "b.yaml")
    found, faults = sources([str(tmp_path)], bytes)
    assert ([Path(one.name).name for one in found], faults) == (["a.yaml"], [])
