"""What `npc` says of itself, and whether the manual says it too."""

from __future__ import annotations

import re
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.invocation import npc

COMPILE_PAGE = Path(__file__).parents[2] / "docs" / "compile.md"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")

HELP = [
    # (arguments, words that are in the answer)
    (("--help",), ("compile", "check", "targets", "--version")),
    (("-h",), ("compile", "check", "targets", "--version")),
    (("compile", "--help"), ("PATH", "--inventory", "--node", "--output", "--own-node", "--deny-with")),
    (
        ("compile", "-h"),
        ("--log-denied", "--hook-priority", "--table", "--template-dir", "--format", "--quiet"),
    ),
    (("check", "--help"), ("PATH", "--format", "--quiet")),
    (("fmt", "--help"), ("PATH", "--check", "--diff")),
    (("convert", "--help"), ("PATH", "--to", "--output", "--quiet")),
    (("reach", "--help"), ("PATH", "--from", "--to", "--focus", "--format", "--html", "--assume")),
    (("verify", "--help"), ("PATH", "--ruleset", "--inventory", "--node", "--own-node", "--format")),
    (("targets", "--help"), ("targets",)),
]


@pytest.mark.parametrize(("arguments", "words"), HELP, ids=[" ".join(case[0]) for case in HELP])
def test_help(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    outcome = npc(*arguments)
    shown = ANSI.sub("", outcome.stdout)
    assert (outcome.code, outcome.stderr, [word for word in words if word not in shown]) == (0, "", [])


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("compile", "npc compile [OPTIONS] PATH..."),
        ("check", "npc check [OPTIONS] PATH..."),
        ("convert", "npc convert [OPTIONS] PATH..."),
        ("fmt", "npc fmt [OPTIONS] PATH..."),
        ("test", "npc test [OPTIONS] DIR..."),
        ("lsp", "npc lsp [OPTIONS]"),
        ("verify", "npc verify [OPTIONS] PATH..."),
    ],
)
def test_usage_and_paragraphs(command: str, usage: str) -> None:
    lines = ANSI.sub("", npc(command, "--help").stdout).splitlines()
    said = [line.strip() for line in lines]
    assert f"Usage: {usage}" in said
    prose = said[said.index(f"Usage: {usage}") + 2 :]
    prose = prose[: next(index for index, line in enumerate(prose) if line.startswith("╭"))]
    breaks = [(line, after) for line, after in pairwise(prose) if line and after]
    assert [line for line, after in breaks if len(f"{line} {after.split()[0]}") <= 78] == []


def test_every_option_of_compile_has_a_section_in_the_manual() -> None:
    options = set(OPTION.findall(ANSI.sub("", npc("compile", "--help").stdout))) - {"--help"}
    headings = set(OPTION.findall(" ".join(re.findall(r"^#+ .*", COMPILE_PAGE.read_text(), re.MULTILINE))))
    assert headings == options


@pytest.mark.parametrize("command", ["compile", "check", "query", "reach", "verify", "diff"])
def test_brackets_in_help_are_shown(command: str) -> None:
    """The help is written with rich's markup, which takes what stands in brackets away."""
    shown = " ".join(re.sub(r"[│\s]+", " ", ANSI.sub("", npc(command, "-h").stdout)).split())
    assert "npc.toml, or [tool.npc] in pyproject.toml" in shown


def test_version() -> None:
    outcome = npc("--version")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, f"npc {version('npc-compiler')}\n", "")


def test_targets() -> None:
    outcome = npc("targets")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert any(line.startswith("nft ") and "npc.nft" in line for line in outcome.stdout.splitlines())
