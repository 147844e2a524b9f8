"""`npc compile --all-nodes`: what is written, when nothing is, and what is said."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import npc.cli.progress as npc_progress
from tests.cli.invocation import Terminal, npc, npc_into
from tests.fleet.clusters import NODES, one_by_one, write_cluster
from tests.fleet.dask_cluster import cluster

TARGETS = ("nft", "iptables", "ovs")
ON_NO_NODE = "  - {name: stray, namespace: shop, labels: {app: web}, addresses: [10.9.9.9]}\n"
TWICE = "".join(
    f"  - {{name: x{number}, namespace: shop, addresses: [10.9.0.{number}], labels: {{app: web}}, "
    f"node: node-05, ovsPort: 7}}\n"
    for number in range(2)
)
"""Two endpoints of one node with one OpenFlow port: an error for the target ovs alone."""


def written(folder: Path) -> dict[str, dict[str, str]]:
    """The files of each node by name."""
    return {
        node.name: {file.name: file.read_text(encoding="utf-8") for file in sorted(node.iterdir())}
        for node in sorted(folder.iterdir())
    }


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "options", [("--jobs", "1"), ("--jobs", "3"), ()], ids=["one job", "three", "default"]
)
def test_a_folder_for_each_node(tmp_path: Path, target: str, options: tuple[str, ...]) -> None:
    paths = write_cluster(tmp_path)
    output = tmp_path / "out" / "rules"
    found = npc("compile", *paths, "-t", target, "--all-nodes", "-o", str(output), *options)
    assert (found.code, found.stdout, found.stderr) == (0, "", "")
    expected = one_by_one(paths, target)
    assert written(output) == {node: dict(sorted(files.items())) for node, files in expected.items()}


def test_a_dask_cluster(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    paths = write_cluster(tmp_path)
    with cluster(tmp_path) as found:
        address = f"dask://{found.address}"
        done = npc("compile", *paths, "--all-nodes", "-o", str(tmp_path / "out"), "--executor", address)
    assert (done.code, done.stdout, done.stderr) == (0, "", "")
    assert written(tmp_path / "out") == one_by_one(paths, "nft")


USAGE = [
    # (name, arguments, what the last line says)
    ("one node and all", ("--all-nodes", "--node", "a", "-o", "out"), "not beside --node"),
    ("no folder", ("--all-nodes",), "names the folder"),
    ("standard output", ("--all-nodes", "-o", "-"), "names the folder"),
    ("jobs for one node", ("--jobs", "2"), "only with --all-nodes"),
    ("no job", ("--all-nodes", "-o", "out", "--jobs", "0"), "0 is not in the range"),
    ("an executor for one node", ("--executor", "dask://h:1"), "only with --all-nodes"),
    (
        "jobs and an executor",
        ("--all-nodes", "-o", "out", "--jobs", "2", "--executor", "dask://h:1"),
        "not beside --executor",
    ),
    ("another executor", ("--all-nodes", "-o", "out", "--executor", "ssh://h:1"), "of a Dask scheduler"),
    ("no port", ("--all-nodes", "-o", "out", "--executor", "dask://h"), "of a Dask scheduler"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), [case[1:] for case in USAGE], ids=[case[0] for case in USAGE]
)
def test_usage(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    found = npc("compile", *write_cluster(tmp_path), *arguments, folder=tmp_path)
    assert found.code == 2
    assert message in " ".join(found.stderr.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


ERRORS = [
    # (name, target, more of the inventory, options, the code)
    ("one node cannot be compiled", "ovs", TWICE, (), "NPC506"),
    ("one node cannot be compiled by a process", "ovs", TWICE, ("--jobs", "2"), "NPC506"),
    ("a warning, strictly", "nft", ON_NO_NODE, ("--strict",), "NPC421"),
    ("a setting that there is not", "nft", "", ("--set", "x=y"), "NPC506"),
    ("an option that the target does not have", "ovs", "", ("--log-denied",), "NPC506"),
    ("a target without nodes", "kubernetes", "", (), "NPC506"),
    ("no scheduler", "nft", "", ("--executor", "dask://127.0.0.1:9"), "NPC508"),
    ("a node whose name is a path", "nft", ON_NO_NODE.replace("shop,", "shop, node: ../up,"), (), "NPC303"),
]


@pytest.mark.parametrize(
    ("target", "more", "options", "code"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS]
)
def test_an_error_leaves_all_as_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    more: str,
    options: tuple[str, ...],
    code: str,
) -> None:
    monkeypatch.setattr("npc.workers.PATIENCE", 1.0)
    if "--executor" in options:
        pytest.importorskip("distributed")
    (tmp_path / "out" / "node-00").mkdir(parents=True)
    (tmp_path / "out" / "node-00" / "npc.nft").write_text("old", encoding="utf-8")
    paths = write_cluster(tmp_path, more=more)
    found = npc("compile", *paths, "-t", target, "--all-nodes", "-o", str(tmp_path / "out"), *options)
    assert (found.code, found.stdout) == (1, "")
    assert found.stderr.count(f"[{code}]") == 1
    assert written(tmp_path / "out") == {"node-00": {"npc.nft": "old"}}


def test_findings_are_told_once(tmp_path: Path) -> None:
    paths = write_cluster(tmp_path, more=ON_NO_NODE)
    found = npc("compile", *paths, "--all-nodes", "-o", str(tmp_path / "out"))
    assert found.code == 0
    assert found.stderr == (
        "warning[NPC421]: policies decide for endpoints that run on no node, and no ruleset rules: "
        "shop/stray\n"
        "   = help: say in the inventory which node each runs on\n"
        "\n"
        "npc: 1 warning\n"
    )
    quiet = npc("compile", *paths, "--all-nodes", "-o", str(tmp_path / "out"), "--quiet")
    assert (quiet.code, quiet.stderr) == (0, "")


def test_files_of_nodes_that_are_gone(tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert npc("compile", *write_cluster(tmp_path), "--all-nodes", "-o", str(output)).code == 0
    (output / "notes").mkdir()
    fewer = write_cluster(tmp_path, NODES[:-2])
    found = npc("compile", *fewer, "--all-nodes", "-o", str(output))
    assert found.code == 0
    assert "[NPC422]" in found.stderr
    assert "2 nodes that the inventory does not have: node-10, node-11\n" in found.stderr
    assert (output / "node-11" / "npc.nft").exists(), "npc removes nothing"
    strictly = npc("compile", *fewer, "--all-nodes", "-o", str(output), "--strict")
    assert (strictly.code, strictly.stderr.count("[NPC422]")) == (1, 1)


def test_a_file_where_a_folder_is_needed(tmp_path: Path) -> None:
    paths = write_cluster(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "node-03").write_text("mine", encoding="utf-8")
    found = npc("compile", *paths, "--all-nodes", "-o", str(tmp_path / "out"))
    assert (found.code, found.stderr.count("[NPC505]")) == (1, 1)
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["node-03"]
    on_file = npc("compile", *paths, "--all-nodes", "-o", paths[0])
    assert (on_file.code, on_file.stderr.count("[NPC505]")) == (1, 1)


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    paths = write_cluster(tmp_path)
    file = tmp_path / "out" / "node-00" / "npc.nft"
    for _ in range(2):
        assert npc("compile", *paths, "--all-nodes", "-o", str(tmp_path / "out")).code == 0
        assert file.stat().st_mode & 0o7777 in (0o644, 0o600)
        file.chmod(0o600)
    assert npc("compile", *paths, "--all-nodes", "-o", str(tmp_path / "out")).code == 0
    assert file.stat().st_mode & 0o7777 == 0o600


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_bar_counts_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: str) -> None:
    monkeypatch.setattr(npc_progress, "PATIENCE", 0.0)
    shown = Terminal()
    options = ("--all-nodes", "-o", str(tmp_path / "out"), "--jobs", jobs)
    assert npc_into(io.StringIO(), shown, "compile", *write_cluster(tmp_path), *options) == 0
    assert "compiling nodes" in shown.getvalue()


def test_passes(tmp_path: Path) -> None:
    paths = write_cluster(tmp_path)
    options = ("--passes", "none")
    assert npc("compile", *paths, "--all-nodes", "-o", str(tmp_path / "out"), "-j", "2", *options).code == 0
    for node in NODES:
        alone = npc("compile", *paths, "--node", node, "--quiet", *options).stdout
        assert (tmp_path / "out" / node / "npc.nft").read_text(encoding="utf-8") == alone
