"""`npc fmt`: files in place, whole or not at all; --check, --diff and standard input."""

from __future__ import annotations

import io
import os
from pathlib import Path
from unittest import mock

import pytest

from tests.cli.invocation import npc

UGLY = "policy web in shop for pods{isolate   ingress}"
NEAT = "policy web in shop for pods { isolate ingress }\n"
BROKEN = "policy web in shop for { isolate ingress }\n"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder with policies of the language, and with what is none."""
    for name, text in {
        "ugly.npc": UGLY,
        "neat.npc": NEAT,
        "below/ugly.npc": UGLY,
        "policy.yaml": "kind: NetworkPolicy",
        "ugly.txt": UGLY,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


RUNS = [
    # (name, command line, exit code, standard output, files that are neat afterwards)
    ("a file", "ugly.npc", 0, "formatted ugly.npc\n", ["ugly.npc"]),
    ("a neat file", "neat.npc", 0, "", []),
    (
        "a folder",
        ".",
        0,
        "formatted below/ugly.npc\nformatted ugly.npc\n",
        ["ugly.npc", "below/ugly.npc"],
    ),
    ("any name that is given", "ugly.txt", 0, "formatted ugly.txt\n", ["ugly.txt"]),
    ("--check", "--check .", 1, "below/ugly.npc\nugly.npc\n", []),
    ("--check of a neat file", "--check neat.npc", 0, "", []),
    (
        "--diff",
        "--diff ugly.npc neat.npc",
        0,
        "--- ugly.npc\n+++ ugly.npc (formatted)\n"
        f"@@ -1 +1 @@\n-{UGLY}\n\\ No newline at end of file\n+{NEAT}",
        [],
    ),
]


@pytest.mark.parametrize(
    ("arguments", "code", "stdout", "neat"), [case[1:] for case in RUNS], ids=[case[0] for case in RUNS]
)
def test_runs(texts: Path, arguments: str, code: int, stdout: str, neat: list[str]) -> None:
    outcome = npc("fmt", *arguments.split(), folder=texts)
    assert (outcome.code, sorted(outcome.stdout.splitlines()), outcome.stderr) == (
        code,
        sorted(stdout.splitlines()),
        "",
    )
    for name in ("ugly.npc", "below/ugly.npc", "ugly.txt"):
        assert (texts / name).read_text(encoding="utf-8") == (NEAT if name in neat else UGLY)
    assert (texts / "policy.yaml").read_text(encoding="utf-8") == "kind: NetworkPolicy"


def test_check_and_diff_together(texts: Path) -> None:
    outcome = npc("fmt", "--check", "--diff", "ugly.npc", folder=texts)
    assert outcome.code == 1
    assert outcome.stdout.startswith("--- ugly.npc\n")


def test_a_file_with_errors_is_left_alone_and_the_others_are_not(texts: Path) -> None:
    (texts / "broken.npc").write_text(BROKEN, encoding="utf-8")
    outcome = npc("fmt", "broken.npc", "ugly.npc", folder=texts)
    assert (outcome.code, outcome.stdout) == (1, "formatted ugly.npc\n")
    assert "--> broken.npc:1:24" in outcome.stderr
    assert (texts / "broken.npc").read_text(encoding="utf-8") == BROKEN


REFUSED = [
    # (name, the file's name and its bytes, words of what is said)
    ("YAML", ("a.yaml", b"kind: Pod"), "a.yaml is not in the policy language"),
    ("no text", ("a.npc", b"policy \xff"), "the byte 0xff is not UTF-8"),
    ("no file", ("", b""), "there is no file or directory a.npc"),
    ("a folder with YAML alone", ("folder/a.yaml", b"kind: Pod"), "no .npc file in the directory folder"),
]


@pytest.mark.parametrize(("file", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused(tmp_path: Path, file: tuple[str, bytes], said: str) -> None:
    name, content = file
    if name:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    outcome = npc("fmt", name.split("/")[0] or "a.npc", folder=tmp_path)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert said in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "stdout"), [((), 0, NEAT), (("--check",), 1, "<stdin>\n")], ids=["format", "check"]
)
def test_standard_input(tmp_path: Path, arguments: tuple[str, ...], code: int, stdout: str) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(UGLY.encode()))
    with mock.patch("sys.stdin", stdin):
        outcome = npc("fmt", *arguments, "-", folder=tmp_path)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (code, stdout, "")


def test_a_file_keeps_its_mode_and_a_byte_order_mark_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.npc"
    path.write_bytes(b"\xef\xbb\xbf" + UGLY.encode())
    path.chmod(0o640)
    assert npc("fmt", "a.npc", folder=tmp_path).code == 0
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (NEAT.encode(), 0o640)


def test_a_file_that_is_neat_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "a.npc"
    path.write_text(NEAT)
    os.utime(path, (1, 1))
    assert npc("fmt", "a.npc", folder=tmp_path).code == 0
    assert path.stat().st_mtime == 1
