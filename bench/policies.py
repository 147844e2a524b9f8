"""NetworkPolicies of the shape of the Kubernetes documentation's `test-network-policy`, varied.

Of ten policies in the file one is a default deny, and five replace one part of the documentation's
shape by another feature: a port range, a named port, a combined peer, match expressions, DNS egress.
The other four keep the shape and vary labels, blocks and ports.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from bench.cluster import App, Namespace, Topology

Object = dict[str, Any]

DEFAULT_DENY, PORT_RANGE, NAMED_PORT, COMBINED_PEER, EXPRESSIONS, DNS_EGRESS = range(6)
FEATURE_CYCLE = 10


def policies(topology: Topology) -> Iterator[Object]:
    """All policies, namespace by namespace."""
    number = 0
    for namespace, count in zip(
        topology.namespaces, topology.shares(topology.size.policies, "policies"), strict=True
    ):
        rng = topology.rng("policies", namespace.name)
        for ordinal in range(count):
            yield _policy(topology, rng, number % FEATURE_CYCLE, namespace, ordinal)
            number += 1


def _policy(
    topology: Topology, rng: random.Random, feature: int, namespace: Namespace, ordinal: int
) -> Object:
    """One policy; `feature` says which part departs from the documentation's shape."""
    if feature == DEFAULT_DENY:
        types = ["Ingress", "Egress"] if ordinal % 2 else ["Ingress"]
        return _manifest(namespace, f"default-deny-{ordinal:02}", {"podSelector": {}, "policyTypes": types})
    app = rng.choice(namespace.apps)
    spec = {
        "podSelector": _subject(rng, app, feature),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {
                "from": _ingress_peers(topology, rng, namespace, feature),
                "ports": [_ingress_port(app, feature)],
            }
        ],
        "egress": [_egress_rule(rng, feature)],
    }
    return _manifest(namespace, f"{app.name}-{ordinal:02}", spec)


def _manifest(namespace: Namespace, name: str, spec: Object) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace.name},
        "spec": spec,
    }


def _subject(rng: random.Random, app: App, feature: int) -> Object:
    """A selector of the app's pods, by its name or by its role."""
    if feature == EXPRESSIONS:
        return {"matchExpressions": [{"key": "tier", "operator": "In", "values": sorted({app.tier, "web"})}]}
    return rng.choice(
        (
            {"matchLabels": {"role": app.role}},
            {"matchLabels": {"app": app.name}},
            {"matchLabels": {"role": app.role, "tier": app.tier}},
        )
    )


def _ingress_peers(
    topology: Topology, rng: random.Random, namespace: Namespace, feature: int
) -> list[Object]:
    """A block with an except, a namespace selector and a pod selector, as in the documentation."""
    second, third = rng.randrange(16, 32), rng.randrange(256)
    block = {"cidr": f"172.{second}.0.0/16", "except": [f"172.{second}.{third}.0/24"]}
    other = rng.choice(topology.namespaces)
    friend = rng.choice(namespace.apps)
    by_namespace: Object = rng.choice(
        (
            {"matchLabels": {"project": other.project}},
            {"matchLabels": {"kubernetes.io/metadata.name": other.name}},
        )
    )
    by_pod: Object = {"matchLabels": {"role": friend.role}}
    if feature == COMBINED_PEER:
        by_environment = {"matchLabels": {"environment": other.environment}}
        scrapers = {"matchLabels": {"app": "prometheus"}}
        return [
            {"ipBlock": block},
            {"namespaceSelector": by_namespace, "podSelector": by_pod},
            {"namespaceSelector": by_environment, "podSelector": scrapers},
        ]
    if feature == EXPRESSIONS:
        projects = [other.project, namespace.project]
        by_namespace = {"matchExpressions": [{"key": "project", "operator": "In", "values": projects}]}
        by_pod = {"matchExpressions": [{"key": "role", "operator": "NotIn", "values": ["db", "cache"]}]}
    return [{"ipBlock": block}, {"namespaceSelector": by_namespace}, {"podSelector": by_pod}]


def _ingress_port(app: App, feature: int) -> Object:
    port = app.ports[0]
    return {"protocol": port.protocol, "port": port.name if feature == NAMED_PORT else port.number}


def _egress_rule(rng: random.Random, feature: int) -> Object:
    """To a block on one port, or on a range, or to the cluster's DNS."""
    if feature == DNS_EGRESS:
        dns = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
        return {"to": [dns], "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
    block = {"ipBlock": {"cidr": f"10.{rng.randrange(8)}.{rng.randrange(64)}.0/24"}}
    if feature == PORT_RANGE:
        return {"to": [block], "ports": [{"protocol": "TCP", "port": 32000, "endPort": 32768}]}
    return {"to": [block], "ports": [{"protocol": "TCP", "port": rng.choice((443, 3306, 5432, 5978, 8443))}]}
