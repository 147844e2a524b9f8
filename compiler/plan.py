"""What every backend enforces, and all that it sees: classes of endpoints and what they may exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import cidrs, format_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import Peers
from npc.compiler.arms import Arms, by_traffic
from npc.compiler.frontend.source import Origin
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.tiers import ALLOW_ALL, Deciders


@dataclass(frozen=True, slots=True)
class LoggedRule:
    """First packets that are logged, whatever is decided about them (X2)."""

    prefix: str
    """What the log line begins with; empty where the rule has no text of its own."""
    rule: str
    """The policy and the rule, in words."""
    packets: PacketSet[Peers]
    origin: Origin = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reason:
    """The policies that decide for some subjects of a class."""

    subjects: tuple[Endpoint, ...]
    deciders: Deciders


@dataclass(frozen=True, slots=True)
class Class:
    """Endpoints with the same decision in one direction: what passes is in it, all else is denied."""

    direction: Direction
    decision: PacketSet[Peers]
    subjects: tuple[Endpoint, ...]
    reasons: tuple[Reason, ...] = field(default=(), compare=False, repr=False)
    """Why: each subject is in one of them."""
    logs: tuple[LoggedRule, ...] = ()
    """In the order in which the rules are asked."""
    arms: Arms = field(default=(), compare=False, repr=False)
    """The decision as the rules that targets make of it; where none are given, with disjoint traffic."""
    key: str = field(default="", compare=False, repr=False)
    """The decision as text: equal for equal decisions, whoever the subjects are; made where not given."""

    def __post_init__(self) -> None:
        if not self.arms:
            object.__setattr__(self, "arms", by_traffic(self.decision))
        if not self.key:
            logs = "".join(f"\nlog {one.prefix!r} {one.rule}\n{describe(one.packets)}" for one in self.logs)
            object.__setattr__(self, "key", f"{self.direction.value}\n{describe(self.decision)}{logs}")

    @property
    def policies(self) -> tuple[str, ...]:
        """The names of the policies that decide for the subjects, sorted."""
        return tuple(sorted({str(policy) for reason in self.reasons for policy in reason.deciders.policies}))


@dataclass(frozen=True, slots=True)
class Hairpin:
    """What may pass from an endpoint through a Service back to itself, where cluster policies say (C6)."""

    traffic: Intervals
    addresses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one ruleset enforces: classes by direction and key, no subject in two of one direction."""

    classes: tuple[Class, ...]
    names: Mapping[int, str] = field(compare=False, repr=False)
    """`namespace/name` of the endpoint behind each address that the plan speaks of, and maybe of others."""
    node: str | None = None
    """The node whose endpoints are the subjects; None: all of the inventory's."""
    node_addresses: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)
    """The addresses of each node that subjects run on, for targets that must let A3 pass by a rule."""
    hairpins: tuple[Hairpin, ...] = ()
    """The endpoints to which not everything may pass from themselves; to all others everything may."""

    @property
    def scope(self) -> str:
        """Whose endpoints the subjects are, in words."""
        return f"node {self.node}" if self.node is not None else "all endpoints of the inventory"

    @property
    def counts(self) -> str:
        """How many endpoints are isolated, and in how many classes, as a sentence."""
        parts = []
        for direction in Direction:
            found = (one for one in self.classes if one.direction is direction)
            classes = [one for one in found if one.decision != ALLOW_ALL]  # some only log
            subjects = sum(len(one.subjects) for one in classes)
            parts.append(f"{direction.value}: isolated endpoints {subjects:,}, classes {len(classes):,}")
        return "; ".join(parts).capitalize() + "."

    def decision(self, direction: Direction, address: int) -> PacketSet[Peers]:
        """What the endpoint with an address may exchange in a direction."""
        for one in self.classes:
            if one.direction is direction and any(address in subject.addresses for subject in one.subjects):
                return one.decision
        return ALLOW_ALL

    def hairpin(self, address: int) -> Intervals:
        """The traffic that may pass from an address through a Service back to itself."""
        found = (one.traffic for one in self.hairpins if address in one.addresses)
        return next(found, traffic.ANY)

    def allows(self, source: int, destination: int, packet_traffic: int) -> bool:
        """Whether the plan lets a packet pass: egress, then ingress; what comes from itself is a hairpin."""
        if source == destination:
            return packet_traffic in self.hairpin(source)
        return all(
            (peers := self.decision(direction, subject).at(packet_traffic)) is not None and peer in peers
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
        words += [f"except {group.key}" for group in sorted(peers.holes)]
        lines.append(f"{','.join(f'{low:x}-{high:x}' for low, high in own.ranges)}: {'; '.join(words)}")
    return "\n".join(lines)
