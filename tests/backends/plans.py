"""A plan with as many different peers, ports and blocks as a test of lowering wants."""

from __future__ import annotations

from npc.compiler.plan import Plan
from tests.compiler.compiling import compiled
from tests.reference.manifests import Document


def pod(number: int, app: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{app}-{number}", "labels": {"app": app}},
        "status": {"podIP": f"10.0.{number >> 8}.{number & 255}"},
    }


def ingress(name: str, rules: list[Document]) -> Document:
    """A policy for the pods of the app web."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": rules},
    }


def from_app(app: str, *ports: int) -> Document:
    peer = {"podSelector": {"matchLabels": {"app": app}}}
    return {"from": [peer], "ports": [{"port": port} for port in ports]}


def from_blocks(cidrs: list[str], *ports: int) -> Document:
    peers = [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]
    return {"from": peers, "ports": [{"port": port} for port in ports]}


def plan_of(rules: list[Document], sizes: dict[str, int]) -> Plan:
    """Some ingress rules for one web pod, and apps with so many pods."""
    pods = [pod(0, "web")]
    for app, size in sizes.items():
        pods += [pod(len(pods) + number, app) for number in range(size)]
    return compiled([*pods, ingress("web", rules)]).plan
