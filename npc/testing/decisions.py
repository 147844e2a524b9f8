"""What a plan decides, address by address: the form in which two plans can be compared.

Subjects and peers are exact addresses here. How policies selected them, and which endpoints share a
class, is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Plan

Decision = PacketSet[Intervals]
"""What a subject may exchange in one direction: traffic × addresses."""

OPEN: Decision = PacketSet.of([(traffic.ANY, EVERY_ADDRESS)])
"""The decision at who is no subject."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decision at each subject's address and direction; who is not there decides nothing."""

    at: Mapping[tuple[Direction, int], Decision]
    names: Mapping[int, str] = field(default_factory=dict, compare=False)
    """`namespace/name` of the endpoints behind addresses, as far as they are spoken of."""
    hairpins: Mapping[int, Intervals] = field(default_factory=dict)
    """What may pass from an address to itself, where that is not everything (C6)."""
    logs: Mapping[tuple[Direction, int], tuple[str, ...]] = field(default_factory=dict)
    """The rules that log at each subject's address and direction, as text."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What else bears on which packets pass, where it is not the default: `own-node` → `policed`."""

    @staticmethod
    def of(plan: Plan) -> Decisions:
        """A plan's; its options are not known to it, and what it logs is no decision."""
        at: dict[tuple[Direction, int], Decision] = {}
        spoken_of: set[int] = set()
        for one in plan.classes:
            spoken_of.update(*(group.members for _, _, peers in one.decision.parts for group in peers.groups))
            spoken_of.update(*(subject.addresses for subject in one.subjects))
            exact = one.decision.map(lambda peers: peers.addresses())
            for subject in one.subjects:
                at.update(dict.fromkeys(((one.direction, address) for address in subject.addresses), exact))
        hairpins = {address: one.traffic for one in plan.hairpins for address in one.addresses}
        named = sorted((spoken_of | hairpins.keys()) & plan.names.keys())
        return Decisions(at, {address: plan.names[address] for address in named}, hairpins)

    def decision(self, direction: Direction, address: int) -> Decision:
        """What the endpoint with an address may exchange in a direction."""
        return self.at.get((direction, address), OPEN)

    def passing(self, source: int, destination: int) -> Intervals:
        """The traffic that passes between two addresses: both ends allow it (P3), or are one (A2, C6)."""
        if source == destination:
            return self.hairpins.get(source, traffic.ANY)
        return exchanged(self.decision(Direction.EGRESS, source), destination) & exchanged(
            self.decision(Direction.INGRESS, destination), source
        )

    def name(self, address: int) -> str | None:
        """The endpoint behind an address, where it is known."""
        return self.names.get(address)


def exchanged(decision: Decision, peer: int) -> Intervals:
    """The traffic that a decision allows with one peer."""
    return Intervals.of(*((low, high) for low, high, peers in decision.parts if peer in peers))
