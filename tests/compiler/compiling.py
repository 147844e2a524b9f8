"""From manifests as dicts to what the compiler makes of them, by the public API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import yaml
from hypothesis import settings

import npc
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.documents import load
from npc.compiler.inventory import Inventory
from npc.compiler.inventory_builder import build_inventory
from npc.compiler.plan import Plan
from tests.reference.evaluator import Packet
from tests.reference.manifests import Address, Document

MANY_CLUSTERS: Final = max(200, settings().max_examples)
"""Examples for what matters most; more than that where the hypothesis profile searches further."""

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten times as fast, where libyaml is there


def source(documents: Iterable[Document], name: str = "cluster.yaml") -> npc.Source:
    """Manifests as a YAML file."""
    return npc.Source(name, content=yaml.dump_all(documents, Dumper=_DUMPER).encode())


def compiled(documents: Iterable[Document], node: str | None = None) -> npc.Compilation:
    """What comes of manifests, for one node or all of the cluster."""
    return npc.compile_sources([source(documents)], node=node)


def inventory_of(*texts: str | bytes) -> tuple[Inventory, list[Diagnostic]]:
    """The inventory in some files' texts, and everything that is said about it."""
    files = [
        npc.Source(f"file-{number}", content=text if isinstance(text, bytes) else text.encode())
        for number, text in enumerate(texts)
    ]
    loaded = load(files)
    inventory, found = build_inventory(loaded.inventory, [policy.namespace for policy in loaded.policies])
    return inventory, [*loaded.diagnostics, *found]


def on_line(address: Address) -> int:
    """Where an address stands on the compiler's number line."""
    return int(address) + (2**128 if address.version == 6 else 0)


def traffic_of(packet: Packet) -> int:
    return packet.protocol << 16 | packet.port


def passes(plan: Plan, packet: Packet) -> bool:
    """What a plan says about a packet."""
    return plan.allows(on_line(packet.source), on_line(packet.destination), traffic_of(packet))
