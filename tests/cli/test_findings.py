"""How findings are written: text with or without colours, JSON, SARIF."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.inputs import INVENTORY
from tests.cli.invocation import Terminal, npc, npc_into
from tests.cli.process import run_on_terminal
from tests.cli.sarif import faults

ESCAPE = "\x1b"

QUIET = [
    # (name, command line, words that --quiet keeps, words that it leaves out)
    ("notes", "compile policy.yaml note.yaml", "", "NPC414"),
    ("warnings", "compile warning.yaml inventory.yaml", "", "NPC401"),
    ("errors stay", "compile invalid.yaml inventory.yaml", "NPC201", ""),
    ("errors stay, warnings go", "compile warning.yaml invalid.yaml inventory.yaml", "1 error\n", "NPC401"),
]


@pytest.mark.parametrize(
    ("arguments", "kept", "left_out"), [case[1:] for case in QUIET], ids=[case[0] for case in QUIET]
)
@pytest.mark.parametrize("option", ["--quiet", "-q"])
def test_quiet(inputs: Path, arguments: str, kept: str, left_out: str, option: str) -> None:
    loud = npc(*arguments.split(), folder=inputs)
    quiet = npc(*arguments.split(), option, folder=inputs)
    assert (quiet.code, quiet.stdout) == (loud.code, loud.stdout)
    assert kept in quiet.stderr
    assert bool(kept) == bool(quiet.stderr)
    if left_out:
        assert left_out in loud.stderr
        assert left_out not in quiet.stderr


MACHINE = [
    # (name, command line, the codes that it gives)
    ("nothing", "compile policy.yaml inventory.yaml", []),
    ("a note", "compile policy.yaml note.yaml", ["NPC414"]),
    ("a warning", "compile warning.yaml inventory.yaml", ["NPC401"]),
    ("an error", "compile invalid.yaml inventory.yaml", ["NPC201"]),
    ("without a place", "compile policy.yaml", ["NPC502"]),
    ("with a second place", "compile policy.yaml inventory.yaml twice.yaml", ["NPC301"]),
    ("quiet counts for text alone", "compile warning.yaml inventory.yaml --quiet", ["NPC401"]),
]


def _with_second_place(folder: Path) -> Path:
    (folder / "twice.yaml").write_text("endpoints: [{name: b, namespace: shop, addresses: [10.0.0.1]}]\n")
    return folder


@pytest.mark.parametrize(
    ("arguments", "codes"), [case[1:] for case in MACHINE], ids=[case[0] for case in MACHINE]
)
def test_json(inputs: Path, arguments: str, codes: list[str]) -> None:
    outcome = npc(*arguments.split(), "--format", "json", folder=_with_second_place(inputs))
    findings: list[dict[str, Any]] = json.loads(outcome.stderr)
    assert [one["code"] for one in findings] == codes
    for one in findings:
        assert one["severity"] in ("error", "warning", "note")
        assert one["message"]
        for place in [one, *one.get("related", [])]:
            if "file" in place:
                assert place["file"] in {path.name for path in inputs.iterdir()}
                assert 1 <= place["column"] < place["endColumn"]
                assert place["line"] >= 1


@pytest.mark.parametrize(
    ("arguments", "codes"), [case[1:] for case in MACHINE], ids=[case[0] for case in MACHINE]
)
def test_sarif(inputs: Path, arguments: str, codes: list[str]) -> None:
    outcome = npc(*arguments.split(), "--format", "sarif", folder=_with_second_place(inputs))
    log = json.loads(outcome.stderr)
    assert faults(log) == []
    assert [one["ruleId"] for one in log["runs"][0]["results"]] == codes


def test_sarif_writes_paths_as_uris(inputs: Path) -> None:
    folder = inputs / "a folder"
    folder.mkdir()
    (inputs / "invalid.yaml").rename(folder / "für shop.yaml")
    outcome = npc("check", "a folder", "--format", "sarif", folder=inputs)
    assert faults(json.loads(outcome.stdout)) == []


def test_check_writes_findings_to_standard_output(inputs: Path) -> None:
    text = npc("check", "invalid.yaml", folder=inputs)
    compiled = npc("compile", "invalid.yaml", "inventory.yaml", folder=inputs)
    assert text.stdout == compiled.stderr
    assert json.loads(npc("check", "invalid.yaml", "--format", "json", folder=inputs).stdout)


COLOURS = [
    # (name, is it a terminal, environment, colours)
    ("a terminal", True, {}, True),
    ("no terminal", False, {}, False),
    ("NO_COLOR", True, {"NO_COLOR": "1"}, False),
    ("an empty NO_COLOR is none (no-color.org)", True, {"NO_COLOR": ""}, True),
    ("a dumb terminal", True, {"TERM": "dumb"}, False),
]


@pytest.mark.parametrize(
    ("terminal", "environment", "expected"), [case[1:] for case in COLOURS], ids=[case[0] for case in COLOURS]
)
def test_colours(
    inputs: Path,
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    environment: dict[str, str],
    expected: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stderr = Terminal() if terminal else io.StringIO()
    npc_into(io.StringIO(), stderr, "compile", "invalid.yaml", "inventory.yaml", folder=inputs)
    assert "error" in stderr.getvalue()
    assert (ESCAPE in stderr.getvalue()) is expected


def test_colours_do_not_change_the_words(inputs: Path) -> None:
    stderr = Terminal()
    npc_into(io.StringIO(), stderr, "compile", "invalid.yaml", "inventory.yaml", folder=inputs)
    plain = npc("compile", "invalid.yaml", "inventory.yaml", folder=inputs).stderr
    assert re.sub(r"\x1b\[[0-9;]*m", "", stderr.getvalue()) == plain


def test_no_escape_in_any_output_that_is_no_terminal(inputs: Path) -> None:
    for arguments in ("compile policy.yaml note.yaml", "check invalid.yaml", "compile", "--help", "targets"):
        outcome = npc(*arguments.split(), folder=inputs)
        assert ESCAPE not in outcome.stdout + outcome.stderr, arguments


def test_on_a_real_terminal(inputs: Path) -> None:
    shown = run_on_terminal("compile", "invalid.yaml", "inventory.yaml", folder=inputs)
    assert f"{ESCAPE}[1;31merror[NPC201]{ESCAPE}[0m: " in shown
    assert shown.endswith("npc: 1 error\n")


def test_file_names_cannot_drive_the_terminal(inputs: Path) -> None:
    (inputs / f"{ESCAPE}[31mred.yaml").write_text("text\n")
    (inputs / "inventory.yaml").write_text(INVENTORY)
    outcome = npc("check", f"{ESCAPE}[31mred.yaml", folder=inputs)
    assert (outcome.code, ESCAPE in outcome.stdout) == (1, False)
