"""From a case's manifests to what npc makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from npc.api import Compilation, compile_sources
from npc.backends.base import Options
from npc.compiler.frontend.source import Source
from tests.reference.evaluator import Packet
from tests.reference.manifests import Address, Document

_V6 = 1 << 128


def compile_documents(
    documents: Iterable[Document],
    node: str | None = None,
    options: Options | None = None,
    target: str = "nft",
) -> Compilation:
    """Compile manifests as one YAML file."""
    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump_all(documents, Dumper=dumper)
    sources = [Source("case.yaml", content=text.encode())]
    return compile_sources(sources, target, node=node, options=options)


def on_number_line(address: Address) -> int:
    """An address as npc's algebra counts it, worked out without npc."""
    return int(address) if address.version == 4 else _V6 | int(address)


def plan_allows(compilation: Compilation, packet: Packet) -> bool:
    """Whether the plan lets a packet pass."""
    return compilation.plan.allows(
        on_number_line(packet.source),
        on_number_line(packet.destination),
        packet.protocol << 16 | packet.port,
    )
