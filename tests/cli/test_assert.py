"""`npc check --assert`: findings, exit codes, files of assertions among others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.invocation import Outcome, npc

CLUSTER = """\
namespaces: [{name: shop}]
endpoints:
  - {namespace: shop, name: web, labels: {app: web}, addresses: [10.0.0.1]}
  - {namespace: shop, name: db, labels: {app: db}, addresses: [10.0.0.2]}
"""
POLICY = "policy db in shop for pods(app=db) { allow tcp/5432 from pods(app=web) }\n"
TRUE = "allow tcp/5432 from pods(app=web) in ns to pods(app=db) in ns\n"
FALSE = "deny tcp from pods(app=web) in ns/shop to pods(app=db) in ns/shop as closed\n"
NOBODY = "deny from pods(app=wbe) in ns to any\n"
FAILURE = """\
error[NPC801]: the assertion does not hold: tcp/5432 from shop/web (10.0.0.1) to shop/db (10.0.0.2) passes
 --> claims.npc:1:1
  |
1 | deny tcp from pods(app=web) in ns/shop to pods(app=db) in ns/shop as closed
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
 --> policies/db.npc:1:38
  |
1 | policy db in shop for pods(app=db) { allow tcp/5432 from pods(app=web) }
  |                                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ingress allowed here
   = in assertion closed
   = help: egress allowed: no policy isolates it; ingress allowed by shop/db, ingress rule 1

npc: 1 error
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "db.npc").write_text(POLICY, encoding="utf-8")
    (tmp_path / "cluster.yaml").write_text(CLUSTER, encoding="utf-8")
    return tmp_path


def check(folder: Path, text: str, *arguments: str) -> Outcome:
    (folder / "claims.npc").write_text(text, encoding="utf-8")
    return npc("check", "policies", "cluster.yaml", "--assert", "claims.npc", *arguments, folder=folder)


def test_what_is_denied_names_the_closest_rule(folder: Path) -> None:
    said = "(closest: shop/db, ingress rule 1, which misses: tcp/5432, not tcp/80)"
    assert said in check(folder, "allow tcp/80 from shop/web to shop/db\n").stdout


def test_a_name_without_its_namespace(folder: Path) -> None:
    found = check(folder, "deny from web to any\n")
    assert "claims.npc:1:11" in found.stdout
    assert "help: a pod or a workload stands with its namespace: NAMESPACE/web" in found.stdout


def test_what_is_said_of_one_that_does_not_hold(folder: Path) -> None:
    assert check(folder, FALSE) == Outcome(1, FAILURE, "")


CASES = [
    # (name, assertions, options, exit code, codes found)
    ("one that holds", TRUE, (), 0, []),
    ("one of two", TRUE + FALSE, (), 1, ["NPC801"]),
    ("about nobody", NOBODY, (), 0, ["NPC802"]),
    ("about nobody, strictly", NOBODY, ("--strict",), 1, ["NPC802"]),
    ("a set and an address", "set a = 10.0.0.1/32\ndeny udp from @a to 10.0.0.2\n", (), 0, []),
    ("a set that is not there", "deny from @b to any\n", (), 1, ["NPC602"]),
    ("a Service that is not there", "deny from svc/x in ns/shop to any\n", (), 1, ["NPC304"]),
    ("pods of no namespace", "deny from pods(app=web) to any\n", (), 1, ["NPC607"]),
    (
        "pods by their names",
        "allow tcp/5432 from shop/web to shop/db\ndeny udp from shop/web, ns/x to pod/db\n",
        (),
        0,
        [],
    ),
    ("a pod by its name", "deny tcp from shop/web to shop/db\n", (), 1, ["NPC801"]),
    ("a name beside others", "deny tcp from ns/none, shop/web to any\n", (), 1, ["NPC801"]),
    ("names that are not there", "deny from shop/wbe to any\n" + FALSE, (), 1, ["NPC510", "NPC801"]),
    ("no assertion", "set a = any\n", (), 1, ["NPC109"]),
    ("nothing but a comment", "# deny from any to any\n", (), 1, ["NPC109"]),
    ("a policy", POLICY, (), 1, ["NPC601", "NPC601"]),
    ("a mistake", "deny form any to any\n" + TRUE, (), 1, ["NPC601"]),
    ("what is included", 'include "more.assert.npc"\n', (), 1, ["NPC801"]),
]


@pytest.mark.parametrize(
    ("text", "options", "code", "expected"), [one[1:] for one in CASES], ids=[one[0] for one in CASES]
)
def test_findings(folder: Path, text: str, options: tuple[str, ...], code: int, expected: list[str]) -> None:
    (folder / "more.assert.npc").write_text(FALSE, encoding="utf-8")
    found = check(folder, text, *options, "--format", "json")
    assert [one["code"] for one in json.loads(found.stdout)] == expected
    assert found.code == code


def test_files_that_are_named_so_count_wherever_they_are(folder: Path) -> None:
    (folder / "policies" / "claims.assert.npc").write_text(FALSE, encoding="utf-8")
    found = npc("check", "policies", "cluster.yaml", folder=folder)
    assert found.code == 1
    assert "policies/claims.assert.npc:1:1" in found.stdout
    assert npc("check", "policies", folder=folder).code == 0, "without an inventory they are only read"
    compiled = npc("compile", "policies", "-i", "cluster.yaml", "--quiet", folder=folder)
    assert (compiled.code, compiled.stderr) == (0, "")


MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {selector: {}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: a}]}}}
"""


def test_claims_about_manifests(folder: Path) -> None:
    (folder / "policies" / "api.yaml").write_text(MANIFEST, encoding="utf-8")
    claims = "deny from any to shop/deploy/api\ndeny from 192.0.2.0/24 to shop/deploy/api\n"
    for inventory, sender in (("cluster.yaml", "shop/web (10.0.0.1)"), ("policies/api.yaml", "")):
        (folder / "claims.npc").write_text(claims, encoding="utf-8")
        found = npc("check", "policies", inventory, "--assert", "claims.npc", folder=folder)
        said = f"tcp/5432 from {sender} to shop/api passes"
        assert (found.code, said in found.stdout) == ((1, True) if sender else (0, False)), found.stdout


def test_a_claim_without_an_inventory(folder: Path) -> None:
    (folder / "claims.npc").write_text(TRUE, encoding="utf-8")
    found = npc("check", "policies", "--assert", "claims.npc", folder=folder)
    assert found.code == 1
    assert "NPC502" in found.stdout


def test_sarif_has_the_rules_that_decide(folder: Path) -> None:
    found = json.loads(check(folder, FALSE, "--format", "sarif").stdout)
    (result,) = found["runs"][0]["results"]
    assert result["ruleId"] == "NPC801"
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "policies/db.npc"


def test_formatting(folder: Path) -> None:
    path = folder / "x.assert.npc"
    path.write_text("deny   from any\n to ns/shop as x", encoding="utf-8")
    assert npc("fmt", "x.assert.npc", folder=folder).code == 0
    assert path.read_text(encoding="utf-8") == "deny from any to ns/shop as x\n"
