"""The reference evaluator on cluster policies, rule by rule: policies, a packet, and whether it passes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.reference.evaluator import Cluster, allowed
from tests.reference.manifests import Document
from tests.reference.test_evaluator import CLUSTER, packet

ALL = "subject: {namespaces: {}}"
RED_PODS = "subject: {namespaces: {matchLabels: {team: red}}}"
WEB_PODS = "subject: {pods: {podSelector: {matchLabels: {app: web}}}}"
DENY_ALL = "{action: Deny, from: [{namespaces: {}}]}"
ISOLATE = "{policyTypes: [Ingress, Egress]}"
OPEN = "{ingress: [{}]}"


def admin(rules: str, *, name: str = "a", priority: int = 10, subject: str = ALL) -> str:
    """A ClusterNetworkPolicy of the Admin tier."""
    return f"{{name: {name}, tier: Admin, priority: {priority}, {subject}, {rules}}}"


def baseline(rules: str, *, name: str = "b", priority: int = 10, subject: str = ALL) -> str:
    """A ClusterNetworkPolicy of the Baseline tier."""
    return f"{{name: {name}, tier: Baseline, priority: {priority}, {subject}, {rules}}}"


def ingress(action: str, peer: str, ports: str = "") -> str:
    """The one ingress rule of a policy."""
    return f"ingress: [{rule(action, 'from', peer, ports)}]"


def egress(action: str, peer: str, ports: str = "") -> str:
    """The one egress rule of a policy."""
    return f"egress: [{rule(action, 'to', peer, ports)}]"


def rule(action: str, field: str, peer: str, ports: str = "") -> str:
    return f"{{action: {action}, {field}: [{peer}]" + (f", {ports}}}" if ports else "}")


def first(ports: str = "") -> str:
    """The spec of an AdminNetworkPolicy that allows ports of every pod."""
    return f"{{priority: 1, {ALL}, {ingress('Allow', EVERYONE, ports)}}}"


EVERYONE = "{namespaces: {}}"
RED = "{namespaces: {matchLabels: {team: red}}}"
WEB = "{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}"
TCP_80 = "protocols: [{tcp: {destinationPort: {number: 80}}}]"
TCP_80_TO_82 = "protocols: [{tcp: {destinationPort: {range: {start: 80, end: 82}}}}]"
UDP_53 = "protocols: [{udp: {destinationPort: {number: 53}}}]"
NAMED_WEB = "protocols: [{destinationNamedPort: web}]"
NAMED_DNS = "protocols: [{destinationNamedPort: dns}]"
BOTH_RULES = "ingress: [%s, %s]"

# Rule, cluster policies, specs of NetworkPolicies in the default namespace, packet, whether it passes.
ROWS: list[tuple[str, list[str], list[str], str, bool]] = [
    ("C1 no rule matches: the default", [admin(ingress("Deny", RED))], [], "web > db tcp/80", True),
    ("C1 admin before a NetworkPolicy that allows",
     [admin(ingress("Deny", EVERYONE))], [OPEN], "web > db tcp/80", False),
    ("C1 admin before a NetworkPolicy that denies",
     [admin(ingress("Accept", EVERYONE))], [ISOLATE, "{podSelector: {matchLabels: {app: none}}}"],
     "api > db tcp/80", True),
    ("C1 admin before baseline",
     [baseline(ingress("Deny", EVERYONE)), admin(ingress("Accept", RED))], [], "api > db tcp/80", True),
    ("C1 baseline before the default", [baseline(ingress("Deny", RED))], [], "api > db tcp/80", False),
    ("C1 an accept for ingress does not open egress",
     [admin(ingress("Accept", EVERYONE))], [ISOLATE], "db > web tcp/80", False),
    ("C1 both directions accepted",
     [admin(f"{ingress('Accept', EVERYONE)}, {egress('Accept', EVERYONE)}")], [ISOLATE],
     "db > web tcp/80", True),
    ("C1 no policy is for who is in no cluster",
     [admin(egress("Deny", "{networks: [0.0.0.0/0]}"))], [], "outside > elsewhere tcp/80", True),
    ("C2 the first rule decides",
     [admin(BOTH_RULES % (rule("Accept", "from", RED), rule("Deny", "from", EVERYONE)))], [],
     "api > db tcp/80", True),
    ("C2 the second where the first does not match",
     [admin(BOTH_RULES % (rule("Accept", "from", RED), rule("Deny", "from", EVERYONE)))], [],
     "web > db tcp/80", False),
    ("C2 written order, not accept before deny",
     [admin(BOTH_RULES % (rule("Deny", "from", EVERYONE), rule("Accept", "from", RED)))], [],
     "api > db tcp/80", False),
    ("C2 low priorities first",
     [admin(ingress("Deny", EVERYONE), name="a", priority=11),
      admin(ingress("Accept", RED), name="z", priority=10)], [], "api > db tcp/80", True),
    ("C2 priority 0 is a priority",
     [admin(ingress("Deny", EVERYONE), name="a", priority=1),
      admin(ingress("Accept", RED), name="z", priority=0)], [], "api > db tcp/80", True),
    ("C2 equal priorities: by name",
     [admin(ingress("Deny", EVERYONE), name="y"), admin(ingress("Accept", RED), name="x")], [],
     "api > db tcp/80", True),
    ("C2 ingress and egress apart: an ingress accept is no egress accept",
     [admin(f"{ingress('Accept', EVERYONE)}, {egress('Deny', EVERYONE)}")], [], "db > web tcp/80", False),
    ("C2 pass goes on to the NetworkPolicies: allowed",
     [admin(BOTH_RULES % (rule("Pass", "from", RED), DENY_ALL))],
     ["{ingress: [{ports: [{port: 80}]}]}"], "api > db tcp/80", True),
    ("C2 pass goes on to the NetworkPolicies: denied",
     [admin(BOTH_RULES % (rule("Pass", "from", RED), DENY_ALL))],
     ["{ingress: [{ports: [{port: 80}]}]}"], "api > db tcp/81", False),
    ("C2 pass goes on to baseline where there is no NetworkPolicy",
     [admin(ingress("Pass", EVERYONE)), baseline(ingress("Deny", EVERYONE))], [], "api > db tcp/80", False),
    ("C2 pass skips policies of the tier with higher numbers",
     [admin(ingress("Pass", EVERYONE), priority=1), admin(ingress("Deny", EVERYONE), name="z")], [],
     "api > db tcp/80", True),
    ("C2 pass in baseline: the default",
     [baseline(BOTH_RULES % (rule("Pass", "from", RED), DENY_ALL))], [], "api > db tcp/80", True),
    ("C3 an isolated pod's decision is final: baseline cannot open",
     [baseline(ingress("Accept", EVERYONE))], ["{}"], "api > db tcp/80", False),
    ("C3 an isolated pod's decision is final: baseline cannot close",
     [baseline(ingress("Deny", EVERYONE))], [OPEN], "api > db tcp/80", True),
    ("C3 not isolated in the direction: baseline",
     [baseline(egress("Deny", EVERYONE))], [OPEN], "db > api tcp/80", False),
    ("C4 a host-network pod is no subject",
     [admin(ingress("Deny", EVERYONE))], [], "api > node tcp/80", True),
    ("C4 a host-network pod is no peer", [admin(ingress("Deny", EVERYONE))], [], "node > db tcp/80", True),
    ("C4 subject by namespace",
     [admin(ingress("Deny", EVERYONE), subject=RED_PODS)], [],
     "db > api tcp/80", False),
    ("C4 subject by namespace: another",
     [admin(ingress("Deny", EVERYONE), subject=RED_PODS)], [],
     "api > db tcp/80", True),
    ("C4 subject by pod, of every namespace",
     [admin(ingress("Deny", EVERYONE), subject=WEB_PODS)],
     [], "api > lost tcp/80", False),
    ("C4 subject by pod: another",
     [admin(ingress("Deny", EVERYONE), subject=WEB_PODS)],
     [], "api > db tcp/80", True),
    ("C4 pods in namespaces", [admin(ingress("Deny", WEB))], [], "lost > db tcp/80", False),
    ("C4 pods in namespaces: another pod", [admin(ingress("Deny", WEB))], [], "api > db tcp/80", True),
    ("C4 namespaces: nobody outside", [admin(ingress("Deny", EVERYONE))], [], "outside > db tcp/80", True),
    ("C4 networks match pods",
     [admin(egress("Deny", "{networks: [10.0.0.2/31]}"))], [], "db > api tcp/80", False),
    ("C4 networks match addresses of nobody",
     [admin(egress("Deny", "{networks: [203.0.113.1/32]}"))], [], "db > outside tcp/80", False),
    ("C4 networks: another", [admin(egress("Deny", "{networks: [10.0.0.2/31]}"))], [],
     "api > db tcp/80", True),
    ("C4 networks match ICMP", [admin(egress("Deny", "{networks: [0.0.0.0/0]}"))], [], "db > outside icmp",
     False),
    ("C4 networks: one family", [admin(egress("Deny", "{networks: [0.0.0.0/0]}"))], [],
     "db6 > outside6 tcp/80", True),
    ("C4 nodes", [admin(egress("Deny", "{nodes: {matchLabels: {role: worker}}}"))], [], "web > node tcp/80",
     False),
    ("C4 nodes: another", [admin(egress("Deny", "{nodes: {matchLabels: {role: edge}}}"))], [],
     "web > node tcp/80", True),
    ("C4 nodes: no pods", [admin(egress("Deny", "{nodes: {}}"))], [], "web > db tcp/80", True),
    ("protocols: the port", [admin(ingress("Deny", EVERYONE, TCP_80))], [], "api > db tcp/80", False),
    ("protocols: another port", [admin(ingress("Deny", EVERYONE, TCP_80))], [], "api > db tcp/81", True),
    ("protocols: another protocol", [admin(ingress("Deny", EVERYONE, TCP_80))], [], "api > db udp/80", True),
    ("protocols: the first of a range", [admin(ingress("Deny", EVERYONE, TCP_80_TO_82))], [],
     "api > db tcp/80", False),
    ("protocols: the last of a range", [admin(ingress("Deny", EVERYONE, TCP_80_TO_82))], [],
     "api > db tcp/82", False),
    ("protocols: after a range", [admin(ingress("Deny", EVERYONE, TCP_80_TO_82))], [], "api > db tcp/83",
     True),
    ("protocols: UDP", [admin(ingress("Deny", EVERYONE, UDP_53))], [], "api > db udp/53", False),
    ("protocols: null", [admin(ingress("Deny", EVERYONE, "protocols: null"))], [], "api > db icmp", False),
    ("named port: of the destination", [admin(ingress("Deny", EVERYONE, NAMED_WEB))], [],
     "api > web tcp/8080", False),
    ("named port: not another's number", [admin(ingress("Deny", EVERYONE, NAMED_WEB))], [],
     "api > web tcp/80", True),
    ("named port: of whichever protocol", [admin(ingress("Deny", EVERYONE, NAMED_DNS))], [],
     "api > db udp/53", False),
    ("named port: of that protocol alone", [admin(ingress("Deny", EVERYONE, NAMED_DNS))], [],
     "api > db tcp/53", True),
    ("named port: for egress at the peer", [admin(egress("Deny", EVERYONE, NAMED_WEB))], [],
     "db > web tcp/8080", False),
    ("C5 no known peer: accept matches nothing",
     [admin(BOTH_RULES % ("{action: Accept, from: [{namespaces: {}}, {}]}", DENY_ALL))], [],
     "api > db tcp/80", False),
    ("C5 no known peer: deny denies everything",
     [admin(ingress("Deny", "{vms: {}}", TCP_80))], [], "outside > db icmp", False),
    ("C5 no known peer: so does pass",
     [admin(ingress("Pass", "{namespaces: null}"))], [], "api > db tcp/80", False),
    ("C5 no known protocol: accept matches nothing",
     [admin(BOTH_RULES % (rule("Accept", "from", EVERYONE, "protocols: [{}]"), DENY_ALL))], [],
     "api > db tcp/80", False),
    ("C5 no known protocol: deny denies everything",
     [admin(ingress("Deny", RED, "protocols: [{icmp: {}}]"))], [], "web > db tcp/80", False),
    ("C5 a protocol without a known port",
     [admin(ingress("Deny", RED, "protocols: [{tcp: {}}]"))], [], "web > db udp/80", False),
    ("C5 an earlier rule decides before",
     [admin(BOTH_RULES % (rule("Accept", "from", RED), rule("Pass", "from", "{}")))], [],
     "api > db tcp/80", True),
    ("C5 for the subjects alone",
     [admin(ingress("Deny", "{}"), subject=RED_PODS)], [],
     "api > db tcp/80", True),
    ("C6 a hairpin past the NetworkPolicies", [], [ISOLATE], "db > db tcp/80", True),
    ("C6 a hairpin past those that only allow", [], ["{ingress: [{ports: [{port: 81}]}]}"], "db > db tcp/80",
     True),
    ("C6 admin decides on a hairpin: ingress", [admin(ingress("Deny", EVERYONE))], [], "db > db tcp/80",
     False),
    ("C6 admin decides on a hairpin: egress",
     [admin(egress("Deny", "{networks: [10.0.0.1/32]}", TCP_80))], [], "db > db tcp/80", False),
    ("C6 admin decides on a hairpin: other traffic",
     [admin(egress("Deny", "{networks: [10.0.0.1/32]}", TCP_80))], [], "db > db tcp/81", True),
    ("C6 admin accepts a hairpin",
     [admin(ingress("Accept", EVERYONE)), baseline(ingress("Deny", EVERYONE))], [], "db > db tcp/80", True),
    ("C6 baseline decides on a hairpin", [baseline(ingress("Deny", EVERYONE))], [], "db > db tcp/80", False),
    ("C6 baseline decides on a hairpin of an isolated pod",
     [baseline(ingress("Deny", EVERYONE))], [OPEN], "db > db tcp/80", False),
    ("C6 pass leaves a hairpin to baseline",
     [admin(ingress("Pass", EVERYONE)), baseline(ingress("Deny", RED))], [ISOLATE], "db > db tcp/80", True),
]  # fmt: skip

FIRST_ROWS: list[tuple[str, str, str, str, bool]] = [
    ("AdminNetworkPolicy: allow", "AdminNetworkPolicy",
     first(), "api > db tcp/80", True),
    ("AdminNetworkPolicy: before the NetworkPolicies", "AdminNetworkPolicy",
     first("ports: [{portNumber: {protocol: UDP, port: 53}}]"), "api > db tcp/53", False),
    ("AdminNetworkPolicy: TCP where no protocol is given", "AdminNetworkPolicy",
     first("ports: [{portNumber: {port: 53}}]"), "api > db tcp/53", True),
    ("AdminNetworkPolicy: a range", "AdminNetworkPolicy",
     first("ports: [{portRange: {start: 53, end: 60}}]"), "api > db tcp/60", True),
    ("AdminNetworkPolicy: after a range", "AdminNetworkPolicy",
     first("ports: [{portRange: {start: 53, end: 60}}]"), "api > db tcp/61", False),
    ("AdminNetworkPolicy: a named port", "AdminNetworkPolicy",
     first("ports: [{namedPort: dns}]"), "api > db udp/53", True),
    ("AdminNetworkPolicy: no known port", "AdminNetworkPolicy",
     first("ports: [{}]"), "api > db tcp/53", False),
    ("BaselineAdminNetworkPolicy: after the NetworkPolicies", "BaselineAdminNetworkPolicy",
     "{subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}]}]}",
     "api > db tcp/80", False),
    ("BaselineAdminNetworkPolicy: where there are none", "BaselineAdminNetworkPolicy",
     "{subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}",
     "db > api tcp/80", False),
]  # fmt: skip
"""Kind, spec, packet, whether it passes; pods of the default namespace are isolated for ingress."""


def network_policies(specs: list[str]) -> list[Document]:
    return [
        {"kind": "NetworkPolicy", "metadata": {"name": str(index)}, "spec": yaml.safe_load(spec)}
        for index, spec in enumerate(specs)
    ]


@pytest.mark.parametrize(
    ("cluster_policies", "specs", "question", "expected"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_cluster_network_policies(
    cluster_policies: list[str], specs: list[str], question: str, expected: bool
) -> None:
    written: list[dict[str, Any]] = [yaml.safe_load(one) for one in cluster_policies]
    policies = [
        {"kind": "ClusterNetworkPolicy", "metadata": {"name": one.pop("name")}, "spec": one}
        for one in written
    ]
    cluster = Cluster.from_manifests([*yaml.safe_load(CLUSTER), *policies, *network_policies(specs)])
    assert allowed(cluster, packet(question)) is expected


@pytest.mark.parametrize(
    ("kind", "spec", "question", "expected"),
    [row[1:] for row in FIRST_ROWS],
    ids=[row[0] for row in FIRST_ROWS],
)
def test_its_forerunners(kind: str, spec: str, question: str, expected: bool) -> None:
    policy = {"kind": kind, "metadata": {"name": "default"}, "spec": yaml.safe_load(spec)}
    cluster = Cluster.from_manifests([*yaml.safe_load(CLUSTER), policy, *network_policies(["{}"])])
    assert allowed(cluster, packet(question)) is expected
