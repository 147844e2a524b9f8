"""What every backend enforces, and all that it sees: classes of endpoints and what they may exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import cidrs, format_cidr
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Peers
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint

ALLOW_ALL: PacketSet[Peers] = PacketSet.of([(traffic.ANY, ANYONE)])
"""The decision at an endpoint that is not isolated."""


@dataclass(frozen=True, slots=True)
class Class:
    """Endpoints with the same decision in one direction: what passes is in it, all else is denied."""

    direction: Direction
    decision: PacketSet[Peers]
    subjects: tuple[Endpoint, ...]
    policies: tuple[str, ...] = field(compare=False)
    """`namespace/name` of the policies that isolate the subjects, sorted."""

    key: str = field(init=False, compare=False, repr=False)
    """The decision as text: equal for equal decisions, whoever the subjects are today."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.direction.value}\n{describe(self.decision)}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one ruleset enforces: classes by direction and key, no subject in two of one direction."""

    classes: tuple[Class, ...]
    names: Mapping[int, str] = field(compare=False, repr=False)
    """`namespace/name` of the endpoint behind each address that the classes speak of."""
    node: str | None = None
    """The node whose endpoints are the subjects; None: all of the inventory's."""
    node_addresses: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)
    """The addresses of each node that subjects run on, for targets that must let A3 pass by a rule."""

    @property
    def scope(self) -> str:
        """Whose endpoints the subjects are, in words."""
        return f"node {self.node}" if self.node is not None else "all endpoints of the inventory"

    @property
    def counts(self) -> str:
        """How many endpoints are isolated, and in how many classes, as a sentence."""
        parts = []
        for direction in Direction:
            classes = [one for one in self.classes if one.direction is direction]
            subjects = sum(len(one.subjects) for one in classes)
            parts.append(f"{direction.value}: isolated endpoints {subjects:,}, classes {len(classes):,}")
        return "; ".join(parts).capitalize() + "."

    def decision(self, direction: Direction, address: int) -> PacketSet[Peers]:
        """What the endpoint with an address may exchange in a direction."""
        for one in self.classes:
            if one.direction is direction and any(address in subject.addresses for subject in one.subjects):
                return one.decision
        return ALLOW_ALL

    def allows(self, source: int, destination: int, packet_traffic: int) -> bool:
        """Whether the plan lets a packet pass: egress, then ingress, and A2."""
        return source == destination or all(
            (peers := self.decision(direction, subject).at(packet_traffic)) is not None
            and peer in peers.addresses()
            for direction, subject, peer in (
                (Direction.EGRESS, source, destination),
                (Direction.INGRESS, destination, source),
            )
        )


def describe(decision: PacketSet[Peers]) -> str:
    """A decision as unambiguous text: ranges of traffic, then their peers by their keys, a line each."""
    lines = []
    for own, peers in decision.rectangles():
        words = [group.key for group in sorted(peers.groups)]
        words += [format_cidr(block) for piece in peers.blocks.ranges for block in cidrs(piece)]
        lines.append(f"{','.join(f'{low:x}-{high:x}' for low, high in own.ranges)}: {'; '.join(words)}")
    return "\n".join(lines)
