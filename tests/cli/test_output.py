"""Where the ruleset goes: to standard output, or into a file whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.cli.invocation import Outcome, npc

OLD = "an earlier ruleset\n"


def _compile(folder: Path, output: str, policy: str = "policy.yaml") -> Outcome:
    return npc("compile", policy, "inventory.yaml", "--output", output, folder=folder)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_gets_what_standard_output_would(inputs: Path) -> None:
    outcome = _compile(inputs, "out.nft")
    assert outcome == Outcome(0, "", "")
    expected = npc("compile", "policy.yaml", "inventory.yaml", folder=inputs).stdout
    assert (inputs / "out.nft").read_bytes().decode() == expected


def test_a_folder_gets_the_file_by_its_own_name(inputs: Path) -> None:
    (inputs / "out").mkdir()
    assert _compile(inputs, "out").code == 0
    assert _names(inputs / "out") == {"npc.nft"}


FOLDERS = [
    # (name, target, output, the files that are there afterwards)
    ("a new folder", "nft", "new/", {"new/npc.nft"}),
    ("a folder in a new one", "nft", "new/node-a/", {"new/node-a/npc.nft"}),
    ("a folder that is there", "nft", "there", {"there/npc.nft"}),
    ("the same with a slash", "nft", "there/", {"there/npc.nft"}),
    ("this folder", "ovs", ".", {"npc.flows"}),
    ("several files", "iptables", "new/", {f"new/npc.{one}" for one in ("ipset", "v4.rules", "v6.rules")}),
    ("several files without a slash", "iptables", "new", {"new/load.sh"}),
    ("policies", "kubernetes", "new/", {"new/npc.yaml"}),
    ("a file", "kubernetes", "new", {"new"}),
]


@pytest.mark.parametrize(
    ("target", "output", "files"), [case[1:] for case in FOLDERS], ids=[case[0] for case in FOLDERS]
)
def test_a_folder_gets_files_for_every_target(
    inputs: Path, target: str, output: str, files: set[str]
) -> None:
    (inputs / "there").mkdir()
    outcome = npc("compile", "policy.yaml", "inventory.yaml", "-t", target, "-o", output, folder=inputs)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "")
    assert {name for name in files if (inputs / name).is_file()} == files


def test_an_earlier_file_is_replaced_and_keeps_its_mode(inputs: Path) -> None:
    old = inputs / "out.nft"
    old.write_text(OLD)
    old.chmod(0o640)
    before = _names(inputs)
    with old.open() as reader:  # as nft would hold it: an atomic replacement leaves its reader the old text
        assert _compile(inputs, "out.nft").code == 0
        assert reader.read() == OLD
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert old.read_text().startswith("#!/usr/sbin/nft -f\n")
    assert _names(inputs) == before


def test_a_new_file_has_the_mode_that_the_umask_gives(inputs: Path) -> None:
    before = os.umask(0o027)
    try:
        assert _compile(inputs, "out.nft").code == 0
        assert os.umask(0o027) == 0o027, "the umask is as it was"
    finally:
        os.umask(before)
    assert stat.S_IMODE((inputs / "out.nft").stat().st_mode) == 0o640


def test_a_symbolic_link_stays_one(inputs: Path) -> None:
    (inputs / "real").mkdir()
    (inputs / "link.nft").symlink_to("real/out.nft")
    assert _compile(inputs, "link.nft").code == 0
    assert (inputs / "link.nft").is_symlink()
    assert (inputs / "real/out.nft").read_text().startswith("#!/usr/sbin/nft -f\n")


def test_errors_in_the_input_leave_the_earlier_file(inputs: Path) -> None:
    (inputs / "out.nft").write_text(OLD)
    before = _names(inputs)
    assert _compile(inputs, "out.nft", "invalid.yaml").code == 1
    assert (inputs / "out.nft").read_text() == OLD
    assert _names(inputs) == before


def test_a_failure_while_writing_leaves_the_earlier_file(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "out.nft")

    (inputs / "out.nft").write_text(OLD)
    before = _names(inputs)
    monkeypatch.setattr(os, "replace", fail)
    outcome = _compile(inputs, "out.nft")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "error[NPC505]: cannot write out.nft: No space left on device" in outcome.stderr
    assert (inputs / "out.nft").read_text() == OLD
    assert _names(inputs) == before, "no temporary file is left behind"


UNWRITABLE = [
    # (name, output, why)
    ("no such folder", "absent/out.nft", "No such file or directory"),
    ("below a file", "policy.yaml/out.nft", "Not a directory"),
    ("a file as a folder", "policy.yaml/", "File exists"),
]


@pytest.mark.parametrize(
    ("output", "why"), [case[1:] for case in UNWRITABLE], ids=[case[0] for case in UNWRITABLE]
)
def test_a_place_that_cannot_be_written(inputs: Path, output: str, why: str) -> None:
    before = _names(inputs)
    outcome = _compile(inputs, output)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr == f"error[NPC505]: cannot write {output}: {why}\n\nnpc: 1 error\n"
    assert _names(inputs) == before


def test_a_device_is_written_in_place(inputs: Path) -> None:
    assert _compile(inputs, os.devnull) == Outcome(0, "", "")
    assert Path(os.devnull).is_char_device()
