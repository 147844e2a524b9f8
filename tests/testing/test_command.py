"""`npc test`: what it prints, writes and returns."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import pytest

import npc.cli.progress as npc_progress
from tests.cli.invocation import Terminal, npc, npc_into
from tests.testing.clusters import from_app, policy, write_case

B80, B81 = policy("b", "b", from_app("a", 80)), policy("b", "b", from_app("a", 81))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two cases, of which `bad` expects another port than its policy has."""
    write_case(tmp_path / "cases" / "good", B80, case="targets = []")
    write_case(tmp_path / "cases" / "bad", B80, case="targets = []")
    assert npc("test", "cases", "--update", folder=tmp_path).code == 0
    write_case(tmp_path / "cases" / "bad", B81)
    return tmp_path


def test_a_failure(root: Path) -> None:
    outcome = npc("test", "cases", folder=root)
    assert (outcome.code, outcome.stderr) == (1, "")
    assert outcome.stdout == (
        "FAIL cases/bad\n"
        "  the meaning changed: x/a -> x/b tcp/80: was allowed, now denied\n"
        "  --- expect.plan (expected)\n"
        "  +++ expect.plan (made)\n"
        "  @@ -7,5 +7,5 @@\n"
        " \x20ingress\n"
        "     subject 10.0.0.2 x/b\n"
        "     subject fd00::2 x/b\n"
        "  -  allow tcp/80\n"
        "  +  allow tcp/81\n"
        "       from pods(app=a) in ns/x\n"
        "1 passed, 1 failed\n"
    ).replace(" \x20ingress", "   ingress")


def test_one_case(root: Path) -> None:
    assert npc("test", "cases/good", folder=root).stdout == "1 passed\n"
    assert npc("test", "cases/good", "--quiet", folder=root).stdout == ""


def test_update(root: Path) -> None:
    outcome = npc("test", "cases", "--update", folder=root)
    assert (outcome.code, outcome.stdout) == (
        0,
        "updated cases/bad: rewrote expect.plan\n"
        "  the meaning changed: x/a -> x/b tcp/80: was allowed, now denied\n"
        "2 passed, 1 updated\n",
    )
    assert npc("test", "cases", folder=root).stdout == "2 passed\n"


def test_update_mends_no_packets(root: Path) -> None:
    (root / "cases" / "bad" / "packets.txt").write_text("x/a -> x/b tcp/80 : allow\n")
    outcome = npc("test", "cases", "--update", folder=root)
    assert outcome.code == 1
    assert "updated cases/bad: rewrote expect.plan\n" in outcome.stdout
    assert "FAIL cases/bad\n  packets.txt:1: x/a -> x/b tcp/80 : allow: it is denied" in outcome.stdout
    assert outcome.stdout.endswith("1 passed, 1 failed, 1 updated\n")


@pytest.mark.parametrize(("options", "failures"), [((), "1"), (("--update",), "0")])
def test_junit(root: Path, options: tuple[str, ...], failures: str) -> None:
    npc("test", "cases", "--junit", "results.xml", *options, folder=root)
    suite = ElementTree.parse(root / "results.xml").getroot()[0]
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", failures)
    assert [case.attrib["name"] for case in suite] == ["bad", "good"]


CODES = [
    # (name, arguments, exit code, words of standard error)
    ("fine", ("cases/good",), 0, ""),
    ("failed", ("cases",), 1, ""),
    ("no case", ("empty",), 1, "there is no case in empty"),
    ("no folder", ("absent",), 2, "absent"),
    ("no argument", (), 2, "DIR"),
    ("a file", ("cases/good/policy.yaml",), 2, "is a file"),
    ("no jobs", ("cases", "--jobs", "0"), 2, "--jobs"),
    (
        "an unwritable file",
        ("cases/good", "--junit", "absent/x.xml"),
        1,
        "cannot write absent/x.xml",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "code", "said"), [case[1:] for case in CODES], ids=[case[0] for case in CODES]
)
def test_exit_codes(root: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    (root / "empty").mkdir()
    outcome = npc("test", *arguments, folder=root)
    assert outcome.code == code
    assert said in " ".join(outcome.stderr.split())


def test_nothing_drives_the_terminal(root: Path) -> None:
    with (root / "cases" / "bad" / "expect.plan").open("a") as file:
        file.write("\x1b[2J\n")
    assert "\x1b" not in npc("test", "cases", folder=root).stdout


@pytest.mark.parametrize(("options", "seen"), [((), True), (("--quiet",), False)])
def test_the_bar(root: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], seen: bool) -> None:
    monkeypatch.setattr(npc_progress, "PATIENCE", 0.0)
    stdout, stderr = io.StringIO(), Terminal()
    assert npc_into(stdout, stderr, "test", "cases", *options, folder=root) == 1
    assert ("testing" in stderr.getvalue()) is seen
    assert "\x1b" not in stdout.getvalue()
