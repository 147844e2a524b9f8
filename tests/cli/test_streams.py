"""Standard input, pipes whose reader has gone, and descriptors that are closed or full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.inputs import INVALID_POLICY, INVENTORY, POLICY, RULE
from tests.cli.invocation import npc
from tests.cli.process import SECONDS, Finished, run

BOTH = f"{POLICY}---\n{INVENTORY}".encode()


def test_standard_input(inputs: Path) -> None:
    expected = npc("compile", "policy.yaml", "inventory.yaml", folder=inputs).stdout
    assert run("compile", "-", folder=inputs, stdin=BOTH) == Finished(0, expected, "")


def test_standard_input_is_read_once_and_named(inputs: Path) -> None:
    done = run("check", "-", "-", folder=inputs, stdin=INVALID_POLICY.encode())
    assert (done.code, done.stderr) == (1, "")
    assert "--> <stdin>:7:3\n" in done.stdout
    assert done.stdout.endswith("npc: 1 error\n")


@pytest.mark.parametrize("policies", [1, 2000], ids=["all at once", "more than a pipe holds"])
def test_a_reader_that_has_gone_is_no_error_worth_a_word(inputs: Path, policies: int) -> None:
    endpoints = "".join(
        f"  - {{name: pod-{number}, namespace: shop, addresses: [10.1.{number >> 8}.{number & 255}]}}\n"
        for number in range(policies)
    )
    (inputs / "many.yaml").write_text(f"endpoints:\n{endpoints}")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "npc", "compile", "policy.yaml", "inventory.yaml", "many.yaml"],
            stdout=writer,
            stderr=subprocess.PIPE,
            cwd=inputs,
            timeout=SECONDS,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.stderr == b""
    assert done.returncode in (0, 1)


def test_closed_standard_input_is_no_concern_of_a_compilation_from_files(inputs: Path) -> None:
    done = run("compile", "policy.yaml", "inventory.yaml", folder=inputs, redirect="<&-")
    assert (done.code, done.stderr) == (0, "")
    assert RULE in done.stdout


def test_closed_standard_error_does_not_keep_the_ruleset_back(inputs: Path) -> None:
    done = run("compile", "policy.yaml", "note.yaml", folder=inputs, redirect="2>&-")
    assert done.code == 0
    assert done.stdout.startswith("#!/usr/sbin/nft -f\n")


UNWRITABLE = [(">&-", "closed"), (">/dev/full", "full")]


@pytest.mark.parametrize("redirect", [case[0] for case in UNWRITABLE], ids=[case[1] for case in UNWRITABLE])
def test_standard_output_that_cannot_be_written(inputs: Path, redirect: str) -> None:
    done = run("compile", "policy.yaml", "inventory.yaml", folder=inputs, redirect=redirect)
    assert done.code == 1
    assert done.stderr.startswith("error[NPC505]: ")
    assert "bug" not in done.stderr


@pytest.mark.parametrize("redirect", [case[0] for case in UNWRITABLE], ids=[case[1] for case in UNWRITABLE])
@pytest.mark.parametrize("command", [("convert", "--to", "npc", "policy.yaml"), ("fmt", "--diff", "x.npc")])
def test_policies_that_cannot_be_written(inputs: Path, command: tuple[str, ...], redirect: str) -> None:
    (inputs / "x.npc").write_text("policy  web for pods { isolate ingress }")
    done = run(*command, folder=inputs, redirect=redirect)
    assert done.code == 1
    assert done.stderr.startswith("error[NPC505]: ")
    assert "bug" not in done.stderr
