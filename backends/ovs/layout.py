"""Where one form of flows gives way to another: what was measured, in one place.

Measured with OVS 3.1 and its userspace datapath (microseconds for the first packet of a connection, which
the flow tables decide; the caches answer for the rest): 19 for an empty table; 24 with a class in a register
and a flow for each pair of port and peer, at 100 pods in 100 classes, and 30 at 1,000 in 1,000; 25 and 30
with a conjunction in each class; 29 and 108 with one conjunction for all classes, which npc never makes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """The limits that decide between forms; every value gives correct flows."""

    conjunction_saves: int = 8
    """Flows that a conjunction must save over a flow for each pair of traffic and peer."""
    identities_save: int = 1
    """Flows that numbers for peers must save over flows with the peers' addresses."""
    prefix_search: int = 50_000
    """Steps of the search for the fewest prefixes; beyond, each block is taken apart into prefixes."""


MEASURED = Layout()
