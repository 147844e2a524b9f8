"""Cluster-wide policies are read into the same syntax, whichever kind and version they are written in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import parse_cidr
from npc.compiler.frontend import codes
from npc.compiler.frontend.documents import Loaded, load
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.syntax import (
    EVERYTHING,
    Action,
    Block,
    ClusterPolicy,
    NamedPort,
    Nodes,
    Operator,
    Pods,
    Port,
    Ports,
    Requirement,
    Rule,
    Selector,
    Tier,
)

NOWHERE = Origin(Source("expected"))
ALL_PODS = Pods(EVERYTHING, EVERYTHING)
PROD = Selector((Requirement("env", Operator.IN, ("prod",)),))
APP = Selector((Requirement("app", Operator.EXISTS),))
GROUP = "policy.networking.k8s.io"


def block(text: str) -> Block:
    return Block(parse_cidr(text).block)


def rule(action: Action, *peers: Pods | Block | Nodes, ports: tuple[Port, ...] | None = None) -> Rule:
    return Rule(peers, ports, NOWHERE, action)


def ports(*found: Port) -> tuple[Rule, ...]:
    """One ingress rule that denies some ports of everyone."""
    return (rule(Action.DENY, ALL_PODS, ports=found),)


def policy(kind: str = "ClusterNetworkPolicy", **fields: Any) -> ClusterPolicy:
    """A policy of the Admin tier for all pods, but for some fields."""
    usual: dict[str, Any] = {
        "name": "p",
        "tier": Tier.ADMIN,
        "priority": 7,
        "subject": ALL_PODS,
        "ingress": (),
        "egress": (),
    }
    return ClusterPolicy(**(usual | fields), origin=NOWHERE, kind=kind)


HEAD = "tier: Admin, priority: 7, subject: {namespaces: {}}"
DENY = "action: Deny, from: [{namespaces: {}}]"

CLUSTER_ROWS: list[tuple[str, str, ClusterPolicy]] = [
    ("no rules", HEAD, policy()),
    ("baseline", "tier: Baseline, priority: 1000, subject: {namespaces: {}}",
     policy(tier=Tier.BASELINE, priority=1000)),
    ("priority 0", "tier: Admin, priority: 0, subject: {namespaces: {}}", policy(priority=0)),
    ("subject by namespace", "tier: Admin, priority: 7, subject: {namespaces: {matchLabels: {env: prod}}}",
     policy(subject=Pods(EVERYTHING, PROD))),
    ("subject by pod",
     "tier: Admin, priority: 7, subject: {pods: {namespaceSelector: {matchLabels: {env: prod}}, "
     "podSelector: {matchExpressions: [{key: app, operator: Exists}]}}}",
     policy(subject=Pods(APP, PROD))),
    ("subject by pod, of all namespaces",
     "tier: Admin, priority: 7, subject: {pods: {podSelector: {matchExpressions: "
     "[{key: app, operator: Exists}]}}}",
     policy(subject=Pods(APP, EVERYTHING))),
    ("actions, in order", HEAD + ", ingress: [{action: Pass, from: [{namespaces: {}}]}, "
     "{action: Accept, from: [{namespaces: {}}]}, {action: Deny, from: [{namespaces: {}}]}]",
     policy(ingress=tuple(rule(one, ALL_PODS) for one in (Action.PASS, Action.ALLOW, Action.DENY)))),
    ("a named rule", HEAD + f", ingress: [{{name: no-dev, {DENY}}}]",
     policy(ingress=(Rule((ALL_PODS,), None, NOWHERE, Action.DENY, "no-dev"),))),
    ("every peer", HEAD + ", egress: [{action: Accept, to: [{namespaces: {matchLabels: {env: prod}}}, "
     "{pods: {podSelector: {}}}, {nodes: {}}, {networks: [10.0.0.0/8, 'fd00::/8']}]}]",
     policy(egress=(
         rule(Action.ALLOW, Pods(EVERYTHING, PROD), ALL_PODS, Nodes(EVERYTHING), block("10.0.0.0/8"),
              block("fd00::/8")),))),
    ("null fields", HEAD + ", ingress: null, egress: [{name: null, action: Deny, protocols: null, "
     "to: [{namespaces: {}, nodes: null}]}]", policy(egress=(rule(Action.DENY, ALL_PODS),))),
    ("empty lists of rules", HEAD + ", ingress: [], egress: []", policy()),
    ("a port", HEAD + f", ingress: [{{{DENY}, protocols: [{{tcp: {{destinationPort: {{number: 80}}}}}}]}}]",
     policy(ingress=ports(Ports(traffic.TCP, 80, 80)))),
    ("a range", HEAD + f", ingress: [{{{DENY}, protocols: "
     "[{udp: {destinationPort: {range: {start: 1, end: 65535}}}}]}]",
     policy(ingress=ports(Ports(traffic.UDP, 1, 65535)))),
    ("a named port", HEAD + f", ingress: [{{{DENY}, protocols: "
     "[{destinationNamedPort: web}, {sctp: {destinationPort: {number: 9}}}]}]",
     policy(ingress=ports(NamedPort(None, "web"), Ports(traffic.SCTP, 9, 9)))),
]  # fmt: skip

FIRST_HEAD = "subject: {namespaces: {}}"
FIRST_ROWS: list[tuple[str, str, tuple[Rule, ...]]] = [
    ("allow", "{action: Allow, from: [{namespaces: {}}]}", (rule(Action.ALLOW, ALL_PODS),)),
    ("a port", f"{{{DENY}, ports: [{{portNumber: {{protocol: UDP, port: 53}}}}]}}",
     ports(Ports(traffic.UDP, 53, 53))),
    ("TCP where no protocol is given", f"{{{DENY}, ports: [{{portNumber: {{port: 53}}}}]}}",
     ports(Ports(traffic.TCP, 53, 53))),
    ("a range", f"{{{DENY}, ports: [{{portRange: {{start: 1, end: 9}}}}]}}", ports(Ports(traffic.TCP, 1, 9))),
    ("a range of one port", f"{{{DENY}, ports: [{{portRange: {{protocol: SCTP, start: 9, end: 9}}}}]}}",
     ports(Ports(traffic.SCTP, 9, 9))),
    ("a named port", f"{{{DENY}, ports: [{{namedPort: web}}]}}", ports(NamedPort(None, "web"))),
]  # fmt: skip

DENIED = (Rule(None, None, NOWHERE, Action.DENY),)
CLOSED_ROWS: list[tuple[str, str, tuple[Rule, ...]]] = [
    ("a peer, accept", "{action: Accept, from: [{namespaces: {}}, {}]}", (rule(Action.ALLOW),)),
    ("a peer, deny", "{action: Deny, from: [{vms: {}}]}", DENIED),
    ("a peer, pass", "{action: Pass, from: [{namespaces: null}]}", DENIED),
    ("a protocol, accept", "{action: Accept, from: [{namespaces: {}}], protocols: [{icmp: {}}]}",
     (rule(Action.ALLOW),)),
    ("a protocol, deny", "{action: Deny, from: [{namespaces: {}}], protocols: [{}]}", DENIED),
    ("a protocol without a port", "{action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {}}]}", DENIED),
    ("a port without a number",
     "{action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {}}}]}", DENIED),
]  # fmt: skip


def read(kind: str, version: str, spec: str, name: str = "p") -> Loaded:
    text = f"apiVersion: {GROUP}/{version}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
    return load([Source("policy.yaml", content=text.encode())])


@pytest.mark.parametrize("version", ["v1alpha2", "v1beta1"])
@pytest.mark.parametrize(
    ("spec", "expected"), [row[1:] for row in CLUSTER_ROWS], ids=[row[0] for row in CLUSTER_ROWS]
)
def test_cluster_network_policy(version: str, spec: str, expected: ClusterPolicy) -> None:
    assert read("ClusterNetworkPolicy", version, spec) == Loaded(cluster_policies=(expected,))


@pytest.mark.parametrize(
    ("written", "expected"), [row[1:] for row in FIRST_ROWS], ids=[row[0] for row in FIRST_ROWS]
)
def test_its_forerunners(written: str, expected: tuple[Rule, ...]) -> None:
    kind = "AdminNetworkPolicy"
    loaded = read(kind, "v1alpha1", f"priority: 7, {FIRST_HEAD}, ingress: [{written}]")
    assert loaded == Loaded(cluster_policies=(policy(kind, ingress=expected),))
    kind = "BaselineAdminNetworkPolicy"
    loaded = read(kind, "v1alpha1", f"{FIRST_HEAD}, ingress: [{written}]", "default")
    found = policy(kind, name="default", tier=Tier.BASELINE, priority=0, ingress=expected)
    assert loaded == Loaded(cluster_policies=(found,))


@pytest.mark.parametrize(
    ("written", "expected"), [row[1:] for row in CLOSED_ROWS], ids=[row[0] for row in CLOSED_ROWS]
)
def test_what_is_unknown_fails_closed(written: str, expected: tuple[Rule, ...]) -> None:
    """C5, with a warning."""
    loaded = read("ClusterNetworkPolicy", "v1alpha2", f"{HEAD}, ingress: [{written}]")
    assert loaded.cluster_policies == (policy(ingress=expected),)
    assert [one.code for one in loaded.diagnostics] == [codes.FAILS_CLOSED]


@pytest.mark.parametrize(
    ("version", "rules", "items", "kind"),
    [
        ("v1alpha2", 25, 25, "ClusterNetworkPolicy"),
        ("v1beta1", 25, 25, "ClusterNetworkPolicy"),
        ("v1alpha1", 100, 100, "AdminNetworkPolicy"),
        ("v1alpha1", 100, 100, "BaselineAdminNetworkPolicy"),
    ],
)
def test_limits(version: str, rules: int, items: int, kind: str) -> None:
    """As many rules, peers, ports and networks as there may be; one more of each is an error."""
    port, field = ({"namedPort": "web"}, "ports")
    if kind == "ClusterNetworkPolicy":
        port, field = ({"destinationNamedPort": "web"}, "protocols")
    head: dict[str, Any] = {"subject": {"namespaces": {}}}
    head |= {"priority": 1} if kind != "BaselineAdminNetworkPolicy" else {}
    head |= {"tier": "Admin"} if kind == "ClusterNetworkPolicy" else {}

    def errors(more: int) -> set[tuple[str, str]]:
        """Field, without indices, and reason of each error when there are so many more than may be."""
        count = items + more
        ingress = {"action": "Deny", "from": [{"namespaces": {}}] * count, field: [port] * count}
        networks = [f"10.{number}.0.0/16" for number in range(25 + more)]
        egress = {"action": "Deny", "to": [{"networks": networks}]}
        spec = head | {"ingress": [ingress] * (rules + more), "egress": [egress] * (rules + more)}
        found = read(kind, version, json.dumps(spec)[1:-1], "default").diagnostics
        return {(re.sub(r"\[\d+\]", "[]", one.field), one.reason) for one in found}

    assert errors(0) == set()
    assert errors(1) == {
        ("spec.egress", "TooMany"),
        ("spec.egress[].to[].networks", "TooMany"),
        ("spec.ingress", "TooMany"),
        ("spec.ingress[].from", "TooMany"),
        (f"spec.ingress[].{field}", "TooMany"),
    }
