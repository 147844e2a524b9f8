"""How policies are read where tools differ: npc's own reading, or another's, to compare answers with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """What is assumed; by default all as npc compiles it."""

    host_network_is_endpoint: bool = False
    """Host-network pods are pods like others (not E1)."""
    blocks_are_external: bool = False
    """Blocks of addresses never match endpoints (not P8)."""
    own_node_is_policed: bool = False
    """Policies decide on what a pod exchanges with its own node (not A3)."""


AS_COMPILED = Reading()
