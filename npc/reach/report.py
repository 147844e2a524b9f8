"""Connections as they are told: sources that may do the same together, and what they may do.

Every format is written from this. Each pair of parties, and each party with the outside, is in exactly one
sentence for any traffic; a party on both sides of a sentence stands for its pods among each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.connections import Abroad, Connections, Passing
from npc.compiler.ask.exposure import Exposed, Populated, Stranger, exposure
from npc.compiler.ask.wording import peer_text
from npc.compiler.frontend.syntax import Block, Direction, Policy
from npc.compiler.labels import Bits, bits_of, members
from npc.reach.names import Names

_FEW = 5
"""Policies that a note names."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Some traffic that some parties, or addresses outside, may send to others."""

    traffic: Intervals
    source: Bits | Intervals
    destination: Bits | Intervals
    """Parties, or addresses outside; of these there is one side at most."""
    family: Family | None = None

    @property
    def ports(self) -> str:
        return f"{traffic.in_words(self.traffic)}{family_note(self.family)}"


@dataclass(frozen=True, slots=True)
class Exposure:
    """What some parties may exchange with pods that do not exist yet."""

    parties: Bits
    direction: Direction
    exposed: Exposed

    @property
    def ports(self) -> str:
        known = [traffic.in_words(self.exposed.traffic)] if self.exposed.traffic else []
        return ", ".join([*known, *self.exposed.named])


@dataclass(frozen=True)
class Report:
    """All that is reported."""

    connections: Connections
    names: Names
    inside: tuple[Sentence, ...]
    """From parties to parties."""
    leaving: tuple[Sentence, ...]
    arriving: tuple[Sentence, ...]
    strangers: tuple[Stranger, ...] = field(repr=False)
    exposed: tuple[Exposure, ...]
    notes: tuple[str, ...]

    def stranger(self, place: int) -> str:
        """Who a stranger is, in the policy language."""
        one = self.strangers[place]
        text = peer_text(one.peer)
        return "any pod" if text == "ns" else text


def report(connections: Connections, populated: Populated) -> Report:
    """What is told of some connections and of what they are exposed to."""
    size = len(connections.parties)
    inside: list[Sentence] = []
    leaving: list[Sentence] = []
    alike: dict[tuple[tuple[Passing, ...], tuple[Abroad, ...]], list[int]] = {}
    for number, both in enumerate(zip(connections.rows, connections.to_outside, strict=True)):
        alike.setdefault(both, []).append(number)
    for (row, outside), numbers in alike.items():
        source = bits_of(numbers, size)
        inside += [Sentence(one.traffic, source, one.parties, one.family) for one in row]
        leaving += [Sentence(one.traffic, source, one.addresses) for one in outside]
    arriving: dict[Abroad, list[int]] = {}
    for number, found in enumerate(connections.from_outside):
        for abroad in found:
            arriving.setdefault(abroad, []).append(number)
    return Report(
        connections,
        Names.of(connections),
        tuple(inside),
        tuple(leaving),
        tuple(
            Sentence(one.traffic, one.addresses, bits_of(numbers, size)) for one, numbers in arriving.items()
        ),
        populated.strangers,
        tuple(_exposures(connections, populated)),
        tuple(_notes(connections)),
    )


def _exposures(connections: Connections, populated: Populated) -> Iterator[Exposure]:
    relation = connections.relation
    for direction, asked in zip(
        (Direction.INGRESS, Direction.EGRESS), reversed(connections.open_to_others), strict=True
    ):
        by_class: dict[int, tuple[Exposed, ...]] = {}
        alike: dict[Exposed, list[int]] = {}
        for number in members(asked):
            first = connections.parties[number].first
            of = relation.of(direction, first).number
            if of not in by_class:
                by_class[of] = exposure(relation, populated, direction, first)
            for one in by_class[of]:
                alike.setdefault(one, []).append(number)
        for one, numbers in alike.items():
            parties = bits_of(numbers, len(connections.parties))
            yield Exposure(parties, direction, one)


def _notes(connections: Connections) -> Iterator[str]:
    """What one must know to read the rest rightly."""
    relation = connections.relation
    inventory = relation.model.inventory
    reading = relation.reading
    if reading.host_network_is_endpoint:
        yield "Assumed: pods on the host's network are pods like others."
    if reading.blocks_are_external:
        yield "Assumed: blocks of addresses never mean pods."
    if inventory.nodes and not reading.own_node_is_policed:
        yield "Not listed: a pod and the node that it runs on always exchange everything."
    unknown = [one for one in connections.parties if not inventory.endpoints[one.first].addresses]
    if unknown:
        count = f"{len(unknown):,} workload{'s are' if len(unknown) > 1 else ' is'}"
        yield f"{count} known from manifests alone, without addresses: no block of a rule means them."
        policies: tuple[Policy, ...] = (*relation.model.policies, *relation.model.cluster_policies)
        with_blocks = [one for one in policies if _has_blocks(one)]
        if with_blocks:
            few = ", ".join(map(str, with_blocks[:_FEW])) + (", ..." if len(with_blocks) > _FEW else "")
            yield f"Blocks that may mean their pods once these have addresses are in: {few}."


def _has_blocks(policy: Policy) -> bool:
    return any(
        isinstance(peer, Block)
        for direction in Direction
        for rule in policy.rules(direction)
        for peer in rule.peers or ()
    )


def family_note(family: Family | None) -> str:
    """` (IPv4)`, where less passes by the other family."""
    return "" if family is None else f" (IPv{family.value})"
