"""`npc diff`: what it prints, how it exits, and revisions of git repositories as either side."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.invocation import Outcome, npc
from tests.docs.pages import ROOT

INVENTORY = """\
namespaces: [{name: shop}]
endpoints:
  - {namespace: shop, name: web, labels: {app: web}, addresses: [10.0.0.1]}
  - {namespace: shop, name: db, labels: {app: db}, addresses: [10.0.0.2]}
"""
OLD = """\
include "sets.npc"
policy db in shop for pods(app=db) { allow tcp/5432 from @clients }
"""
SETS = "set clients = pods(app=web)\n"
NEW = """\
include "sets.npc"

# another name, another order, another port
policy the-database in shop for pods(app=db) {
  allow tcp/5433, tcp/5432 from @clients
}
"""
CHANGED = """\
connections: 1 changed

~ from shop/web to shop/db: tcp/5432 is now tcp/5432-5433
    tcp/5433 from shop/web (10.0.0.1) to shop/db (10.0.0.2) passes now
      before: ingress denied: isolated by shop/db; none of their rules matches
      now:    ingress allowed by shop/the-database, ingress rule 1
              new/db.npc:5:3 | allow tcp/5433, tcp/5432 from @clients
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sets of policies, and an inventory for both."""
    for name, text in (("old", OLD), ("new", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "db.npc").write_text(text, encoding="utf-8")
        (tmp_path / name / "sets.npc").write_text(SETS, encoding="utf-8")
    (tmp_path / "cluster.yaml").write_text(INVENTORY, encoding="utf-8")
    return tmp_path


def diff(folder: Path, *arguments: str) -> Outcome:
    return npc("diff", *arguments, "--quiet", folder=folder)


def test_what_is_said_of_a_change(folder: Path) -> None:
    assert diff(folder, "old", "new", "-i", "cluster.yaml") == Outcome(0, CHANGED, "")


def test_what_is_said_where_nothing_differs(folder: Path) -> None:
    text = "No difference: the same connections are allowed.\n"
    assert diff(folder, "old", "old", "-i", "cluster.yaml", "--exit-code") == Outcome(0, text, "")
    renamed = NEW.replace("tcp/5433, ", "")
    (folder / "new" / "db.npc").write_text(renamed, encoding="utf-8")
    assert diff(folder, "old", "new", "-i", "cluster.yaml", "--exit-code") == Outcome(0, text, "")


CODES = [
    # (name, arguments, exit code)
    ("a difference", ("old", "new", "-i", "cluster.yaml"), 0),
    ("a difference is asked for", ("old", "new", "-i", "cluster.yaml", "--exit-code"), 3),
    ("no inventory", ("old", "new"), 1),
    ("no inventory of one side", ("old", "new", "--new-inventory", "cluster.yaml"), 1),
    ("one for each", ("old", "new", "--new-inventory", "cluster.yaml", "--old-inventory", "cluster.yaml"), 0),
    ("no such folder", ("older", "new", "-i", "cluster.yaml", "--exit-code"), 1),
    ("one side", ("old",), 2),
    ("standard input twice", ("-", "-"), 2),
]


@pytest.mark.parametrize(("arguments", "code"), [one[1:] for one in CODES], ids=[one[0] for one in CODES])
def test_exit_codes(folder: Path, arguments: tuple[str, ...], code: int) -> None:
    assert diff(folder, *arguments).code == code


def test_the_tables_say_what_the_json_says(folder: Path) -> None:
    found = json.loads(diff(folder, "old", "new", "-i", "cluster.yaml", "--format", "json").stdout)
    assert found["differs"] is True
    (change,) = found["changes"]
    (example,) = change["examples"]
    assert (change["change"], change["cause"], change["gained"]["text"]) == (
        "changed",
        "decision",
        "tcp/5433",
    )
    assert example["after"]["ingress"]["rule"]["file"] == "new/db.npc"
    assert example["before"]["ingress"]["isolated_by"] == ["shop/db"]
    (row,) = csv.DictReader(
        io.StringIO(diff(folder, "old", "new", "-i", "cluster.yaml", "--format", "csv").stdout)
    )
    ends = change["src"]["text"], change["dst"]["text"]
    assert (row["change"], row["src"], row["dst"]) == (change["change"], *ends)
    assert (row["before"], row["after"]) == (change["before"]["text"], change["after"]["text"])
    table = diff(folder, "old", "new", "-i", "cluster.yaml", "--format", "markdown").stdout.splitlines()
    assert len(table) == 5
    assert table[4].startswith(
        "| changed | shop/web | shop/db | tcp/5432 | tcp/5432-5433 | tcp/5433 from shop/web"
    )


def test_names_are_text_in_markdown_and_csv(folder: Path) -> None:
    rule = 'allow tcp/5433, tcp/5432 from @clients as "a|b <img> @you"'
    text = NEW.replace("allow tcp/5433, tcp/5432 from @clients", rule)
    (folder / "new" / "db.npc").write_text(text, encoding="utf-8")
    table = diff(folder, "old", "new", "-i", "cluster.yaml", "--format", "markdown").stdout
    assert r"(a\|b \<img\> \@you)" in table


def test_the_output_file(folder: Path) -> None:
    assert diff(folder, "old", "new", "-i", "cluster.yaml", "-o", "found.txt") == Outcome(0, "", "")
    assert (folder / "found.txt").read_text(encoding="utf-8") == CHANGED


def test_a_new_pod_is_told_from_a_changed_decision(folder: Path) -> None:
    more = INVENTORY + "  - {namespace: shop, name: job, labels: {app: job}, addresses: [10.0.0.3]}\n"
    (folder / "more.yaml").write_text(more, encoding="utf-8")
    found = diff(
        *(folder, "old", "old", "--old-inventory", "cluster.yaml", "--new-inventory", "more.yaml"),
        *("--format", "json"),
    )
    values = json.loads(found.stdout)
    assert values["endpoints"] == {"new": ["shop/job"], "gone": []}
    assert {one["cause"] for one in values["changes"]} == {"new-endpoint"}


def test_pods_that_were_rolled_out_anew_are_the_same(folder: Path) -> None:
    pods = [
        f"  - {{namespace: shop, name: api-{template}-{end}, addresses: [10.0.1.{number}],"
        f" labels: {{app: web, pod-template-hash: {template}}}}}\n"
        for number, (template, end) in enumerate((("6c8f7d9b54", "2hx8r"), ("5f9d8c7b6", "t4wnk")), 1)
    ]
    for name, pod in zip(("before", "after"), pods, strict=True):
        (folder / f"{name}.yaml").write_text(INVENTORY + pod, encoding="utf-8")
    found = diff(
        *(folder, "old", "old", "--old-inventory", "before.yaml", "--new-inventory", "after.yaml"),
        "--exit-code",
    )
    assert found == Outcome(0, "No difference: the same connections are allowed.\n", "")


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: one}}]}}
"""


def test_manifests_alone(folder: Path) -> None:
    manifests = "---\n".join(DEPLOYMENT.format(name=name) for name in ("web", "db"))
    for side in ("old", "new"):
        (folder / side / "manifests.yaml").write_text(manifests, encoding="utf-8")
    found = diff(folder, "old", "new")
    assert (found.code, found.stderr) == (0, "")
    assert found.stdout.splitlines()[2] == "~ from shop/web to shop/db: tcp/5432 is now tcp/5432-5433"


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def repository(folder: Path) -> Path:
    """A repository whose HEAD has the old policies as `policies/team`, and whose work tree has the new."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "policies").mkdir()
    (folder / "old").rename(folder / "policies" / "team")
    (folder / "policies" / "link.npc").symlink_to("team/db.npc")
    (folder / "policies" / ".hidden.npc").write_text("broken", encoding="utf-8")
    git(folder, "add", "policies", "cluster.yaml")
    git(folder, "commit", "--quiet", "--message=old")
    shutil.rmtree(folder / "policies")
    (folder / "new").rename(folder / "policies")
    return folder


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(("git", *who, *arguments), cwd=folder, check=True, timeout=60)


@needs_git
def test_a_revision_and_the_work_tree(repository: Path) -> None:
    found = diff(repository, "git:HEAD:policies/team", "policies", "-i", "git:main:cluster.yaml")
    assert found.stderr == ""
    assert found.stdout == CHANGED.replace("new/db", "policies/db")
    same = diff(
        *(repository, "git:HEAD:policies/team", "git:HEAD:policies/team/db.npc"),
        *("-i", "git:HEAD:./cluster.yaml", "--exit-code"),
    )
    assert same.code == 0, same


@needs_git
def test_a_folder_below_the_top(repository: Path) -> None:
    (repository / "policies" / "deep").mkdir()
    for path in ("git:HEAD:policies/team", "git:HEAD:../team"):
        found = npc(
            *("diff", path, "git:HEAD:policies/team", "-i", "../cluster.yaml", "--exit-code"),
            folder=repository / "policies",
        )
        assert found.code == (0 if "../" not in path else 1)


@needs_git
def test_links_and_hidden_files(repository: Path) -> None:
    found = npc("diff", "git:HEAD:policies", "policies", "-i", "cluster.yaml", folder=repository)
    assert found == Outcome(0, CHANGED.replace("new/db", "policies/db"), "")


MISTAKES = [
    ("git:HEAD", "is no path in a revision"),
    ("git:HAED:policies", "git knows no revision 'HAED'"),
    ("git:--help:policies", "git knows no revision '--help'"),
    ("git:HEAD:policy", "did you mean git:HEAD:policies?"),
    ("git:HEAD:policies/none", "there is no 'policies/none' in the revision HEAD"),
]


@needs_git
@pytest.mark.parametrize(("path", "message"), MISTAKES, ids=[path for path, _ in MISTAKES])
def test_what_is_not_in_a_repository(repository: Path, path: str, message: str) -> None:
    found = diff(repository, path, "policies", "-i", "cluster.yaml")
    assert found.code == 1
    assert message in found.stderr


@needs_git
def test_outside_of_a_repository(folder: Path) -> None:
    found = diff(folder, "git:HEAD:policies", "new", "-i", "cluster.yaml")
    assert found.code == 1
    assert "this folder is in no git repository" in found.stderr


def test_without_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    found = diff(folder, "git:HEAD:policies", "new", "-i", "cluster.yaml")
    assert found.code == 1
    assert "git cannot be run" in found.stderr


def test_the_shop_and_its_twin_in_the_language_are_the_same() -> None:
    sides = ("examples/shop/policies", "examples/shop-npc", "--inventory", "examples/shop/inventory.yaml")
    found = npc("diff", *sides, "--exit-code", "--quiet", folder=ROOT)
    assert (found.code, found.stderr) == (0, "")
