"""0 fine, 1 errors in the input, 2 usage, 70 a bug in npc; and what is said where."""

from __future__ import annotations

from pathlib import Path

import pytest

import npc.api as npc_api
from tests.cli.inputs import RULE
from tests.cli.invocation import npc

CODES = [
    # (name, command line, exit code, words on standard output, words on standard error)
    ("a ruleset", "compile policy.yaml inventory.yaml", 0, RULE, ""),
    ("an inventory by its option", "compile policy.yaml -i inventory.yaml", 0, RULE, ""),
    ("a folder", "compile .", 1, "", "NPC201"),
    ("a node", "compile policy.yaml inventory.yaml --node node-a", 0, RULE, ""),
    ("a note does not fail", "compile policy.yaml note.yaml", 0, RULE, "note[NPC414]"),
    ("a warning does not fail", "compile warning.yaml inventory.yaml", 0, "accept", "warning[NPC401]"),
    ("nothing to complain of", "check policy.yaml inventory.yaml", 0, "", ""),
    ("a warning in a check", "check warning.yaml", 0, "warning[NPC401]", ""),
    ("an invalid policy", "compile invalid.yaml inventory.yaml", 1, "", "error[NPC201]"),
    ("an invalid policy in a check", "check invalid.yaml", 1, "error[NPC201]", ""),
    ("no such file", "compile absent.yaml inventory.yaml", 1, "", "error[NPC101]"),
    ("no such file in a check", "check absent.yaml", 1, "error[NPC101]", ""),
    ("no inventory", "compile policy.yaml", 1, "", "error[NPC502]"),
    ("no such node", "compile policy.yaml inventory.yaml --node node-b", 1, "", "did you mean 'node-a'?"),
    ("no such target", "compile policy.yaml inventory.yaml --target ntf", 1, "", "did you mean 'nft'?"),
    ("no name for a table", "compile policy.yaml inventory.yaml --table ip", 1, "", "error[NPC506]"),
    ("no such hook", "compile policy.yaml inventory.yaml --hook-priority -200", 1, "", "error[NPC506]"),
    ("no words at all", "", 2, "Usage", ""),
    ("no such command", "compil policy.yaml", 2, "", "compil"),
    ("no path", "compile", 2, "", "PATH"),
    ("no such option", "compile policy.yaml --nod node-a", 2, "", "--nod"),
    ("no such value", "compile policy.yaml --deny-with silence", 2, "", "silence"),
    ("no number", "compile policy.yaml --hook-priority high", 2, "", "--hook-priority"),
    ("no such folder", "compile policy.yaml --template-dir absent", 2, "", "absent"),
    ("no day", "check policy.yaml --today 2026-13-01", 2, "", "write YYYY-MM-DD"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "stdout", "stderr"), [case[1:] for case in CODES], ids=[case[0] for case in CODES]
)
def test_exit_code(inputs: Path, arguments: str, code: int, stdout: str, stderr: str) -> None:
    outcome = npc(*arguments.split(), folder=inputs)
    assert outcome.code == code, outcome
    for words, found in ((stdout, outcome.stdout), (stderr, outcome.stderr)):
        assert words in found
        assert bool(words) == bool(found), f"nothing but what belongs there: {found}"


STRICT = [
    # (name, command line, exit code, how the output ends)
    (
        "compile",
        "compile warning.yaml inventory.yaml -o out.nft",
        1,
        "npc: 1 warning; with --strict nothing is written\n",
    ),
    (
        "compile --quiet",
        "compile warning.yaml note.yaml -o out.nft -q",
        1,
        "npc: 1 warning; with --strict nothing is written\n",
    ),
    ("check", "check warning.yaml", 1, "npc: 1 warning; with --strict the exit code is 1\n"),
    ("check --quiet", "check warning.yaml -q", 1, "npc: 1 warning; with --strict the exit code is 1\n"),
    ("an error", "check warning.yaml invalid.yaml", 1, "npc: 1 error, 1 warning\n"),
    ("a note", "compile policy.yaml note.yaml -o there.nft", 0, "it has no label but its name\n"),
    ("nothing", "compile policy.yaml inventory.yaml -o there.nft", 0, ""),
]


@pytest.mark.parametrize(
    ("arguments", "code", "end"), [case[1:] for case in STRICT], ids=[case[0] for case in STRICT]
)
def test_strict(inputs: Path, arguments: str, code: int, end: str) -> None:
    outcome = npc(*arguments.split(), "--strict", folder=inputs)
    said = outcome.stdout + outcome.stderr
    assert (outcome.code, said.endswith(end), bool(said)) == (code, True, bool(end)), said
    assert not (inputs / "out.nft").exists()
    assert "note[" not in said or "-q" not in arguments


def test_an_error_leaves_standard_output_empty(inputs: Path) -> None:
    outcome = npc("compile", "policy.yaml", "invalid.yaml", "inventory.yaml", folder=inputs)
    assert (outcome.code, outcome.stdout) == (1, "")


def test_a_bug_is_one_paragraph_and_no_traceback(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("tier")

    monkeypatch.setattr(npc_api, "compile_paths", fail)
    outcome = npc("compile", "policy.yaml", "inventory.yaml", folder=inputs)
    assert (outcome.code, outcome.stdout) == (70, "")
    lines = outcome.stderr.splitlines()
    assert lines[0] == "npc: internal error: KeyError: 'tier'"
    assert "bug in npc" in lines[-1]
    assert all(lines), "one paragraph"
    assert len(lines) <= 4
    assert "Traceback" not in outcome.stderr


def test_an_interrupt_ends_quietly(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(npc_api, "compile_paths", interrupt)
    outcome = npc("compile", "policy.yaml", "inventory.yaml", folder=inputs)
    assert outcome.code == 130
    assert "Traceback" not in outcome.stderr
