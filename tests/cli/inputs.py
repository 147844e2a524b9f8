"""A few small files for the command line to read, and the ruleset that comes of them."""

from __future__ import annotations

from pathlib import Path

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
  podSelector: {}
  ingress:
    - ports:
        - port: 80
"""
INVALID_POLICY = POLICY.replace("podSelector", "podSelecter")
INVENTORY = """\
namespaces:
  - name: shop
nodes:
  - name: node-a
endpoints:
  - {name: web, namespace: shop, addresses: [10.0.0.1], node: node-a}
"""
INVENTORY_WITH_NOTE = INVENTORY.replace("- name: shop", "- name: other")
POLICY_WITH_WARNING = POLICY.replace("- ports:", "- from: [{ipBlock: {cidr: 10.0.0.1/8}}]\n      ports:")
RULE = "tcp dport 80 accept"
"""What POLICY comes to."""

FILES = {
    "policy.yaml": POLICY,
    "invalid.yaml": INVALID_POLICY,
    "warning.yaml": POLICY_WITH_WARNING,
    "inventory.yaml": INVENTORY,
    "note.yaml": INVENTORY_WITH_NOTE,
}


def write_inputs(folder: Path) -> Path:
    """Put FILES into a folder; the folder."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
