"""How policies are read where tools differ: npc's own reading, or another's, to compare answers with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Assumption(StrEnum):
    """A reading that other tools take, in the notation of `--assume`."""

    HOST_NETWORK_IS_ENDPOINT = "hostnetwork=endpoint"
    """Host-network pods are pods like others (not E1)."""
    BLOCKS_ARE_EXTERNAL = "ipblock=external"
    """Blocks of addresses never match endpoints (not P8)."""
    OWN_NODE_IS_POLICED = "ownnode=policed"
    """Policies decide on what a pod exchanges with its own node (not A3)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is assumed; by default all as npc compiles it."""

    assumed: frozenset[Assumption] = frozenset()

    def __contains__(self, assumption: Assumption) -> bool:
        return assumption in self.assumed


AS_COMPILED = Reading()
