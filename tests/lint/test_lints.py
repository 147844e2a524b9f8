"""Each lint by what it finds, and by near misses in which it finds nothing."""

from __future__ import annotations

import json

import pytest
from yaml import safe_load

from tests.lint.findings import INVENTORY, codes_by_line, findings_in

WEB = "policy web in shop for pods(app=web) {{\n{}\n}}\n"
GUARD = "cluster policy guard tier admin priority 10 for ns {{\n{}\n}}\n"


def web(*rules: str) -> str:
    """A policy with rules, the first on line 2."""
    return WEB.format("\n".join(rules))


def guard(*rules: str) -> str:
    return GUARD.format("\n".join(rules))


def yaml(spec: str, name: str = "web") -> str:
    """A NetworkPolicy whose spec begins on line 5, each line of it as it is written here."""
    lines = "".join(f"  {line}\n" for line in spec.strip("\n").split("\n"))
    metadata = f"metadata: {{name: {name}, namespace: shop}}"
    return f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{metadata}\nspec:\n{lines}"


# (name, the code that is looked for, a text in the policy language, the lines where the code is found)
WITHOUT_INVENTORY: list[tuple[str, str, str, list[int]]] = [
    # --- NPC701
    ("ports in a range", "NPC701", web("allow tcp/80-90 from ns", "allow tcp/85 from ns"), [3]),
    (
        "a range in two",
        "NPC701",
        web("allow tcp/1-9 from ns", "allow tcp/10-20 from ns", "allow tcp/5-15 from ns"),
        [4],
    ),
    (
        "no range in two with a gap",
        "NPC701",
        web("allow tcp/1-9 from ns", "allow tcp/11-20 from ns", "allow tcp/5-15 from ns"),
        [],
    ),
    ("other protocols", "NPC701", web("allow tcp/80 from ns", "allow udp/80 from ns"), []),
    ("all traffic", "NPC701", web("allow from ns", "allow sctp/7 from pods(app=a)"), [3]),
    (
        "a block in two",
        "NPC701",
        web("allow tcp/1 from 10.0.0.0/9", "allow tcp/1 from 10.128.0.0/9", "allow tcp/1 from 10.0.0.0/8"),
        [4],
    ),
    (
        "a block with a hole that another fills",
        "NPC701",
        web(
            "allow tcp/1 from 10.0.0.0/8 except 10.1.0.0/16",
            "allow tcp/1 from 10.1.0.0/16",
            "allow tcp/1 from 10.1.2.0/24",
        ),
        [4],
    ),
    (
        "a block in a hole",
        "NPC701",
        web("allow tcp/1 from 10.0.0.0/8 except 10.1.0.0/16", "allow tcp/1 from 10.1.0.0/24"),
        [],
    ),
    ("pods in all pods", "NPC701", web("allow tcp/1 from pods", "allow tcp/1 from pods(app=a)"), [3]),
    (
        "pods in pods of all namespaces",
        "NPC701",
        web("allow tcp/1 from pods(app=a) in ns", "allow tcp/1 from pods(app=a, x=y)"),
        [3],
    ),
    (
        "pods of the policy's namespace by its name",
        "NPC701",
        web("allow tcp/1 from ns/shop", "allow tcp/1 from pods(app=a)"),
        [3],
    ),
    (
        "pods of another namespace",
        "NPC701",
        web("allow tcp/1 from ns/ship", "allow tcp/1 from pods(app=a)"),
        [],
    ),
    (
        "pods in a union of selectors",
        "NPC701",
        web("allow tcp/1 from pods(app)", "allow tcp/1 from pods(!app)", "allow tcp/1 from pods(tier=x)"),
        [4],
    ),
    (
        "pods in half a union",
        "NPC701",
        web("allow tcp/1 from pods(app=a)", "allow tcp/1 from pods(!app)", "allow tcp/1 from pods(tier=x)"),
        [],
    ),
    (
        "values that are listed",
        "NPC701",
        web("allow tcp/1 from pods(app in (a, b))", "allow tcp/1 from pods(app=b)"),
        [3],
    ),
    (
        "any but a value",
        "NPC701",
        web("allow tcp/1 from pods(app not in (a))", "allow tcp/1 from pods(app=b)"),
        [3],
    ),
    (
        "the value that is left out",
        "NPC701",
        web("allow tcp/1 from pods(app not in (a))", "allow tcp/1 from pods(app=a)"),
        [],
    ),
    ("pods in a block", "NPC701", web("allow tcp/1 from 10.0.0.0/8", "allow tcp/1 from pods"), []),
    ("pods in every block", "NPC701", web("allow tcp/1 from 0.0.0.0/0, ::/0", "allow tcp/1 from pods"), [3]),
    ("a block in all pods", "NPC701", web("allow tcp/1 from ns", "allow tcp/1 from 10.0.0.0/8"), []),
    ("a name in all ports", "NPC701", web("allow tcp from ns", "allow tcp/http from ns"), [3]),
    ("a name in a number", "NPC701", web("allow tcp/80 from ns", "allow tcp/http from ns"), []),
    (
        "a name in a name of any protocol",
        "NPC701",
        web("allow any/http from ns", "allow tcp/http from ns"),
        [3],
    ),
    (
        "the larger behind the smaller",
        "NPC701",
        web("allow tcp/1 from pods(app=a)", "allow tcp/1 from pods"),
        [2],
    ),
    ("equal ones are duplicates", "NPC701", web("allow tcp/1 from ns", "allow tcp/1 from ns"), []),
    ("the other direction", "NPC701", web("allow tcp/1 from ns", "allow tcp/1 to ns"), []),
    ("a rule that logs", "NPC701", web("allow tcp from ns", "allow tcp/1 from ns log"), []),
    (
        "in a rule that ends before",
        "NPC701",
        web("allow tcp from ns until 2030-01-01", "allow tcp/1 from ns"),
        [],
    ),
    (
        "in a rule that ends later",
        "NPC701",
        web("allow tcp from ns until 2030-01-01", "allow tcp/1 from ns until 2029-01-01"),
        [3],
    ),
    (
        "by a policy for all pods",
        "NPC701",
        web("allow tcp/1 from ns") + "policy all in shop for pods { allow tcp from ns }",
        [2],
    ),
    (
        "by a policy for some pods",
        "NPC701",
        web("allow tcp from ns") + "policy all in shop for pods { allow tcp/1 from ns }",
        [],
    ),
    (
        "by a policy of another namespace",
        "NPC701",
        web("allow tcp/1 from ns") + "policy all in x for pods { allow tcp from ns }",
        [],
    ),
    # --- NPC702
    ("behind a rule of the policy", "NPC702", guard("deny from ns", "allow from ns(a=b)"), [3]),
    (
        "behind two rules",
        "NPC702",
        guard("deny tcp from ns", "allow udp from ns", "pass tcp, udp from pods in ns"),
        [4],
    ),
    ("behind a rule of some of it", "NPC702", guard("deny tcp from ns", "allow tcp, udp from ns"), []),
    (
        "behind a policy of lower number",
        "NPC702",
        guard("allow from ns(a=b)") + "cluster policy z tier admin priority 1 for ns { deny from ns }",
        [2],
    ),
    (
        "behind a policy for fewer pods",
        "NPC702",
        guard("allow from ns(a=b)") + "cluster policy z tier admin priority 1 for ns(x) { deny from ns }",
        [],
    ),
    (
        "beside a policy of equal number",
        "NPC702",
        guard("allow from ns(a=b)") + "cluster policy a tier admin priority 10 for ns { deny from ns }",
        [],
    ),
    (
        "in another tier",
        "NPC702",
        guard("allow from ns(a=b)") + "cluster policy z tier baseline priority 1 for ns { deny from ns }",
        [],
    ),
    # --- NPC706
    ("no DNS", "NPC706", web("allow tcp/80 to pods(app=api)"), [2]),
    ("DNS in the policy", "NPC706", web("allow tcp/80 to pods(app=api)", "allow udp/53 to any"), []),
    ("DNS over TCP", "NPC706", web("allow tcp/80 to pods(app=api)", "allow tcp/53 to ns/kube-system"), []),
    (
        "DNS in a policy for all",
        "NPC706",
        web("allow tcp/80 to ns") + "policy dns in shop for pods { allow udp/53 to ns }",
        [],
    ),
    (
        "DNS in a policy for others",
        "NPC706",
        web("allow tcp/80 to ns") + "policy dns in shop for pods(app=x) { allow udp/53 to ns }",
        [2],
    ),
    (
        "DNS in a policy for perhaps some",
        "NPC706",
        web("allow tcp/80 to ns") + "policy dns in shop for pods(x) { allow udp/53 to ns }",
        [],
    ),
    (
        "DNS by the Admin tier",
        "NPC706",
        web("allow tcp/80 to ns") + "cluster policy dns tier admin for ns { allow udp/53 to ns }",
        [],
    ),
    ("all denied", "NPC706", web("isolate egress"), []),
    ("addresses alone", "NPC706", web("allow tcp/443 to 192.0.2.0/24"), []),
    ("everything", "NPC706", web("allow to any"), []),
    ("all ports of all pods", "NPC706", web("allow to ns"), []),
    ("all ports of the own pods", "NPC706", web("allow to pods"), [2]),
    ("not isolated for egress", "NPC706", web("allow tcp/80 from pods"), []),
    # --- NPC708, NPC709
    ("everyone", "NPC708", web("allow from any"), [2]),
    ("every address", "NPC708", web("allow from 0.0.0.0/0"), [2]),
    ("everyone on a port", "NPC708", web("allow tcp/443 from any"), []),
    ("all pods", "NPC708", web("allow from ns"), []),
    ("nearly every address", "NPC708", web("allow from 0.0.0.0/0 except 10.0.0.0/8"), []),
    ("out to everyone", "NPC708", web("allow to any"), []),
    ("deny everyone", "NPC708", guard("deny from any"), []),
    ("wide: everyone on a port", "NPC709", web("allow tcp/443 from any"), [2]),
    ("wide: out to everyone", "NPC709", web("allow to any"), [2]),
    ("wide: not said twice", "NPC709", web("allow from any"), []),
    ("wide: every IPv6 address", "NPC709", web("allow tcp/443 from ::/0"), [2]),
    # --- NPC710
    ("a value and not", "NPC710", web("allow tcp/1 from pods(a=b, a not in (b, c))"), [2]),
    ("there and not there", "NPC710", web("allow tcp/1 from pods(a, !a)"), [2]),
    ("two lists with nothing in common", "NPC710", web("allow tcp/1 from ns(a in (b, c), a in (d))"), [2]),
    (
        "two lists with something in common",
        "NPC710",
        web("allow tcp/1 from ns(a in (b, c), a in (c, d))"),
        [],
    ),
    ("not in two lists", "NPC710", web("allow tcp/1 from ns(a not in (b), a not in (c), a)"), []),
    ("of the subject", "NPC710", "policy web in shop for pods(a, !a) { isolate ingress }", [1]),
    # --- NPC712, NPC713
    ("a peer twice", "NPC712", web("allow tcp/1 from pods(a, b), ns/x, pods(b, a)"), [2]),
    ("a peer twice, by a set", "NPC712", "set s = ns/y\n" + web("allow tcp/1 from @s, ns/x, @s"), [3]),
    ("a peer that is in a set", "NPC712", "set s = ns/y\n" + web("allow tcp/1 from @s, ns/y"), []),
    ("ports twice", "NPC712", web("allow tcp/1, udp/1, tcp/1, tcp/1 from pods"), [2, 2]),
    (
        "a peer twice in a cluster policy",
        "NPC712",
        "cluster policy c tier admin for ns/shop { deny from ns/x,\n ns/x }",
        [2],
    ),
    ("a rule twice", "NPC712", web("allow tcp/1 from pods, ns/x", "allow tcp/1 from ns/x, pods"), [3]),
    (
        "a rule twice but for its name",
        "NPC712",
        web("allow tcp/1 from pods", "allow tcp/1 from pods as x"),
        [],
    ),
    (
        "a policy twice",
        "NPC713",
        web("allow tcp/1 from pods") + "policy two in shop for pods(app=web) { allow tcp/1 from pods }",
        [4],
    ),
    (
        "a policy twice, elsewhere",
        "NPC713",
        web("allow tcp/1 from pods") + "policy two in x for pods(app=web) { allow tcp/1 from pods }",
        [],
    ),
    (
        "a policy that isolates more",
        "NPC713",
        web("allow tcp/1 from pods")
        + "policy two in shop for pods(app=web) { allow tcp/1 from pods isolate egress }",
        [],
    ),
    (
        "a cluster policy twice",
        "NPC713",
        guard("deny from ns") + "cluster policy a tier admin priority 10 for ns { deny from ns }",
        [4],
    ),
    (
        "a cluster policy in another order",
        "NPC713",
        guard("deny tcp from ns", "allow udp from ns")
        + "cluster policy a tier admin priority 10 for ns { allow udp from ns deny tcp from ns }",
        [],
    ),
]


@pytest.mark.parametrize(
    ("code", "text", "lines"),
    [case[1:] for case in WITHOUT_INVENTORY],
    ids=[f"{case[1]} {case[0]}" for case in WITHOUT_INVENTORY],
)
def test_without_inventory(code: str, text: str, lines: list[int]) -> None:
    found = codes_by_line(findings_in(text))
    assert [line for name, line in found if name == code] == lines


WITH_INVENTORY: list[tuple[str, str, str, list[int]]] = [
    # --- NPC702
    (
        "denied by the Admin tier",
        "NPC702",
        web("allow tcp/1 from ns/watch")
        + "cluster policy g tier admin for ns(env=prod) { deny from ns(env=ops) }",
        [2],
    ),
    (
        "denied by it in part",
        "NPC702",
        web("allow tcp/1 from ns") + "cluster policy g tier admin for ns(env=prod) { deny from ns(env=ops) }",
        [],
    ),
    (
        "denied by it for others",
        "NPC702",
        web("allow tcp/1 from ns/watch")
        + "cluster policy g tier admin for ns(env=ops) { deny from ns(env=ops) }",
        [],
    ),
    (
        "passed by it",
        "NPC702",
        web("allow tcp/1 from ns/watch")
        + "cluster policy g tier admin for ns(env=prod) { pass from ns(env=ops) }",
        [],
    ),
    (
        "a rule by the pods that there are",
        "NPC702",
        guard("deny from ns(env=ops)", "allow from pods(app=probe) in ns"),
        [3],
    ),
    (
        "a Baseline rule behind the Admin tier",
        "NPC702",
        guard("deny from ns(env=ops)") + "cluster policy z tier baseline for ns { allow from ns/watch }",
        [4],
    ),
    (
        "a Baseline rule that NetworkPolicies hide",
        "NPC702",
        "policy all in shop for pods { isolate ingress }\n"
        "cluster policy z tier baseline for ns/shop { allow from ns/watch }",
        [],
    ),
    (
        "a rule that matches nobody",
        "NPC702",
        guard("deny from ns(env=ops)", "deny from ns(env=ops, x=y)"),
        [3],
    ),
    # --- NPC703
    (
        "the same pods by chance",
        "NPC703",
        web("allow tcp/1 from pods(app=db)", "allow tcp/1 from pods(tier=data)"),
        [3],
    ),
    ("a name and its number", "NPC703", web("allow tcp/80 from ns", "allow tcp/http from ns"), [3]),
    ("more pods by one", "NPC703", web("allow tcp/1 from pods(app=db)", "allow tcp/1 from pods(tier)"), [2]),
    ("said already", "NPC703", web("allow tcp/1 from pods(app=db)", "allow tcp/1 from pods"), []),
    (
        "pods and their addresses",
        "NPC703",
        web("allow tcp/1 from pods(app=db)", "allow tcp/1 from 10.0.0.0/8"),
        [2],
    ),
    (
        "a rule of two that cover each other",
        "NPC703",
        web("allow tcp/1 from pods(app=db)", "allow tcp/1 from pods(app in (db, x))"),
        [],
    ),
    ("nobody", "NPC703", web("allow tcp/1 from pods(app=x)", "allow tcp/2 from pods"), []),
    # --- NPC704
    ("a label that is mistyped", "NPC704", web("allow tcp/1 from pods(app=dbb)"), [2]),
    ("a namespace that is mistyped", "NPC704", web("allow tcp/1 from ns/shopp"), [2]),
    ("pods of another namespace", "NPC704", web("allow tcp/1 from pods(app=probe)"), [2]),
    ("one peer of two", "NPC704", web("allow tcp/1 from pods(app=db), pods(app=x)"), [2]),
    ("pods that there are", "NPC704", web("allow tcp/1 from pods(app=db), ns(env=ops), ns"), []),
    ("blocks without pods", "NPC704", web("allow tcp/1 from 192.0.2.0/24"), []),
    ("a contradiction is another's", "NPC704", web("allow tcp/1 from pods(a, !a)"), []),
    ("a deny without peers is another's", "NPC704", guard("deny tcp/1 from ns/nope"), []),
    ("a deny with half its peers", "NPC704", guard("deny tcp/1 from ns/nope, ns/shop"), [2]),
    # --- NPC705
    ("a name that the subject has not", "NPC705", web("allow tcp/sql from ns"), [2]),
    ("a name for another protocol", "NPC705", web("allow udp/http from ns"), [2]),
    ("a name that the subject has", "NPC705", web("allow tcp/http, any/http from ns"), []),
    ("a name that no peer has", "NPC705", web("allow tcp/sql to pods(app=api)"), [2]),
    ("a name that a peer has", "NPC705", web("allow tcp/sql to pods(app=api), pods(app=db)"), []),
    ("a name that someone has", "NPC705", web("allow tcp/sql to any"), []),
    ("a name in a block", "NPC705", web("allow tcp/sql to 10.1.0.1/32", "allow tcp/sql to 10.1.0.3/32"), [2]),
    (
        "a subject that there is not",
        "NPC705",
        "policy x in shop for pods(app=x) { allow tcp/sql from ns }",
        [],
    ),
    ("peers that there are not", "NPC705", web("allow tcp/sql to pods(app=x)"), []),
    # --- NPC706
    ("DNS to others", "NPC706", web("allow tcp/80 to ns", "allow udp/53 to pods"), [2]),
    (
        "DNS to the name server",
        "NPC706",
        web("allow tcp/80 to ns", "allow udp/53 to pods(k8s-app=kube-dns) in ns"),
        [],
    ),
    # --- NPC707
    ("a pod's address", "NPC707", web("allow tcp/1 from 10.1.0.2/32"), [2]),
    ("some pods' addresses", "NPC707", web("allow tcp/1 from 10.1.0.2/31"), [2]),
    ("an address of no pod", "NPC707", web("allow tcp/1 from 10.1.0.7/32"), []),
    ("pods in the except", "NPC707", web("allow tcp/1 from 10.1.0.4/30 except (10.1.0.4/31)"), []),
    ("a block around them", "NPC707", web("allow tcp/1 from 10.0.0.0/8"), []),
    # --- NPC417
    ("nobody is selected", "NPC417", "policy x in shop for pods(app=x) { isolate ingress }", [1]),
]


@pytest.mark.parametrize(
    ("code", "text", "lines"),
    [case[1:] for case in WITH_INVENTORY],
    ids=[f"{case[1]} {case[0]}" for case in WITH_INVENTORY],
)
def test_with_inventory(code: str, text: str, lines: list[int]) -> None:
    found = codes_by_line(findings_in(text, inventory=INVENTORY))
    assert [line for name, line in found if name == code] == lines


NODES = """
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Node, metadata: {name: a}, spec: {podCIDRs: [10.1.0.0/24, "fd00::/64"]}}
  - {apiVersion: v1, kind: Node, metadata: {name: b}, spec: {podCIDR: 10.1.1.0/24}}
  - {apiVersion: v1, kind: Node, metadata: {name: c}, spec: {podCIDRs: [none]}}
  - apiVersion: v1
    kind: Pod
    metadata: {name: p, namespace: shop, labels: {app: web}}
    spec: {nodeName: a}
    status: {podIP: 10.1.0.7}
"""
BY_NODES = [
    # (block, the beginning of what is said; nothing: no finding)
    ("10.1.0.7/32", "10.1.0.7/32 is inside the range of the pods on a, 10.1.0.0/24: it means shop/p now"),
    ("10.1.1.0/24", "10.1.1.0/24 is inside the range of the pods on b, 10.1.1.0/24: no pod has it now"),
    ("fd00::5/128", "fd00::5/128 is inside the range of the pods on a, fd00::/64: no pod has it now"),
    ("10.1.0.0/23", "10.1.0.0/23 is inside the pods' range 10.1.0.0/23: it means shop/p now"),
    ("10.1.2.0/24", ""),
    ("10.1.0.0/16", ""),
]


@pytest.mark.parametrize(("block", "expected"), BY_NODES, ids=[one[0] for one in BY_NODES])
def test_ranges_that_nodes_give(block: str, expected: str) -> None:
    for inventory in (NODES, json.dumps(safe_load(NODES))):
        found = findings_in(web(f"allow tcp/1 from {block}"), inventory=inventory)
        said = [one.message for one in found if one.code.name == "NPC707"]
        assert [one.startswith(expected) for one in said] == ([True] if expected else [])


def test_pods_from_elsewhere_make_the_range_where_nodes_do_not() -> None:
    inventory = NODES.replace("10.1.0.7", "10.9.0.7")
    lines = [
        len(
            [
                one
                for one in findings_in(web(f"allow tcp/1 from {block}"), inventory=inventory)
                if one.code.name == "NPC707"
            ]
        )
        for block in ("10.1.1.0/24", "10.9.0.7/32")
    ]
    assert lines == [0, 1]


@pytest.mark.parametrize("code", ["NPC703", "NPC704", "NPC705", "NPC707"])
def test_what_needs_an_inventory_is_silent_without_one(code: str) -> None:
    for case in WITH_INVENTORY:
        if case[1] == code:
            assert code not in [name for name, _ in codes_by_line(findings_in(case[2]))]


IN_YAML: list[tuple[str, str, str, list[int]]] = [
    (
        "policyTypes without Egress",
        "NPC410",
        "policyTypes: [Ingress]\negress:\n  - to:\n      - podSelector: {}",
        [7],
    ),
    (
        "policyTypes with both",
        "NPC410",
        "policyTypes: [Ingress, Egress]\negress:\n  - to:\n      - podSelector: {}",
        [],
    ),
    ("policyTypes by default", "NPC410", "egress:\n  - to:\n      - podSelector: {}", []),
    ("no policyTypes", "NPC711", "podSelector: {}", [4]),
    ("empty policyTypes", "NPC711", "podSelector: {}\npolicyTypes: []", [4]),
    ("policyTypes", "NPC711", "podSelector: {}\npolicyTypes: [Egress]", []),
    (
        "a port twice",
        "NPC712",
        "ingress:\n  - ports:\n      - port: 80\n      - {protocol: TCP, port: 80}",
        [8],
    ),
    (
        "a port of another protocol",
        "NPC712",
        "ingress:\n  - ports:\n      - port: 80\n      - {protocol: UDP, port: 80}",
        [],
    ),
    ("a peer twice", "NPC712", "egress:\n  - to:\n      - podSelector: {}\n      - podSelector: {}", [8]),
    (
        "a peer twice, spelt otherwise",
        "NPC712",
        "ingress:\n  - from:\n      - ipBlock: {cidr: 10.0.0.1/8}\n      - ipBlock: {cidr: 10.0.0.2/8}",
        [8],
    ),
    (
        "a contradiction in a peer",
        "NPC710",
        "ingress:\n  - from:\n      - podSelector:\n          matchLabels: {a: b}\n"
        "          matchExpressions:\n            - {key: a, operator: DoesNotExist}",
        [7],
    ),
]


@pytest.mark.parametrize(
    ("code", "spec", "lines"),
    [case[1:] for case in IN_YAML],
    ids=[f"{case[1]} {case[0]}" for case in IN_YAML],
)
def test_in_yaml(code: str, spec: str, lines: list[int]) -> None:
    found = codes_by_line(findings_in(yaml(spec), name="a.yaml"))
    assert [line for name, line in found if name == code] == lines


HELPS = [
    ("a label's value", web("allow tcp/1 from pods(app=dbs)"), "no pod has app=dbs: did you mean 'db'?"),
    ("a label", web("allow tcp/1 from pods(ap=db)"), "no pod has a label ap: did you mean 'app'?"),
    ("a namespace", web("allow tcp/1 from ns/shopp"), "did you mean 'shop'?"),
    ("a port", web("allow tcp/htpp from ns"), "did you mean 'http'?"),
    ("a protocol", web("allow udp/http from ns"), "they name it for TCP"),
]


@pytest.mark.parametrize(("text", "help"), [case[1:] for case in HELPS], ids=[case[0] for case in HELPS])
def test_help(text: str, help: str) -> None:
    assert any(help in one.help for one in findings_in(text, inventory=INVENTORY))
