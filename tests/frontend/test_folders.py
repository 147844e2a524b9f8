"""What is read of a folder: no files that are excluded, and nothing said of files of other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from npc.compiler.frontend.documents import load
from npc.compiler.frontend.files import Exclude, sources

POLICY = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web}}\n"

DOCUMENTS = [
    # (name, text, the codes where its folder is named, the codes where it is named itself)
    ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\nicon: x\n", ["NPC415"], ["NPC107"]),
    ("values", "replicas: 3\nimage: {tag: 1}\n", ["NPC415"], ["NPC415"]),
    ("a list", "- a\n- b: 1\n", ["NPC415"], ["NPC107"]),
    ("a text", "hello\n", ["NPC415"], ["NPC107"]),
    ("a policy", POLICY, [], []),
    ("a kind that is mistyped", POLICY.replace("kind", "knid"), ["NPC107"], ["NPC107"]),
    ("a kind that is missing", POLICY.replace("kind: NetworkPolicy, ", ""), ["NPC107"], ["NPC107"]),
    ("a kind without a value", "apiVersion: v1\nkind:\n", ["NPC107"], ["NPC107"]),
    ("only a policy's apiVersion", "apiVersion: networking.k8s.io/v1\nname: web\n", ["NPC107"], ["NPC107"]),
    ("only a spec", "spec: {podSelector: {}}\n", ["NPC107"], ["NPC107"]),
    ("policies in a list", f"- {POLICY}", ["NPC107"], ["NPC107"]),
    ("an item of a List", "{apiVersion: v1, kind: List, items: [a]}", ["NPC107"], ["NPC107"]),
    ("hosts under another key", "pods: [{name: a, addresses: [10.0.0.1]}]\n", ["NPC201"], ["NPC201"]),
    ("JSON", '["a", "b"]', ["NPC415"], ["NPC107"]),
]


@pytest.mark.parametrize(
    ("text", "in_folder", "named"), [case[1:] for case in DOCUMENTS], ids=[case[0] for case in DOCUMENTS]
)
def test_other_documents(tmp_path: Path, text: str, in_folder: list[str], named: list[str]) -> None:
    (tmp_path / "a.yaml").write_text(text)
    for path, expected in (tmp_path, in_folder), (tmp_path / "a.yaml", named):
        found, _ = sources([str(path)], bytes)
        assert [one.code.name for one in load(found).diagnostics] == expected


def test_a_file_that_is_named_beside_its_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- a\n")
    for paths in ([tmp_path, tmp_path / "a.yaml"], [tmp_path / "a.yaml", tmp_path]):
        (found,), _ = sources(map(str, paths), bytes)
        assert not found.in_folder


FILES = ["a.yaml", "charts/a/Chart.yaml", "charts/b/templates/p.yaml", "live/p.yaml", "live/test-p.yaml"]
EXCLUDED = [
    # (name, patterns, what is left)
    ("nothing", [], FILES),
    ("a folder", ["charts"], ["a.yaml", "live/p.yaml", "live/test-p.yaml"]),
    ("a folder with a slash", ["charts/"], ["a.yaml", "live/p.yaml", "live/test-p.yaml"]),
    ("at any depth", ["**/templates", "**/Chart.yaml"], ["a.yaml", "live/p.yaml", "live/test-p.yaml"]),
    ("** is no name, too", ["**/a.yaml"], FILES[1:]),
    ("* is in one name", ["*.yaml", "live/test-*"], ["charts/a/Chart.yaml", FILES[2], "live/p.yaml"]),
    ("all below", ["charts/**"], ["a.yaml", "live/p.yaml", "live/test-p.yaml"]),
    ("a character", ["?.yaml"], FILES[1:]),
    ("a dot is a dot", ["a?yam.", "aayaml"], FILES),
    ("from the base on", ["a/Chart.yaml", "p.yaml"], FILES),
]


@pytest.mark.parametrize(
    ("patterns", "left"), [case[1:] for case in EXCLUDED], ids=[case[0] for case in EXCLUDED]
)
def test_exclude(tmp_path: Path, patterns: list[str], left: list[str]) -> None:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(POLICY)
    found, _ = sources([str(tmp_path)], bytes, exclude=Exclude(tuple(patterns), tmp_path))
    assert sorted(Path(one.name).relative_to(tmp_path).as_posix() for one in found) == left


def test_a_file_that_is_named_is_not_excluded(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POLICY)
    found, faults = sources([str(tmp_path / "a.yaml")], bytes, exclude=Exclude(("*",), tmp_path))
    assert (len(found), faults) == (1, [])
