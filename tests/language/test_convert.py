"""What either notation cannot say of the other, refused at its place; and what becomes of several files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Format
from npc.compiler.frontend.render import render
from npc.compiler.frontend.source import Source
from npc.compiler.language.conversion import convert
from npc.compiler.language.notation import Notation

POLICY = "policy p in shop for pods {{ {} }}"
CLUSTER = "cluster policy p tier admin for ns {{ {} }}"
MANY = ", ".join(f"ns/n{number}" for number in range(26))

REFUSED = [
    # (name, the program, what is pointed at, the message)
    ("log", POLICY, "allow from any log", "log", "Kubernetes has no rules that log"),
    ("until", POLICY, "allow from any until 2027-01-31", "2027-01-31", "Kubernetes has no rules that end"),
    ("a name", POLICY, "allow from any as x", "x", "the rules of a NetworkPolicy have no names"),
    (
        "ICMP",
        POLICY,
        "allow icmp/8 from any",
        "icmp/8",
        "a NetworkPolicy knows TCP, UDP and SCTP, and no ICMP",
    ),
    ("nodes", POLICY, "allow to nodes", "nodes", "a NetworkPolicy has no nodes as peers"),
    ("a Service", POLICY, "allow to svc/web", "svc/web", "Kubernetes has no Services as peers"),
    ("log of a cluster policy", CLUSTER, "deny from ns log", "log", "Kubernetes has no rules that log"),
    (
        "until of a cluster policy",
        CLUSTER,
        "deny from ns until 2027-01-31",
        "2027-01-31",
        "Kubernetes has no rules that end",
    ),
    (
        "ICMP of a cluster policy",
        CLUSTER,
        "deny icmpv6 from ns",
        "icmpv6",
        "a ClusterNetworkPolicy knows TCP, UDP and SCTP, and no ICMPv6",
    ),
    (
        "all of a protocol",
        CLUSTER,
        "deny tcp from ns",
        "tcp",
        "a ClusterNetworkPolicy cannot name TCP without a port",
    ),
    (
        "a named port of one protocol",
        CLUSTER,
        "deny tcp/http from ns",
        "tcp/http",
        "a named port of a ClusterNetworkPolicy is of whichever protocol has it",
    ),
    (
        "a named port of no pod",
        CLUSTER,
        "deny any/http to 10.0.0.0/8",
        "any/http",
        "a named port is one of pods, and not of nodes or networks",
    ),
    (
        "everyone as a source",
        CLUSTER,
        "deny from any",
        "any",
        "a ClusterNetworkPolicy has no addresses among the peers of ingress",
    ),
    (
        "addresses as a source",
        CLUSTER,
        "deny from ::/0",
        "::/0",
        "a ClusterNetworkPolicy has no addresses among the peers of ingress",
    ),
    (
        "nodes as a source",
        CLUSTER,
        "deny from nodes(a=b)",
        "nodes(a=b)",
        "a ClusterNetworkPolicy has no nodes among the peers of ingress",
    ),
    (
        "an except",
        CLUSTER,
        "deny to 10.0.0.0/8 except 10.0.0.0/9",
        "10.0.0.0/8 except 10.0.0.0/9",
        "a ClusterNetworkPolicy has no except",
    ),
    (
        "a Service in a cluster policy",
        CLUSTER,
        "allow to svc/a in ns/b",
        "svc/a in ns/b",
        "Kubernetes has no Services as peers",
    ),
    (
        "too many peers",
        CLUSTER,
        f"allow to {MANY}",
        f"allow to {MANY}",
        "a rule of a ClusterNetworkPolicy has at most 25 peers, not 26",
    ),
    (
        "too many protocols",
        CLUSTER,
        "allow " + ", ".join(f"tcp/{number}" for number in range(1, 27)) + " to ns",
        "allow " + ", ".join(f"tcp/{number}" for number in range(1, 27)) + " to ns",
        "a rule of a ClusterNetworkPolicy has at most 25 protocols, not 26",
    ),
    (
        "too many rules",
        CLUSTER,
        "allow from ns\n" * 25 + "pass from ns",
        "pass from ns",
        "a ClusterNetworkPolicy has at most 25 ingress rules, not 26",
    ),
]


@pytest.mark.parametrize(
    ("program", "statement", "place", "message"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_what_kubernetes_cannot_say(program: str, statement: str, place: str, message: str) -> None:
    text = program.format(statement)
    converted = convert([Source("x.npc", content=text.encode())], Notation.YAML)
    (fault,) = converted.diagnostics
    assert (fault.code, fault.message, converted.texts) == (codes.NOT_IN_KUBERNETES, message, {})
    assert fault.origin is not None
    assert fault.origin.within is not None
    start, end = fault.origin.within
    assert text[start:end] == place
    assert fault.about.endswith("Policy shop/p" if program is POLICY else "Policy p")


def test_what_a_definition_has_is_refused_once() -> None:
    text = (
        "service ping = icmp, icmpv6 set hosts = nodes, nodes\n"
        "policy a in shop for pods { allow @ping, icmp/8 from @hosts allow @ping to any }\n"
        "policy b in shop for pods { allow @ping from @hosts }"
    )
    converted = convert([Source("x.npc", content=text.encode())], Notation.YAML)
    refused = sorted((one.message, bool(one.related)) for one in converted.diagnostics)
    protocols = "a NetworkPolicy knows TCP, UDP and SCTP, and no"
    assert refused == [
        ("a NetworkPolicy has no nodes as peers", True),
        (f"{protocols} ICMP", False),
        (f"{protocols} ICMP", True),
        (f"{protocols} ICMPv6", True),
    ]


def test_what_a_set_holds_is_refused_where_a_rule_refers_to_it() -> None:
    text = "set hosts = nodes, pods\npolicy p in shop for pods { allow to @hosts }\n"
    converted = convert([Source("x.npc", content=text.encode())], Notation.YAML)
    assert render(converted.diagnostics, Format.TEXT) == (
        "error[NPC611]: a NetworkPolicy has no nodes as peers\n"
        " --> x.npc:2:38\n"
        "  |\n"
        "2 | policy p in shop for pods { allow to @hosts }\n"
        "  |                                      ^^^^^^\n"
        " --> x.npc:1:5\n"
        "  |\n"
        "1 | set hosts = nodes, pods\n"
        "  |     ^^^^^ defined here\n"
        "   = in NetworkPolicy shop/p\n"
        "   = help: write their addresses, like 192.0.2.7/32\n\n"
    )


EXPANDED = [
    # (name, the program, a statement, the rule that comes of it)
    (
        "a named port of any protocol",
        POLICY,
        "allow any/web from any",
        {"ports": [{"protocol": one, "port": "web"} for one in ("TCP", "UDP", "SCTP")]},
    ),
    ("everyone and everything", POLICY, "allow from any", {}),
    (
        "everyone as a destination",
        CLUSTER,
        "deny to any",
        {"action": "Deny", "to": [{"networks": ["0.0.0.0/0", "::/0"]}]},
    ),
    (
        "neighbouring blocks, each once, as the API has them",
        CLUSTER,
        "deny to 10.1.2.3/8, ns, 10.0.0.0/8, 010.0.0.0/8, fd00::/8",
        {
            "action": "Deny",
            "to": [
                {"networks": ["10.0.0.0/8"]},
                {"namespaces": {}},
                {"networks": ["10.0.0.0/8", "fd00::/8"]},
            ],
        },
    ),
    (
        "more blocks than a peer has",
        CLUSTER,
        "pass to " + ", ".join(f"10.{number}.0.0/16" for number in range(26)),
        {
            "action": "Pass",
            "to": [
                {"networks": [f"10.{number}.0.0/16" for number in range(25)]},
                {"networks": ["10.25.0.0/16"]},
            ],
        },
    ),
    (
        "a range of one port",
        CLUSTER,
        "allow tcp/80-80, udp/1-2 from ns as x",
        {
            "name": "x",
            "action": "Accept",
            "from": [{"namespaces": {}}],
            "protocols": [
                {"tcp": {"destinationPort": {"number": 80}}},
                {"udp": {"destinationPort": {"range": {"start": 1, "end": 2}}}},
            ],
        },
    ),
]


@pytest.mark.parametrize(
    ("program", "statement", "rule"), [case[1:] for case in EXPANDED], ids=[case[0] for case in EXPANDED]
)
def test_what_kubernetes_says_otherwise(program: str, statement: str, rule: dict[str, object]) -> None:
    source = Source("x.npc", content=program.format(statement).encode())
    (text,) = convert([source], Notation.YAML).texts.values()
    spec = yaml.safe_load(text)["spec"]
    assert [*spec.get("ingress", ()), *spec.get("egress", ())] == [rule]


def test_sets_that_refer_to_each_other_a_billion_times() -> None:
    chain = "".join(f"set s{number} = @s{number + 1}, @s{number + 1}\n" for number in range(5000))
    text = f"{chain}set s5000 = 10.0.0.0/8, ns\n{POLICY.format('allow from @s0, pods, @s4999')}\n"
    (converted,) = convert([Source("x.npc", content=text.encode())], Notation.YAML).texts.values()
    (rule,) = yaml.safe_load(converted)["spec"]["ingress"]
    both = [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"namespaceSelector": {}}]
    assert rule["from"] == [*both, {"podSelector": {}}, *both]


TYPES = [
    # (statements, policyTypes)
    ("allow from any", ["Ingress"]),
    ("allow to any", ["Egress"]),
    ("allow to any allow from any", ["Ingress", "Egress"]),
    ("allow to any isolate ingress", ["Ingress", "Egress"]),
    ("isolate ingress isolate egress", ["Ingress", "Egress"]),
    ("isolate egress, ingress", ["Egress", "Ingress"]),
    ("isolate only egress allow from any", ["Egress"]),
]


@pytest.mark.parametrize(("statements", "types"), TYPES, ids=[case[0] for case in TYPES])
def test_policy_types(statements: str, types: list[str]) -> None:
    source = Source("x.npc", content=POLICY.format(statements).encode())
    (text,) = convert([source], Notation.YAML).texts.values()
    assert yaml.safe_load(text)["spec"]["policyTypes"] == types


CNP = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: p}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress: [{action: Deny, from: [PEER]PROTOCOLS}]
"""
ANP = """\
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: p}
spec: {priority: 1, subject: {namespaces: {}}}
"""

WITHOUT_WORDS = [
    # (name, peer, protocols, field, message)
    (
        "a new peer",
        "{serviceAccounts: {}}",
        "",
        "spec.ingress[0].from[0]",
        "a kind of peer that npc does not know has no words in the policy language",
    ),
    (
        "a new protocol",
        "{namespaces: {}}",
        ", protocols: [{igmp: {}}]",
        "spec.ingress[0].protocols[0]",
        "a kind of protocol that npc does not know has no words in the policy language",
    ),
]


@pytest.mark.parametrize(
    ("peer", "protocols", "field", "message"),
    [case[1:] for case in WITHOUT_WORDS],
    ids=[case[0] for case in WITHOUT_WORDS],
)
def test_what_the_language_cannot_say(peer: str, protocols: str, field: str, message: str) -> None:
    text = CNP.replace("PEER", peer).replace("PROTOCOLS", protocols)
    converted = convert([Source("x.yaml", content=text.encode())], Notation.NPC)
    fault = converted.diagnostics[-1]
    assert (fault.code, fault.field, fault.message, converted.texts) == (codes.NO_WORDS, field, message, {})


def test_cluster_policies_of_two_kinds_and_one_name() -> None:
    text = CNP.replace("PEER", "{namespaces: {}}").replace("PROTOCOLS", "") + "---\n" + ANP
    (fault,) = convert([Source("x.yaml", content=text.encode())], Notation.NPC).diagnostics
    assert (fault.code, fault.message) == (
        codes.DUPLICATE_POLICY,
        "two cluster policies would have the name 'p'",
    )
    assert [one.label for one in fault.related] == ["first here"]


def test_each_file_and_what_it_includes_are_converted_once(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b.npc").write_text(
        "service web = tcp/80\npolicy b for pods { allow @web from pods }\n"
    )
    (tmp_path / "a.npc").write_text(
        'include "below/b.npc"\npolicy a for pods { allow @web from pods }\n', encoding="utf-8"
    )
    paths = [tmp_path / "a.npc", tmp_path / "below" / "b.npc"]
    converted = convert([Source(path.name, path) for path in paths], Notation.YAML)
    names = [
        (source.name, yaml.safe_load(text)["metadata"]["name"]) for source, text in converted.texts.items()
    ]
    assert (sorted(names), converted.diagnostics) == ([("a.npc", "a"), ("b.npc", "b")], ())


def test_what_needs_no_conversion_is_passed_over() -> None:
    sources = [
        Source("x.npc", content=b"policy a for pods { isolate ingress }"),
        Source("y.yaml", content=ANP.encode()),
    ]
    converted = convert(sources, Notation.NPC)
    assert [source.name for source in converted.texts] == ["y.yaml"]
    assert [one.message for one in converted.diagnostics] == ["passed over: 1 policy that is in npc already"]
    nothing = convert(sources[:1], Notation.NPC)
    assert [one.code for one in nothing.diagnostics] == [codes.PASSED_OVER, codes.NO_INPUT]
