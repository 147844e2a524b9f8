"""A case is examined, and what came of it is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from npc.testing import Outcome, accept, examine, find_cases
from npc.testing import running as running_module
from tests.testing.clusters import INVENTORY, from_app, policy, write_case

B80, B81 = policy("b", "b", from_app("a", 80)), policy("b", "b", from_app("a", 81))
WRONG = B80.replace("spec:", "spek:")
HOST_BITS = policy("b", "b", "ingress: [{from: [{ipBlock: {cidr: 10.1.2.3/8}}]}]")


def examined(folder: Path) -> Outcome:
    (case,) = find_cases([str(folder)])
    return examine(case)


def settled(folder: Path, policies: str = B80, **files: str) -> Path:
    """A case that expects what comes of it."""
    write_case(folder, policies, **files)
    accept(examined(folder))
    assert examined(folder).passed
    return folder


def states(outcome: Outcome) -> dict[str, str]:
    return {
        change.file: "new" if change.expected is None else "stale" if change.made is None else "other"
        for change in outcome.changes
    }


EXPECTATIONS = [
    # (name, policies, case.toml, files that are made)
    ("a policy", B80, "", ["expect.nft", "expect.plan"]),
    ("a warning", HOST_BITS, "", ["expect.nft", "expect.plan", "expect.txt"]),
    ("an error", WRONG, "", ["expect.txt"]),
    ("no target", B80, "targets = []", ["expect.plan"]),
    ("an option that the target refuses", B80, "table = 'ip'", ["expect.plan", "expect.txt"]),
    ("a node that there is not", B80, "node = 'm'", ["expect.txt"]),
]


@pytest.mark.parametrize(
    ("policies", "case", "files"), [case[1:] for case in EXPECTATIONS], ids=[case[0] for case in EXPECTATIONS]
)
def test_what_a_case_expects(tmp_path: Path, policies: str, case: str, files: list[str]) -> None:
    write_case(tmp_path, policies, case=case)
    outcome = examined(tmp_path)
    assert (outcome.faults, states(outcome)) == ((), dict.fromkeys(files, "new"))
    assert outcome.meaning == "it expects nothing yet"
    assert not outcome.passed
    assert accept(outcome) == [f"wrote {name}" for name in files]
    assert examined(tmp_path).passed


def test_diagnostics_name_files_relative_to_the_case(tmp_path: Path) -> None:
    settled(tmp_path / "case", WRONG)
    text = (tmp_path / "case" / "expect.txt").read_text()
    assert text.startswith('error[NPC201]: spek: unknown field "spek"\n --> policy.yaml:1:')
    assert text.endswith("\n\nnpc: 1 error\n")


ONLY_TEXT = "only the text changed, not what passes"
BOTH = {"expect.nft": "other", "expect.plan": "other"}

MEANINGS = [
    # (name, policies before, policies after, case.toml after, changed files, the sentence)
    ("a port", B80, B81, "", BOTH,
     "the meaning changed: x/a -> x/b tcp/80: was allowed, now denied"),
    ("a name", B80, B80.replace("name: b", "name: bb"), "", {"expect.nft": "other"},
     ONLY_TEXT),
    ("a table", B80, B80, "table = 'pods'", {"expect.nft": "other"}, ONLY_TEXT),
    ("an option", B80, B80, "own-node = 'policed'", BOTH,
     "the meaning changed: own-node was the default, is now policed"),
    ("an option and a port", B80, B81, "deny-with = 'reject'", BOTH,
     "the meaning changed: x/a -> x/b tcp/80: was allowed, now denied; "
     "deny-with was the default, is now reject"),
    ("an error", B80, WRONG, "", {"expect.nft": "stale", "expect.plan": "stale", "expect.txt": "new"},
     "it does not compile any more"),
    ("an error less", WRONG, B80, "", {"expect.nft": "new", "expect.plan": "new", "expect.txt": "stale"},
     "it compiles now"),
    ("another error", WRONG, B80.replace("kind: N", "kind: M"), "", {"expect.txt": "other"},
     "it does not compile, as before"),
    ("a warning more", B80, B80 + "---\n" + B80, "", {"expect.txt": "new"},
     "what it expects besides is as it was"),
    ("a target less", B80, B80, "targets = []", {"expect.nft": "stale"}, ONLY_TEXT),
    ("all open", B80, "", "", {"expect.nft": "other", "expect.plan": "other", "expect.txt": "new"},
     "the meaning changed: x/a -> x/b tcp/443: was denied, now allowed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "case", "changed", "meaning"),
    [case[1:] for case in MEANINGS],
    ids=[case[0] for case in MEANINGS],
)
def test_meaning(
    tmp_path: Path, before: str, after: str, case: str, changed: dict[str, str], meaning: str
) -> None:
    settled(tmp_path, before)
    write_case(tmp_path, after, case=case)
    outcome = examined(tmp_path)
    assert (outcome.faults, states(outcome), outcome.meaning) == ((), changed, meaning)
    accept(outcome)
    assert examined(tmp_path).passed


def test_a_stale_file_is_a_failure_and_removed(tmp_path: Path) -> None:
    settled(tmp_path)
    (tmp_path / "expect.iptables").write_text("old")
    outcome = examined(tmp_path)
    assert states(outcome) == {"expect.iptables": "stale"}
    assert accept(outcome) == ["removed expect.iptables"]
    assert not (tmp_path / "expect.iptables").exists()


@pytest.mark.parametrize(
    ("plan", "meaning"),
    [
        (None, "what it meant before is not known: there was no expect.plan"),
        ("no plan", "what it meant before is not known: expect.plan: line 1: 'no plan' may not stand here"),
    ],
)
def test_without_a_readable_plan_nothing_is_claimed(tmp_path: Path, plan: str | None, meaning: str) -> None:
    settled(tmp_path)
    write_case(tmp_path, B81)
    if plan is None:
        (tmp_path / "expect.plan").unlink()
    else:
        (tmp_path / "expect.plan").write_text(plan)
    assert examined(tmp_path).meaning == meaning


def test_packets_alone(tmp_path: Path) -> None:
    write_case(tmp_path, B80, packets="x/a -> x/b tcp/80 : allow\nx/a -> x/b tcp/81 : deny\n")
    assert examined(tmp_path).passed
    assert accept(examined(tmp_path)) == []
    write_case(tmp_path, B81)
    assert [fault[:14] for fault in examined(tmp_path).faults] == [
        "packets.txt:1:",  # once for each family
        "packets.txt:1:",
        "packets.txt:2:",
        "packets.txt:2:",
    ]
    write_case(tmp_path, WRONG)
    faults = examined(tmp_path).faults
    assert faults[0] == "packets.txt: the case does not compile"
    assert faults[1].startswith("error[NPC201]")


def test_packets_beside_expectations(tmp_path: Path) -> None:
    settled(tmp_path)
    (tmp_path / "packets.txt").write_text("x/c -> x/b tcp/80 : allow\n")
    outcome = examined(tmp_path)
    assert not outcome.passed
    assert outcome.changes == ()
    assert outcome.faults[0].startswith("packets.txt:1: x/c -> x/b tcp/80 : allow: it is denied by ")


def test_shared_input(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "inventory.yaml").write_text(INVENTORY)
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "policy.yaml").write_text(B80)
    (tmp_path / "case" / "packets.txt").write_text("x/a -> x/b tcp/80 : allow\n")
    (tmp_path / "case" / "case.toml").write_text("input = ['../cluster', 'policy.yaml']\n")
    assert examined(tmp_path / "case").faults == ()
    assert [case.folder.name for case in find_cases([str(tmp_path)])] == ["case"]


FAULTS = [
    # (name, case.toml, the fault)
    ("a key", "tabel = 'x'", "case.toml: unknown key 'tabel': did you mean 'table'?"),
    ("a target", "targets = ['ntf']", "case.toml: targets: there is no target 'ntf': did you mean 'nft'?"),
    ("a setting", "settings = {a = 1}", "case.toml: no target has a setting 'a': "),
    ("a path", "input = ['absent']", "case.toml: input: there is no file or directory "),
]


@pytest.mark.parametrize(("case", "fault"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_a_case_that_cannot_be_run(tmp_path: Path, case: str, fault: str) -> None:
    write_case(tmp_path, B80, case=case)
    outcome = examined(tmp_path)
    assert outcome.changes == ()
    (said,) = outcome.faults
    assert said.startswith(fault)


def test_nothing_to_compile(tmp_path: Path) -> None:
    (tmp_path / "case.toml").touch()
    assert examined(tmp_path).faults == ("there is no YAML, JSON or .npc file to compile",)


def test_strays(tmp_path: Path) -> None:
    write_case(tmp_path, B80)
    (tmp_path / "packet.txt").touch()
    assert examined(tmp_path).faults == ("packet.txt: a case has no such file: did you mean 'packets.txt'?",)


def test_a_crash_is_one_case_s_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    write_case(tmp_path, B80)
    monkeypatch.setattr(running_module, "plan_sources", crash)
    (fault,) = examined(tmp_path).faults
    assert fault.startswith("internal error: RuntimeError: boom, at test_running.py:")
