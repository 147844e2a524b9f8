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


LIMITED = [
    ((), 50, 11),
    (("--limit", "3"), 3, 58),
    (("--limit", "0"), 61, 0),
    (("--limit", "61"), 61, 0),
]


@pytest.mark.parametrize(("arguments", "shown", "left_out"), LIMITED)
def test_no_more_answers_than_one_wants(
    folder: Path, arguments: tuple[str, ...], shown: int, left_out: int
) -> None:
    policies = "".join(
        f"policy p{one} in shop for pods(app=a{one}) {{ allow tcp/{8000 + one} from any }}\n"
        for one in range(60)
    )
    pods = "".join(
        f"  - {{name: pod-{one}, namespace: shop, addresses: [10.1.0.{one}], labels: {{app: a{one}}}}}\n"
        for one in range(60)
    )
    (folder / "shop.npc").write_text(policies, encoding="utf-8")
    (folder / "inventory.yaml").write_text(INVENTORY + pods, encoding="utf-8")
    question = ("198.51.100.7", "pods in ns/shop", "tcp/8000", *arguments)
    outcome = query(folder, *question)
    assert outcome.stdout.startswith("61 answers: some of it passes.\n")
    answers = [line for line in outcome.stdout.splitlines() if line.startswith(("ALLOWED", "DENIED"))]
    assert len(answers) == shown
    assert answers[0].startswith("ALLOWED")
    last = f"{left_out} more answers: --limit 0 shows all."
    assert (outcome.stdout.splitlines()[-1] == last) is bool(left_out)
    found = json.loads(query(folder, *question, "--format", "json").stdout)
    assert (len(found["answers"]), found["left_out"]) == ((shown, left_out) if arguments else (61, 0))
    assert query(folder, *question, "--expect", "denied").code == 1


def test_whose_the_closest_rule_is(folder: Path) -> None:
    """What is close for one of many need not be for the others."""
    one = query(folder, "ns/test", "shop/db", "tcp/9187").stdout
    assert "closest: shop/db, ingress rule 2" in one
    many = query(folder, "198.51.100.0/24", "shop/db", "tcp/9187").stdout
    assert "closest for 198.51.100.0: shop/db, ingress rule 2" in many
    policy = "policy all in shop for pods { isolate ingress\n allow from ns/test }\n"
    (folder / "shop.npc").write_text(policy, encoding="utf-8")
    both = query(folder, "198.51.100.0/24", "pods in ns/shop", "tcp/9187").stdout
    assert "closest for 198.51.100.0 to shop/db: shop/all, ingress rule 1" in both


def test_a_block_is_told_from_its_pods(folder: Path) -> None:
    text = query(folder, "10.0.1.0/24", "shop/db", "tcp/5432").stdout
    assert "from test/tool to shop/db" in text
    assert "from 10.0.1.0/24 but its pods to shop/db" in text


def test_pods_of_manifests(folder: Path) -> None:
    """Of a controller without pods, one that it will make is asked about; so are pods without an address."""
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "front", "namespace": "shop"},
        "spec": {"template": {"metadata": {"labels": {"app": "web"}}}},
    }
    (folder / "front.json").write_text(json.dumps(deployment), encoding="utf-8")
    outcome = query(folder, "shop/deploy/front", "shop/db", "tcp/5432", "-i", "front.json")
    assert outcome.stdout.startswith("ALLOWED  tcp/5432 from shop/front to shop/db\n")


def test_sets_of_the_policies(folder: Path) -> None:
    sets = "set clients = pods(app=web) in ns/shop\nservice sql = tcp/5432\n"
    (folder / "shop.npc").write_text(sets + POLICIES.replace("pods(app=web)", "@clients"), encoding="utf-8")
    outcome = query(folder, "@clients", "shop/db", "@sql", "--quiet")
    assert outcome.stdout.startswith("ALLOWED  tcp/5432 from shop/web to shop/db\n")


def test_a_block_with_host_bits(folder: Path) -> None:
    outcome = query(folder, "198.51.100.7/24", "shop/db", "udp")
    assert 'warning[NPC401]: "198.51.100.7/24" has bits set beyond its prefix' in outcome.stderr
    assert outcome.stdout.startswith("DENIED  udp from 198.51.100.0/24 to shop/db\n")
    assert query(folder, "198.51.100.7/24", "shop/db", "udp", "--quiet").stderr == ""


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
        "left_out": 0,
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
                            "subject": None,
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
{"src": "192.0.2.1", "dst": "shop/web", "protocol": "tcp"}
{"src": "shop/web", "dst": "shop/db", "port": "sql"}
{"src": "shop/web", "dst": "shop/db", "protocol": "udp", "port": "sql"}
{"src": "shop/db", "dst": "shop/web", "port": "sql"}
{"src": "shop/db", "dst": "10.9.9.9", "port": "sql"}
{"src": "shop/web", "dst": "shop/db", "port": "80"}
{"src": "shop/web", "dst": "shop/db", "protocol": "gre", "port": 80}
{"src": "shop/web", "dst": "shop/db", "protocol": "gre"}
{"src": "shop/web", "dst": "shop/db", "port": 1.5}
{"src": "shop/web"}
["shop/web", "shop/db"]
{"src": "::ffff:10.0.0.1", "dst": "shop/db", "port": 1}
{"src": "10.0.0", "dst": "shop/db", "port": 1}"""
BATCH_ANSWERS = [
    {"allowed": True},
    {"allowed": False},
    {"error": "no address family is common to the two", "line": 4},
    {"error": 'no pod and no workload in shop is called "wbe"; did you mean shop/web?', "line": 5},
    {"error": "there is no field 'prot'; did you mean 'port'?", "line": 6},
    {"allowed": False, "ipv4": False, "ipv6": True},
    {"allowed": False},
    {"error": "src 'ns(env=prod)' is not one pod: give its NAMESPACE/NAME or an address", "line": 9},
    {"error": "the line is no JSON: JSON is malformed: invalid character (byte 4)", "line": 10},
    {"error": "'tpc' is not a protocol: did you mean 'tcp'?", "line": 11},
    {"error": "65536 is not a port: 0 to 65535", "line": 12},
    {"allowed": True},
    {"allowed": True},
    {"error": "shop/db has no port udp/sql; it has tcp/sql", "line": 15},
    {"error": "shop/web has no port tcp/sql; it names no ports: give a number", "line": 16},
    {"error": "10.9.9.9 is no pod, and has no port 'sql': give its number", "line": 17},
    {"error": "the port '80' is a text: a number has no quotes", "line": 18},
    {"error": "policies know no ports of protocol gre: leave port out", "line": 19},
    {"allowed": False},
    {"error": "port is to be a number, or the name of a port of the destination", "line": 21},
    {"error": "there is no dst: give a pod's NAMESPACE/NAME, or an address", "line": 22},
    {"error": 'a question is an object: {"src": ..., "dst": ...}', "line": 23},
    {
        "error": "::ffff:10.0.0.1 is an IPv4 address in IPv6 form, which no packet carries; write 10.0.0.1",
        "line": 24,
    },
    {"error": "'10.0.0' is no address; an IPv4 address has four numbers: a block is 10.0.0.0/24", "line": 25},
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


def test_a_batch_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    batch = tmp_path / "batch"
    batch.write_bytes(b'\xef\xbb\xbf{"src": "shop/db-0", "dst": "shop/db-0", "port": 1}\n')
    shop = Path(__file__).parents[2] / "examples" / "shop"
    stdout = io.TextIOWrapper(io.BytesIO())
    stderr = io.StringIO()
    assert npc_into(stdout, stderr, "query", "--batch", str(batch), "-p", str(shop)) == 0
    stdout.seek(0)
    assert (stdout.read(), stderr.getvalue()) == ('{"allowed":true}\n', "")


def test_a_protocol_that_has_a_name_is_called_so() -> None:
    shop = Path(__file__).parents[2] / "examples" / "shop"
    outcome = npc("query", "any", "shop/db", "gre", "-p", str(shop))
    assert "DENIED  gre from " in outcome.stdout
    assert "not gre" in outcome.stdout
    assert "protocol 47" not in outcome.stdout
