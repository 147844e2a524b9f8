"""`npc check --fix`: what it changes in a text, what it leaves alone, and that the meaning stays."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import npc as api
from npc.fixing import fix_sources
from tests.cli.invocation import npc
from tests.lint.findings import EVERYTHING
from tests.lint.test_redundancy import checked, meaning
from tests.reference.manifests import Document
from tests.strategies import plain_clusters

EXAMPLES = max(60, settings().max_examples // 2)
HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\n"

# (name, file, text, the text that is made of it: the same where nothing can be done)
CASES = [
    (
        "host bits, in quotes and out",
        "a.yaml",
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  ingress:\n    - from:\n        - ipBlock:  # the office\n"
        "            cidr: '10.1.2.3/8'\n            except: [10.1.2.3/16, \"10.2.0.1/16\"]\n",
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  ingress:\n    - from:\n        - ipBlock:  # the office\n"
        "            cidr: '10.0.0.0/8'\n            except: [10.1.0.0/16, \"10.2.0.0/16\"]\n",
    ),
    (
        "leading zeros and IPv6",
        "a.npc",
        "policy x for pods { allow tcp/1 from 010.1.0.0/16, fd00::1/64 except (fd00::ff:1/112) } # x\n",
        "policy x for pods { allow tcp/1 from 10.1.0.0/16, fd00::/64 except (fd00::ff:0/112) } # x\n",
    ),
    (
        "a port and a peer in block style",
        "a.yaml",
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  ingress:\n  # first\n  - ports:\n    - port: 80\n"
        "    - protocol: TCP\n      port: 80\n    # kept\n    - port: 81\n    from:\n    - podSelector: {}\n"
        "    - podSelector: {}\n",
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  ingress:\n  # first\n  - ports:\n    - port: 80\n"
        "    # kept\n    - port: 81\n    from:\n    - podSelector: {}\n",
    ),
    (
        "in flow style",
        "a.yaml",
        f"{HEAD}spec: {{policyTypes: [Ingress], ingress: [{{ports: "
        "[{port: 80}, {port: 80}, {port: 81}]}]}\n",
        f"{HEAD}spec: {{policyTypes: [Ingress], ingress: [{{ports: [{{port: 80}}, {{port: 81}}]}}]}}\n",
    ),
    (
        "a rule, and what is in it",
        "a.yaml",
        f"{HEAD}spec:\n  policyTypes: [Egress]\n  egress:\n    - to:\n"
        f"        - ipBlock: {{cidr: 10.0.0.1/8}}\n"
        "    - to:\n        - ipBlock:\n            cidr: 10.0.0.2/8\n",
        f"{HEAD}spec:\n  policyTypes: [Egress]\n  egress:\n    - to:\n"
        f"        - ipBlock: {{cidr: 10.0.0.0/8}}\n",
    ),
    (
        "three times",
        "a.yaml",
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  ingress:\n    - ports:\n" + "        - port: 80\n" * 3,
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  ingress:\n    - ports:\n        - port: 80\n",
    ),
    (
        "policyTypes",
        "a.yaml",
        f"{HEAD}spec:\n  podSelector: {{}}  # all\n  # out\n  egress:\n    - {{}}\n",
        f"{HEAD}spec:\n  podSelector: {{}}  # all\n  policyTypes: [Ingress, Egress]\n  # out\n"
        f"  egress:\n    - {{}}\n",
    ),
    (
        "policyTypes behind a long selector that ends the file",
        "a.yaml",
        f"{HEAD}spec:\n  podSelector:\n    matchLabels:\n      app: web",
        f"{HEAD}spec:\n  podSelector:\n    matchLabels:\n      app: web\n  policyTypes: [Ingress]",
    ),
    (
        "policyTypes in flow style",
        "a.yaml",
        f"{HEAD}spec: {{podSelector: {{}}, ingress: [{{}}]}}\n",
        f"{HEAD}spec: {{podSelector: {{}}, policyTypes: [Ingress], ingress: [{{}}]}}\n",
    ),
    (
        "policyTypes that are empty",
        "a.yaml",
        f"{HEAD}spec:\n  policyTypes: []\n  podSelector: {{}}\n",
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  podSelector: {{}}\n",
    ),
    (
        "Windows line ends and a byte order mark",
        "a.yaml",
        f"\ufeff{HEAD}spec:\n  podSelector: {{}}\n".replace("\n", "\r\n"),
        f"\ufeff{HEAD}spec:\n  podSelector: {{}}\n  policyTypes: [Ingress]\n".replace("\n", "\r\n"),
    ),
    (
        "a policy twice",
        "a.yaml",
        f"{HEAD}spec: {{policyTypes: [Ingress]}}\n---\n{HEAD}spec:\n  policyTypes: [Ingress]\n---\na: b\n",
        f"{HEAD}spec: {{policyTypes: [Ingress]}}\n---\na: b\n",
    ),
    (
        "a policy twice in the language",
        "a.npc",
        "policy x for pods { isolate ingress }\n# y\npolicy x for pods {\n  isolate ingress\n}\n# z\n",
        "policy x for pods { isolate ingress }\n# y\n# z\n",
    ),
    (
        "a rule twice in the language",
        "a.npc",
        "policy x for pods {\n  allow tcp/1 from ns\n  allow tcp/1 from ns\n"
        "  allow tcp/2 from ns allow tcp/2 from ns\n}\n",
        "policy x for pods {\n  allow tcp/1 from ns\n  allow tcp/2 from ns\n}\n",
    ),
    (
        "peers and ports in the language",
        "a.npc",
        "policy x for pods { allow tcp/1,tcp/2 ,\n tcp/1 from ns, ns/x, ns ,ns/x  log }\n"
        "cluster policy c tier admin for ns { deny from ns/x, ns/x }\n",
        "policy x for pods { allow tcp/1,tcp/2 from ns, ns/x  log }\n"
        "cluster policy c tier admin for ns { deny from ns/x }\n",
    ),
    (
        "a comment between peers",
        "a.npc",
        "policy x for pods { allow tcp/1 from ns, # y\n ns }\n",
        "policy x for pods { allow tcp/1 from ns, # y\n ns }\n",
    ),
    ("JSON", "a.json", '{"a": 1}', '{"a": 1}'),
    (
        "host bits in JSON",
        "a.json",
        json.dumps(
            yaml.safe_load(f"{HEAD}spec: {{ingress: [{{from: [{{ipBlock: {{cidr: 10.0.0.1/8}}}}]}}]}}")
        ),
        json.dumps(
            yaml.safe_load(f"{HEAD}spec: {{ingress: [{{from: [{{ipBlock: {{cidr: 10.0.0.0/8}}}}]}}]}}")
        ),
    ),
    # --- what is left alone
    (
        "a comment would go",
        "a.yaml",
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  ingress:\n    - ports:\n        - port: 80\n"
        f"        - port: 80 # x\n",
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  ingress:\n    - ports:\n        - port: 80\n"
        f"        - port: 80 # x\n",
    ),
    (
        "a comment would go in the language",
        "a.npc",
        "policy x for pods {\n  allow tcp/1 from ns\n  allow tcp/1 from ns # why\n}\n",
        "policy x for pods {\n  allow tcp/1 from ns\n  allow tcp/1 from ns # why\n}\n",
    ),
    (
        "anchors",
        "a.yaml",
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  ingress:\n    - ports: &a\n"
        f"        - port: 80\n        - port: 80\n",
        f"{HEAD}spec:\n  policyTypes: [Ingress]\n  ingress:\n    - ports: &a\n"
        f"        - port: 80\n        - port: 80\n",
    ),
    (
        "allowed",
        "a.npc",
        "policy x for pods { allow tcp/1 from 10.0.0.1/8 } # npc: allow NPC401\n",
        "policy x for pods { allow tcp/1 from 10.0.0.1/8 } # npc: allow NPC401\n",
    ),
    (
        "errors",
        "a.npc",
        "policy x for pods { allow tcp/1 from 10.0.0.1/8, 10.0.0.0/33 }\n",
        "policy x for pods { allow tcp/1 from 10.0.0.1/8, 10.0.0.0/33 }\n",
    ),
    (
        "what only adds nothing",
        "a.npc",
        "policy x for pods { allow tcp from ns allow tcp/1 from ns }\n",
        "policy x for pods { allow tcp from ns allow tcp/1 from ns }\n",
    ),
]


@pytest.mark.parametrize(
    ("name", "before", "after"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_fix(tmp_path: Path, name: str, before: str, after: str) -> None:
    path = tmp_path / name
    path.write_bytes(before.encode())
    for _ in range(2):  # the second time there is nothing to do
        npc("check", name, "--fix", "--level", "NPC711=warn", folder=tmp_path)
        assert path.read_bytes().decode() == after


def test_levels_choose_what_is_fixed(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    text = f"{HEAD}spec:\n  podSelector: {{}}\n"
    path.write_text(text)
    assert npc("check", "a.yaml", "--fix", folder=tmp_path).stdout == ""
    assert path.read_text() == text
    shown = npc("check", "a.yaml", "--fix", "--level", "NPC711=note", folder=tmp_path).stdout
    assert shown == "fixed a.yaml\n"


def test_diff_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.npc"
    path.write_text("policy x for pods { allow tcp/1 from 10.0.0.1/8 }")
    outcome = npc("check", "a.npc", "--fix", "--diff", folder=tmp_path)
    assert outcome.code == 0
    assert outcome.stdout.split("\n") == [
        "--- a.npc",
        "+++ a.npc (fixed)",
        "@@ -1 +1 @@",
        "-policy x for pods { allow tcp/1 from 10.0.0.1/8 }",
        "\\ No newline at end of file",
        "+policy x for pods { allow tcp/1 from 10.0.0.0/8 }",
        "\\ No newline at end of file",
        "",
    ]
    assert "10.0.0.1/8" in path.read_text()


def test_what_is_left_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.npc").write_text("policy x for pods { allow from any allow tcp/1 from 10.0.0.1/8 }\n")
    outcome = npc("check", "a.npc", "--fix", folder=tmp_path)
    assert outcome.stdout.startswith("fixed a.npc\nwarning[NPC7")
    assert "NPC401" not in outcome.stdout


def test_a_policy_of_another_file_stays(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(f"---\n{HEAD}spec: {{policyTypes: [Ingress]}}\n")
    outcome = npc("check", ".", "--fix", folder=tmp_path)
    assert "NPC404" in outcome.stdout
    assert "fixed" not in outcome.stdout


def test_standard_input_is_refused() -> None:
    assert npc("check", "-", "--fix").code == 2


STYLES = st.sampled_from((None, False, True))
"""How PyYAML writes lists and mappings: each as it is long, all in block style, all in flow style."""


@settings(max_examples=EXAMPLES)
@given(plain_clusters(), STYLES, st.data())
def test_the_meaning_stays(documents: list[Document], style: bool | None, data: st.DataObject) -> None:
    """Of clusters in which things stand twice, policyTypes are missing and blocks have host bits."""
    policies = [one for one in documents if one["kind"] == "NetworkPolicy"]
    for policy in policies:
        spec = policy["spec"]
        for rules in (spec.get("ingress"), spec.get("egress")):
            for rule in rules or ():
                for field in ("from", "to", "ports"):
                    if rule.get(field) and data.draw(st.booleans()):
                        rule[field].append(copy.deepcopy(data.draw(st.sampled_from(rule[field]))))
            if rules and data.draw(st.booleans()):
                rules.append(copy.deepcopy(data.draw(st.sampled_from(rules))))
        if data.draw(st.booleans()):
            spec.pop("policyTypes", None)
    text = yaml.safe_dump_all(
        json.loads(json.dumps(documents)), default_flow_style=style, explicit_start=True
    )
    source = api.Source("a.yaml", Path("a.yaml"), text.encode())
    for one in fix_sources([source], levels=EVERYTHING):
        after = list(yaml.safe_load_all(one.after))
        assert meaning(checked(after)) == meaning(checked(documents))
        again = api.Source("a.yaml", Path("a.yaml"), one.after.encode())
        assert fix_sources([again], levels=EVERYTHING) == ()
