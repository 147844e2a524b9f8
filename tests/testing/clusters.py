"""A small cluster as text, and the plans and cases that tests make of it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings

import npc
from npc.api import Planned, plan_sources

EXAMPLES = max(30, settings.default.max_examples // 4 if settings.default else 0)
"""Random clusters in a test; with HYPOTHESIS_PROFILE=search there are more."""

INVENTORY = """\
namespaces: [{name: x}]
nodes: [{name: n, addresses: [192.0.2.1]}]
endpoints:
  - {name: a, namespace: x, addresses: [10.0.0.1, "fd00::1"], labels: {app: a}, node: n}
  - {name: b, namespace: x, addresses: [10.0.0.2, "fd00::2"], labels: {app: b}, node: n}
  - {name: c, namespace: x, addresses: [10.0.0.3], labels: {app: c}}
  - {name: six, namespace: x, addresses: ["fd00::6"], labels: {app: six}}
"""


def policy(name: str, app: str, spec: str) -> str:
    """A policy for the pods of an app; `spec` is what stands beside the podSelector, in flow style."""
    metadata = f"metadata: {{name: {name}, namespace: x}}"
    subject = f"podSelector: {{matchLabels: {{app: {app}}}}}"
    kind = "apiVersion: networking.k8s.io/v1, kind: NetworkPolicy"
    return f"{{{kind}, {metadata}, spec: {{{subject}, {spec}}}}}\n"


def from_app(app: str, port: int) -> str:
    """Ingress from the pods of an app to a TCP port."""
    return (
        f"ingress: [{{from: [{{podSelector: {{matchLabels: {{app: {app}}}}}}}], ports: [{{port: {port}}}]}}]"
    )


def from_block(cidr: str, port: int) -> str:
    return f"ingress: [{{from: [{{ipBlock: {{cidr: {cidr}}}}}], ports: [{{port: {port}}}]}}]"


def planned(*policies: str, node: str | None = None) -> Planned:
    """What the policies decide in the cluster."""
    texts = {"inventory.yaml": INVENTORY, "policy.yaml": "---\n".join(policies)}
    return plan_sources(
        [npc.Source(name, content=text.encode()) for name, text in texts.items()],
        node=node,
    )


def write_case(folder: Path, policies: str, **files: str) -> Path:
    """A case with the cluster, the policies and further files: `packets` is packets.txt, `case` case.toml."""
    names = {"packets": "packets.txt", "case": "case.toml"}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inventory.yaml").write_text(INVENTORY)
    (folder / "policy.yaml").write_text(policies)
    for name, text in files.items():
        (folder / names[name]).write_text(text)
    return folder
