"""`npc query`: answers, what they say, exit codes, batches."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cli.invocation import Outcome, npc, npc_into

INVENTORY = """\
namespaces:
  - {name: shop, labels: {env: prod}}
  - {name: test}
nodes:
  - {name: node-a, addresses: [192.0.2.1]}
services:
  - {name: db, namespace: shop, selector: {app: db}, targetPorts: [5432]}
endpoints:
  - {name: web, namespace: shop, addresses: [10.0.0.1, "fd00::1"], labels: {app: web}, node: node-a}
  - {name: db, namespace: shop, addresses: [10.0.0.2], labels: {app: db}, ports: {sql: 5432}}
  - {name: tool, namespace: test, addresses: ["fd00::3", 10.0.1.3], labels: {app: tool}}
"""
POLICIES = """\
policy db in shop for pods(app=db) {
  allow tcp/sql from pods(app=web)
  allow tcp/9187 from ns(team=sre)
}

cluster policy guard tier admin priority 10 for ns {
  deny tcp/22 from any as no-ssh
  pass tcp/5432 from ns(env=prod)
  deny tcp/5432 from 10.0.1.0/24
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "shop.npc").write_text(POLICIES, encoding="utf-8")
    return tmp_path


def query(folder: Path, *arguments: str) -> Outcome:
    return npc("query", *arguments, "-p", "shop.npc", "-i", "inventory.yaml", folder=folder)


ANSWERS = [
    (
        "allowed by a NetworkPolicy, passed on before",
        ("shop/web", "shop/db", "tcp/5432"),
        """\
ALLOWED  tcp/5432 from shop/web to shop/db
  egress   allowed: no policy isolates it
  ingress  allowed by shop/db, ingress rule 1
             allow tcp/sql from pods(app=web)
             shop.npc:2:3
           before it, passed on by ClusterNetworkPolicy guard (admin, priority 10), ingress rule 2
             pass tcp/5432 from ns(env=prod)
             shop.npc:8:3
""",
    ),
    (
        "denied by a cluster policy with a name for its rule",
        ("shop/web", "shop/db", "tcp/22"),
        """\
DENIED  tcp/22 from shop/web to shop/db
  egress   allowed: no policy isolates it
  ingress  denied by ClusterNetworkPolicy guard (admin, priority 10), ingress rule 1 (no-ssh)
             deny tcp/22 from any
             shop.npc:7:3 | deny tcp/22 from any as no-ssh
""",
    ),
    (
        "isolated, and close",
        ("shop/web", "shop/db", "tcp/5433"),
        """\
DENIED  tcp/5433 from shop/web to shop/db
  egress   allowed: no policy isolates it
  ingress  denied: isolated by shop/db; none of their rules matches
           closest: shop/db, ingress rule 1
             allow tcp/sql from pods(app=web)
             shop.npc:2:3
             misses by port: tcp/sql (tcp/5432), not tcp/5433
""",
    ),
    (
        "by namespace",
        ("test/tool", "shop/db", "tcp/9187"),
        """\
DENIED  tcp/9187 from test/tool to shop/db
  egress   allowed: no policy isolates it
  ingress  denied: isolated by shop/db; none of their rules matches
           closest: shop/db, ingress rule 2
             allow tcp/9187 from ns(team=sre)
             shop.npc:3:3
             misses by namespace-label: ns(team=sre); the namespace test has no team
""",
    ),
    (
        "several answers",
        ("10.0.1.0/24", "shop/web", "tcp/5432-5433"),
        """\
4 answers: some of it passes.

ALLOWED  tcp/5433 from test/tool to shop/web
""",
    ),
    (
        "its own node",
        ("192.0.2.1", "shop/web", "tcp/22"),
        """\
192.0.2.1 is an address of the node node-a.

ALLOWED  tcp/22 from 192.0.2.1 to shop/web
  a pod and the node that it runs on: always allowed
""",
    ),
    (
        "itself",
        ("shop/db", "shop/db", "tcp/22"),
        """\
DENIED  tcp/22 from shop/db to itself through a Service; directly it always reaches itself
  egress   allowed: a pod and itself, NetworkPolicies have no say
  ingress  denied by ClusterNetworkPolicy guard (admin, priority 10), ingress rule 1 (no-ssh)
             deny tcp/22 from any
             shop.npc:7:3 | deny tcp/22 from any as no-ssh
""",
    ),
    (
        "outside",
        ("198.51.100.7", "203.0.113.9"),
        """\
ALLOWED  any traffic from 198.51.100.7 to 203.0.113.9
  egress   allowed: no pod, no policy is for it
  ingress  allowed: no pod, no policy is for it
""",
    ),
    (
        "a Service",
        ("test/tool", "svc/db", "-n", "shop"),
        """\
DENIED  tcp/5432 from test/tool to shop/db
""",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "expected"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
def test_answers(folder: Path, arguments: tuple[str, ...], expected: str) -> None:
    outcome = query(folder, *arguments)
    assert outcome.stderr == ""
    assert outcome.code == 0
    assert outcome.stdout.startswith(expected) if expected.count("\n") < 5 else outcome.stdout == expected


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("shop/web", "shop/db", "tcp/5432", "--expect", "allowed"), 0),
        (("shop/web", "shop/db", "tcp/5432", "--expect", "denied"), 1),
        (("shop/web", "shop/db", "--expect", "allowed"), 1),
        (("shop/web", "shop/db", "--expect", "denied"), 1),
        (("shop/web", "shop/db", "udp", "--expect", "denied"), 0),
        (("shop/web", "shop/bd"), 1),
        (("shop/web",), 2),
        (("--batch", "x", "shop/web", "shop/db"), 2),
        (("--batch", "absent"), 1),
    ],
)
def test_exit_codes(folder: Path, arguments: tuple[str, ...], code: int) -> None:
    assert query(folder, *arguments).code == code


def test_nothing_to_read(folder: Path) -> None:
    outcome = npc("query", "a", "b", folder=folder)
    assert outcome.code == 2
    assert "--policies" in outcome.stderr


def test_a_name_that_is_not_known(folder: Path) -> None:
    outcome = query(folder, "shop/wbe", "shop/db")
    assert outcome.stdout == ""
    assert outcome.stderr == (
        'error[NPC510]: no pod and no workload in shop is called "wbe"\n'
        " --> SRC:1:1\n"
        "  |\n"
        "1 | shop/wbe\n"
        "  | ^^^^^^^^\n"
        "   = help: did you mean shop/web?\n"
        "\n"
        "npc: 1 error\n"
    )


def test_errors_in_the_policies_leave_no_answer(folder: Path) -> None:
    (folder / "shop.npc").write_text(POLICIES.replace("deny tcp/22", "dney tcp/22"), encoding="utf-8")
    outcome = query(folder, "shop/web", "shop/db")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "error[NPC601]" in outcome.stderr


def test_an_unknown_service_in_a_rule_that_matters(folder: Path) -> None:
    (folder / "shop.npc").write_text(
        POLICIES.replace("from pods(app=web)", "from svc/gone"), encoding="utf-8"
    )
    outcome = query(folder, "shop/web", "shop/db")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "error[NPC304]" in outcome.stderr


def test_of_a_long_line_only_the_part_around_the_rule_is_shown(folder: Path) -> None:
    """A file of JSON may be one line, and every rule of it would repeat the file."""
    policies = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"p{number}", "namespace": "shop"},
            "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 9000 + number}]}]},
        }
        for number in range(50)
    ]
    (folder / "shop.npc").write_text("", encoding="utf-8")
    (folder / "more.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": policies}), encoding="utf-8"
    )
    outcome = query(folder, "shop/web", "shop/db", "tcp/9020", "-p", "more.json")
    assert outcome.code == 0
    (place,) = [line for line in outcome.stdout.splitlines() if "more.json:1:" in line]
    assert '"ports": [{"port": 9020}]' in place
    assert len(place) < 200


def test_json(folder: Path) -> None:
    outcome = query(folder, "shop/web", "shop/db", "tcp/5433", "--format", "json")
    found: dict[str, Any] = json.loads(outcome.stdout)
    rule = {
        "kind": "NetworkPolicy",
        "policy": "shop/db",
        "tier": None,
        "direction": "ingress",
        "index": 0,
        "name": None,
        "action": "allow",
        "text": "allow tcp/sql from pods(app=web)",
        "file": "shop.npc",
        "line": 2,
        "column": 3,
        "source": "allow tcp/sql from pods(app=web)",
    }
    assert found == {
        "src": "shop/web",
        "dst": "shop/db",
        "verdict": "denied",
        "notes": [],
        "answers": [
            {
                "allowed": False,
                "between": "others",
                "src": {
                    "text": "shop/web",
                    "endpoints": [{"name": "shop/web", "families": ["ipv4"]}],
                    "addresses": [],
                },
                "dst": {
                    "text": "shop/db",
                    "endpoints": [{"name": "shop/db", "families": ["ipv4"]}],
                    "addresses": [],
                },
                "traffic": "tcp/5433",
                "ports": [{"protocol": 6, "first": 5433, "last": 5433}],
                "egress": {
                    "allowed": True,
                    "ground": "default",
                    "rule": None,
                    "passed_by": None,
                    "isolated_by": [],
                    "closest": [],
                },
                "ingress": {
                    "allowed": False,
                    "ground": "isolated",
                    "rule": None,
                    "passed_by": None,
                    "isolated_by": ["shop/db"],
                    "closest": [
                        {
                            "rule": rule,
                            "peer": "shop/web",
                            "misses": [{"by": "port", "text": "tcp/sql (tcp/5432), not tcp/5433"}],
                        }
                    ],
                },
            }
        ],
    }


def test_assumptions(folder: Path) -> None:
    question = ("test/tool", "shop/web", "tcp/5432", "--expect", "denied")
    assert "2 answers" in query(folder, *question).stdout
    assert query(folder, *question, "--assume", "ipblock=external").code == 1
    own = ("192.0.2.1", "shop/web", "tcp/22", "--expect", "denied")
    assert query(folder, *own).code == 1
    assert query(folder, *own, "--own-node", "policed").code == 0


BATCH = """\
{"src": "shop/web", "dst": "shop/db", "port": 5432}
{"src": "web", "dst": "10.0.0.2", "protocol": "TCP", "port": 22}

{"src": "10.9.9.9", "dst": "fd00::1", "protocol": "udp", "port": 53}
{"src": "shop/wbe", "dst": "shop/db", "port": 1}
{"src": "shop/web", "dst": "shop/db", "prot": "tcp"}
{"src": "test/tool", "dst": "shop/web", "protocol": 6, "port": 5432}
{"src": "shop/web", "dst": "shop/db", "protocol": "tcp"}
{"src": "ns(env=prod)", "dst": "shop/db"}
not JSON
{"src": "shop/web", "dst": "shop/db", "protocol": "tpc"}
{"src": "shop/web", "dst": "shop/db", "port": 65536}
{"src": "192.0.2.1", "dst": "shop/web", "protocol": "tcp"}"""
BATCH_ANSWERS = [
    {"allowed": True},
    {"allowed": False},
    {"error": "no address family is common to the two", "line": 4},
    {"error": 'no pod and no workload in shop is called "wbe"; did you mean shop/web?', "line": 5},
    {"error": "Object contains unknown field `prot`", "line": 6},
    {"allowed": False, "ipv4": False, "ipv6": True},
    {"allowed": False},
    {"error": "src 'ns(env=prod)' is not one pod: give its NAMESPACE/NAME or an address", "line": 9},
    {"error": "JSON is malformed: invalid character (byte 4)", "line": 10},
    {"error": "'tpc' is not a protocol: did you mean 'tcp'?", "line": 11},
    {"error": "65536 is not a port: 0 to 65535", "line": 12},
    {"allowed": True},
]


def batch(
    folder: Path, monkeypatch: pytest.MonkeyPatch, argument: str, text: str = ""
) -> tuple[int, list[Any]]:
    """The exit code and the answers of a batch."""
    output = io.BytesIO()
    stdout = io.TextIOWrapper(output)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    arguments = ("query", "--batch", argument, "-p", "shop.npc", "-i", "inventory.yaml")
    code = npc_into(stdout, io.StringIO(), *arguments, folder=folder)
    return code, [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_batch_is_answered_line_by_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert batch(folder, monkeypatch, "-", BATCH) == (1, BATCH_ANSWERS)


def test_a_batch_without_mistakes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "questions.jsonl").write_text(BATCH.splitlines()[0] + "\n", encoding="utf-8")
    assert batch(folder, monkeypatch, "questions.jsonl") == (0, [{"allowed": True}])
