"""A folder with an inventory and a file to include, as the language server's tests work on."""

from __future__ import annotations

from pathlib import Path

from npc.lsp.project import Document, Project

INVENTORY = """\
namespaces:
- {name: shop, labels: {env: prod, team: web}}
- {name: lab, labels: {env: stage}}
nodes:
- {name: node-a, labels: {role: worker}, addresses: [192.0.2.1]}
- {name: node-b, labels: {role: control}, addresses: [192.0.2.2, "2001:db8::2"]}
endpoints:
- name: web-0
  namespace: shop
  labels: {app: web, tier: a}
  addresses: [10.0.0.1, "fd00::1"]
  ports: {http: 80}
- {name: web-1, namespace: shop, labels: {app: web, tier: b}, addresses: [10.0.0.2], ports: {http: 8080}}
- {name: db-0, namespace: shop, labels: {app: db}, addresses: [10.0.1.1], ports: {sql: 5432, dns: 53/udp}}
- {name: probe, namespace: lab, labels: {app: probe, "x/note": two words}, addresses: [10.9.0.1]}
services:
- {name: probe, namespace: lab, selector: {app: probe}, targetPorts: [9000]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 443, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: lab}
spec: {ports: [{port: 53, protocol: UDP}]}
"""

COMMON = """\
# What several files use.
set offices = 192.0.2.0/24, @branches
set branches = 198.51.100.0/24 except (198.51.100.128/25)
service dns = udp/53, tcp/53
"""


def make_folder(folder: Path) -> Path:
    """Write the files into a folder."""
    (folder / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    (folder / "common.npc").write_text(COMMON, encoding="utf-8")
    return folder


def opened(
    folder: Path, text: str, *, inventory: bool = True, name: str = "policies.npc"
) -> tuple[Document, Project]:
    """A file of the folder that the editor shows a text for, and the project that it belongs to."""
    path = folder / name
    paths = (folder / "inventory.yaml",) if inventory else ()
    project = Project(paths, opened=lambda asked: text if asked == path else None)
    document = project.document(path)
    assert document is not None
    return document, project


def at_cursor(marked: str) -> tuple[str, int]:
    """A text without its `|`, and where that was.

    >>> at_cursor("policy |a")
    ('policy a', 7)
    """
    before, mark, after = marked.partition("|")
    assert mark, f"no cursor in {marked!r}"
    return before + after, len(before)
