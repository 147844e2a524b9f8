"""The reference evaluator, rule by rule: on one small cluster, policies, a packet, and whether it passes."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
import yaml

from tests.reference.evaluator import Cluster, Packet, allowed, between_pod_and_its_node
from tests.reference.manifests import Document, flattened

CLUSTER = """
- {kind: Node, metadata: {name: node-0, labels: {role: worker}},
   status: {addresses: [{type: Hostname, address: node-0}, {type: InternalIP, address: 192.168.0.1}]}}
- {kind: Namespace, metadata: {name: default}}
- {kind: Namespace, metadata: {name: shop, labels: {team: red}}}
- kind: Pod
  metadata: {name: db, labels: {app: db, zone: ""}}
  spec:
    nodeName: node-0
    initContainers:
    - {name: sidecar, restartPolicy: Always, ports: [{name: metrics, containerPort: 9100}]}
    - {name: setup, ports: [{name: setup, containerPort: 7000}]}
    containers:
    - {name: one, ports: [{name: web, containerPort: 80}, {name: dns, containerPort: 53, protocol: UDP}]}
    - {name: two, ports: [{name: web, containerPort: 81}, {containerPort: 5432}]}
  status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}
- {kind: Pod, metadata: {name: web, namespace: default, labels: {app: web, tier: front}},
   spec: {containers: [{name: one, ports: [{name: web, containerPort: 8080}]}]}, status: {podIP: 10.0.0.2}}
- {kind: Pod, metadata: {name: api, namespace: shop, labels: {app: api}}, spec: {nodeName: node-0},
   status: {podIP: 10.0.0.3}}
- {kind: Pod, metadata: {name: lost, namespace: unlisted, labels: {app: web}}, status: {podIP: 10.0.0.4}}
- {kind: Pod, metadata: {name: agent, namespace: default, labels: {app: agent}},
   spec: {hostNetwork: true, nodeName: node-0}, status: {podIP: 192.168.0.1}}
- {kind: Pod, metadata: {name: job, namespace: default, labels: {app: job}},
   status: {phase: Succeeded, podIP: 10.0.0.3}}
- {kind: Pod, metadata: {name: crashed, namespace: default, labels: {app: crashed}},
   status: {phase: Failed, podIP: 10.0.0.9}}
- {kind: Pod, metadata: {name: new, namespace: default}, status: {phase: Pending}}
"""

ADDRESSES = {
    "db": "10.0.0.1",
    "web": "10.0.0.2",
    "api": "10.0.0.3",
    "lost": "10.0.0.4",
    "crashed": "10.0.0.9",
    "node": "192.168.0.1",
    "outside": "203.0.113.1",
    "elsewhere": "203.0.113.2",
    "db6": "fd00::1",
    "outside6": "fd00::9",
}

# Rule, specs of the policies in the default namespace, packet, whether it passes.
ROWS = [
    ("no policy", [], "web > db tcp/80", True),
    ("no endpoint", ["{}"], "outside > elsewhere tcp/80", True),
    ("E1 host network is no subject", ["{policyTypes: [Ingress]}"], "api > node tcp/80", True),
    ("E1 failed is no subject", ["{policyTypes: [Ingress]}"], "api > crashed tcp/80", True),
    ("E1 succeeded does not isolate a live pod with its address",
     ["{podSelector: {matchLabels: {app: job}}}"], "db > api tcp/80", True),
    ("E1 succeeded is no peer",
     ["{ingress: [{from: [{podSelector: {matchLabels: {app: job}}}]}]}"], "api > db tcp/80", False),
    ("E1 host network is no peer",
     ["{ingress: [{from: [{podSelector: {matchLabels: {app: agent}}}]}]}"], "node > db tcp/80", False),
    ("E3 IPv6 of a dual-stack pod", ["{}"], "outside6 > db6 tcp/80", False),
    ("E3 selectors speak for both families",
     ["{podSelector: {matchLabels: {app: db}}, egress: [{to: [{podSelector: {}}]}]}"],
     "db6 > outside6 tcp/80", False),
    ("E4 unwritten name label",
     ["{ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]}"],
     "api > db tcp/80", True),
    ("E4 name label of an unlisted namespace",
     ["{ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: unlisted}}}]}]}"],
     "lost > db tcp/80", True),
    ("P1 isolated", ["{podSelector: {}}"], "api > db tcp/80", False),
    ("P1 of another namespace", ["{podSelector: {}}"], "db > api tcp/80", True),
    ("P1 not selected", ["{podSelector: {matchLabels: {app: db}}}"], "db > web tcp/80", True),
    ("P2 union",
     ["{podSelector: {}}", "{ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}]}]}"],
     "api > db tcp/80", True),
    ("P3 egress denies",
     ["{podSelector: {matchLabels: {app: db}}, policyTypes: [Egress]}"], "db > web tcp/80", False),
    ("P3 egress allows, ingress denies",
     ["{policyTypes: [Ingress, Egress], egress: [{}]}"], "db > web tcp/80", False),
    ("P4 no types, no egress rules: egress open", ["{}"], "db > api tcp/80", True),
    ("P4 no types, egress: []", ["{egress: []}"], "db > api tcp/80", True),
    ("P4 no types, an egress rule isolates",
     ["{egress: [{ports: [{port: 53}]}]}"], "db > api tcp/80", False),
    ("P4 empty types, an egress rule isolates",
     ["{policyTypes: [], egress: [{ports: [{port: 53}]}]}"], "db > api tcp/80", False),
    ("P4 no types, an egress rule: ingress too",
     ["{egress: [{ports: [{port: 53}]}]}"], "api > db tcp/80", False),
    ("P4 inert rules isolate nothing", ["{policyTypes: [Egress], ingress: []}"], "api > db tcp/80", True),
    ("P4 inert rules open nothing",
     ["{}", "{policyTypes: [Egress], ingress: [{}]}"], "api > db tcp/80", False),
    ("P5 absent podSelector", ["{ingress: []}"], "api > db tcp/80", False),
    ("P5 null podSelector", ["{podSelector: null}"], "api > db tcp/80", False),
    ("P6 ingress null", ["{ingress: null}"], "api > db tcp/80", False),
    ("P6 empty rule", ["{ingress: [{}]}"], "outside > db icmp", True),
    ("P6 from null", ["{ingress: [{from: null, ports: [{port: 80}]}]}"], "outside > db tcp/80", True),
    ("P6 from empty", ["{ingress: [{from: [], ports: [{port: 80}]}]}"], "outside > db tcp/80", True),
    ("P6 ports null",
     ["{ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}], ports: null}]}"],
     "api > db icmp", True),
    ("P6 ports empty",
     ["{ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}], ports: []}]}"],
     "api > db proto47", True),
    ("P6 the second rule",
     ["{ingress: [{ports: [{port: 81}]}, {ports: [{port: 80}]}]}"], "api > db tcp/80", True),
    ("P6 peer without port",
     ["{ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}], ports: [{port: 80}]}]}"],
     "api > db tcp/81", False),
    ("P6 peer of one rule, port of another",
     ["{ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}], ports: [{port: 80}]}, "
      "{from: [{podSelector: {}}]}]}"],
     "api > db tcp/81", False),
    ("P7 podSelector: own namespace",
     ["{ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}"], "web > db tcp/80", True),
    ("P7 podSelector: no other namespace",
     ["{ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}"], "lost > db tcp/80", False),
    ("P7 namespaceSelector",
     ["{ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}]}]}"], "api > db tcp/80", True),
    ("P7 namespaceSelector: no other namespace",
     ["{ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}]}]}"], "web > db tcp/80", False),
    ("P7 empty namespaceSelector: nobody outside",
     ["{ingress: [{from: [{namespaceSelector: {}}]}]}"], "outside > db tcp/80", False),
    ("P7 both in one entry: both hold",
     ["{ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}]}]}"],
     "lost > db tcp/80", True),
    ("P7 both in one entry: one does not hold",
     ["{ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}]}]}"],
     "api > db tcp/80", False),
    ("P7 two entries: either holds",
     ["{ingress: [{from: [{namespaceSelector: {}}, {podSelector: {matchLabels: {app: web}}}]}]}"],
     "api > db tcp/80", True),
    ("P7 except",
     ["{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.0/30, 10.0.0.2/31]}}]}]}"],
     "api > db tcp/80", False),
    ("P7 the first of two excepts",
     ["{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.0/30, 10.0.0.8/29]}}]}]}"],
     "api > db tcp/80", False),
    ("P7 the second of two excepts",
     ["{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.8/29, 10.0.0.0/30]}}]}]}"],
     "api > db tcp/80", False),
    ("P7 after the excepts",
     ["{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.0/30, 10.0.0.2/31]}}]}]}"],
     "lost > db tcp/80", True),
    ("P7 another peer allows what an except leaves out",
     ["{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.0/30, 10.0.0.2/31]}}, "
      "{namespaceSelector: {}}]}]}"],
     "api > db tcp/80", True),
    ("P8 ipBlock covers pods",
     ["{ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}"], "api > db tcp/80", True),
    ("P8 ipBlock of the other family",
     ["{ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}"], "outside6 > db6 tcp/80", False),
    ("P8 host bits",
     ["{ingress: [{from: [{ipBlock: {cidr: 10.0.0.77/29}}]}]}"], "10.0.0.72 > db tcp/80", True),
    ("P8 host bits: outside",
     ["{ingress: [{from: [{ipBlock: {cidr: 10.0.0.77/29}}]}]}"], "10.0.0.80 > db tcp/80", False),
    ("P9 protocol absent: TCP", ["{ingress: [{ports: [{port: 80}]}]}"], "api > db tcp/80", True),
    ("P9 protocol absent: not UDP", ["{ingress: [{ports: [{port: 80}]}]}"], "api > db udp/80", False),
    ("P9 empty port: all of TCP", ["{ingress: [{ports: [{}]}]}"], "api > db tcp/65535", True),
    ("P9 empty port: no ICMP", ["{ingress: [{ports: [{}]}]}"], "api > db icmp", False),
    ("P9 protocol alone", ["{ingress: [{ports: [{protocol: SCTP}]}]}"], "api > db sctp/7", True),
    ("P9 endPort: first", ["{ingress: [{ports: [{port: 80, endPort: 90}]}]}"], "api > db tcp/80", True),
    ("P9 endPort: last", ["{ingress: [{ports: [{port: 80, endPort: 90}]}]}"], "api > db tcp/90", True),
    ("P9 endPort: after", ["{ingress: [{ports: [{port: 80, endPort: 90}]}]}"], "api > db tcp/91", False),
    ("P9 endPort: before", ["{ingress: [{ports: [{port: 80, endPort: 90}]}]}"], "api > db tcp/79", False),
    ("P10 ingress: at the subject", ["{ingress: [{ports: [{port: web}]}]}"], "api > db tcp/80", True),
    ("P10 second container", ["{ingress: [{ports: [{port: web}]}]}"], "api > db tcp/81", True),
    ("P10 another pod's number", ["{ingress: [{ports: [{port: web}]}]}"], "api > db tcp/8080", False),
    ("P10 each pod by itself", ["{ingress: [{ports: [{port: web}]}]}"], "api > web tcp/8080", True),
    ("P10 name of another protocol",
     ["{ingress: [{ports: [{port: dns, protocol: TCP}]}]}"], "api > db tcp/53", False),
    ("P10 name and protocol",
     ["{ingress: [{ports: [{port: dns, protocol: UDP}]}]}"], "api > db udp/53", True),
    ("P10 restartable init container",
     ["{ingress: [{ports: [{port: metrics}]}]}"], "api > db tcp/9100", True),
    ("P10 init container", ["{ingress: [{ports: [{port: setup}]}]}"], "api > db tcp/7000", False),
    ("P10 egress: at the peer",
     ["{podSelector: {matchLabels: {app: db}}, egress: [{to: [{podSelector: {}}], ports: [{port: web}]}]}"],
     "db > web tcp/8080", True),
    ("P10 egress: not the subject's number",
     ["{podSelector: {matchLabels: {app: db}}, egress: [{to: [{podSelector: {}}], ports: [{port: web}]}]}"],
     "db > web tcp/80", False),
    ("P10 egress without to: an endpoint that has it",
     ["{podSelector: {matchLabels: {app: db}}, egress: [{ports: [{port: web}]}]}"],
     "db > web tcp/8080", True),
    ("P10 egress without to: elsewhere",
     ["{podSelector: {matchLabels: {app: db}}, egress: [{ports: [{port: web}]}]}"],
     "db > outside tcp/80", False),
    ("P10 egress to an ipBlock: an endpoint that has it",
     ["{podSelector: {matchLabels: {app: db}}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/30}}], "
      "ports: [{port: web}]}]}"],
     "db > web tcp/8080", True),
    ("P11 null peer selector is as if absent",
     ["{ingress: [{from: [{podSelector: null, namespaceSelector: {}}]}]}"], "api > db tcp/80", True),
    ("P11 null ipBlock is as if absent",
     ["{ingress: [{from: [{ipBlock: null, podSelector: {}}]}]}"], "web > db tcp/80", True),
    ("P11 labels and expressions: all hold",
     ["{podSelector: {matchLabels: {app: web}, matchExpressions: [{key: tier, operator: Exists}]}}"],
     "api > web tcp/80", False),
    ("P11 labels hold, an expression does not",
     ["{podSelector: {matchLabels: {app: web}, matchExpressions: [{key: tier, operator: DoesNotExist}]}}"],
     "api > web tcp/80", True),
    ("P11 the second expression does not hold",
     ["{podSelector: {matchExpressions: [{key: app, operator: Exists}, {key: tier, operator: Exists}]}}"],
     "api > db tcp/80", True),
    ("P11 an empty value is a value",
     ["{podSelector: {matchExpressions: [{key: zone, operator: Exists}]}}"], "api > db tcp/80", False),
    ("P11 NotIn holds where the key is absent",
     ["{podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [front]}]}}"],
     "api > db tcp/80", False),
    ("A2 to itself", ["{policyTypes: [Ingress, Egress]}"], "db > db tcp/80", True),
]  # fmt: skip

PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "proto47": 47, "sctp": 132}


def packet(text: str) -> Packet:
    """A packet from "SOURCE > DESTINATION PROTOCOL/PORT": addresses or their names, a port if any."""
    source, _, destination, traffic = text.split()
    protocol, _, port = traffic.partition("/")
    return Packet(
        source=ip_address(ADDRESSES.get(source, source)),
        destination=ip_address(ADDRESSES.get(destination, destination)),
        protocol=PROTOCOLS[protocol],
        port=int(port or 0),
    )


def cluster(*specs: str) -> Cluster:
    """The cluster with NetworkPolicies of these specs, of the default namespace since none is written."""
    policies: list[Document] = [
        {"kind": "NetworkPolicy", "metadata": {"name": str(index)}, "spec": yaml.safe_load(spec)}
        for index, spec in enumerate(specs)
    ]
    return Cluster.from_manifests([*yaml.safe_load(CLUSTER), *policies])


@pytest.mark.parametrize(
    ("specs", "question", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_allowed(specs: list[str], question: str, expected: bool) -> None:
    assert allowed(cluster(*specs), packet(question)) is expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("db > node tcp/80", True),
        ("node > db tcp/80", True),
        ("web > node tcp/80", False),  # nobody says which node web is on
        ("db > api tcp/80", False),  # two pods of one node
    ],
)
def test_between_pod_and_its_node(question: str, expected: bool) -> None:
    assert between_pod_and_its_node(cluster(), packet(question)) is expected


def test_two_live_pods_with_one_address() -> None:
    pods: list[dict[str, Any]] = [
        {"kind": "Pod", "metadata": {"name": name}, "status": {"podIPs": [{"ip": ip}, {"ip": "10.0.0.1"}]}}
        for name, ip in (("a", "fd00::1"), ("b", "fd00::2"))
    ]
    with pytest.raises(ValueError, match=r"default/a and default/b both have the address 10\.0\.0\.1"):
        Cluster.from_manifests(pods)


def test_lists_are_flattened() -> None:
    pod = {"kind": "Pod", "metadata": {"name": "a"}}
    bare: Document = {"metadata": {"name": "b"}}
    lists: list[Document | None] = [
        {"kind": "List", "items": [pod, {"kind": "PodList", "apiVersion": "v1", "items": [bare]}]},
        None,
    ]
    assert [(document["kind"], document["metadata"]["name"]) for document in flattened(lists)] == [
        ("Pod", "a"),
        ("Pod", "b"),
    ]
