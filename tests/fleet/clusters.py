"""A cluster of a few nodes in two files, and what each node's files are when it is compiled by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from npc.api import compile_paths
from npc.backends.base import Options

NODES = tuple(f"node-{number:02}" for number in range(12))
POLICIES = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector: {matchLabels: {app: db}}
        - ipBlock: {cidr: 172.16.0.0/12, except: [172.16.1.0/24]}
      ports: [{port: 80}, {port: metrics}]
  egress:
    - to: [{namespaceSelector: {}}]
      ports: [{protocol: UDP, port: 53}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}]
"""


def write_cluster(folder: Path, nodes: tuple[str, ...] = NODES, more: str = "") -> list[str]:
    """A web server, and on every second node a database, on each node but the last; the paths."""
    lines = ["namespaces:", "  - name: shop", "nodes:"]
    for number, node in enumerate(nodes):
        lines.append(f"  - {{name: {node}, addresses: [192.168.0.{number + 1}]}}")
    lines += ["endpoints:"]
    for number, node in enumerate(nodes[:-1]):
        for offset, app in enumerate(("web", "db") if number % 2 else ("web",)):
            fields = (
                f"name: {app}-{number}",
                "namespace: shop",
                f"labels: {{app: {app}}}",
                f"addresses: [10.0.{number}.{offset + 1}, 'fd00::{number}:{offset + 1}']",
                f"ports: {{metrics: {9000 + number % 3}}}",
                f"node: {node}",
            )
            lines.append(f"  - {{{', '.join(fields)}}}")
    (folder / "policies.yaml").write_text(POLICIES, encoding="utf-8")
    (folder / "inventory.yaml").write_text("\n".join(lines) + "\n" + more, encoding="utf-8")
    return [str(folder / "policies.yaml"), str(folder / "inventory.yaml")]


def one_by_one(paths: list[str], target: str, options: Options | None = None) -> dict[str, Mapping[str, str]]:
    """The files of every node, each compiled by itself."""
    return {node: compile_paths(paths, target, node=node, options=options).artifacts for node in NODES}
