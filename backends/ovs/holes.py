"""Peers that rules took away from blocks: what the flows of the blocks let pass with them, denied again.

The flows of blocks, and of what passes with everyone, speak of all addresses inside. Above them stands, for
each peer in a hole, what of that must not pass; whether the peer is a member of a group that may is said by
flows higher still, and not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from npc.backends.ovs.matches import block_matches
from npc.backends.ovs.peers import Alternative, PeerMatches
from npc.backends.ovs.prefixes import NOTHING, Piece
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, cidrs
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import ANYONE
from npc.compiler.arms import Arm, partition, widened


@dataclass(frozen=True, slots=True)
class Hole:
    """What is denied to some peers, and of that what passes after all."""

    denied: Intervals
    reopened: Intervals
    peers: tuple[Alternative, ...] = ()


@dataclass(slots=True)
class Blocks:
    """The arms of a class that speak of blocks, asked for single addresses."""

    arms: Sequence[Arm]
    everyone: Intervals
    """What passes with everyone."""
    is_default: bool
    """Whether the flows of what passes with everyone are the lowest of all."""
    flows: Callable[[Intervals], int]
    """How many flows match some traffic."""
    _found: dict[tuple[Intervals, ...], Hole | None] = field(default_factory=dict)

    @staticmethod
    def of(
        arms: Iterable[Arm], everyone: Intervals, is_default: bool, flows: Callable[[Intervals], int]
    ) -> Blocks:
        """Those of a class's arms that speak of blocks."""
        blocks = [arm for arm in arms if arm.peers != ANYONE and arm.peers.blocks]
        return Blocks(blocks, everyone, is_default, flows)

    @property
    def default(self) -> Intervals:
        """What the lowest flows let pass with every address."""
        return self.everyone if self.is_default else NOTHING

    def pieces(self, family: Family) -> list[Piece]:
        """Disjoint addresses of a family with what passes with them, as if there were no holes."""
        rows = [(arm.traffic, arm.peers.blocks & family.every) for arm in self.arms]
        return [(addresses, own) for own, addresses in partition(rows)]

    def passes(self, address: int) -> Intervals:
        """What passes with an address because of blocks that it is in."""
        return Intervals.union(
            arm.traffic
            for arm in self.arms
            if address in arm.peers.blocks and not any(address in hole.members for hole in arm.peers.holes)
        )

    def holes(
        self,
        peers: PeerMatches,
        by_groups: Iterable[tuple[Intervals, Sequence[int]]],
        in_full: Collection[Alternative],
        field: str,
    ) -> list[Hole]:
        """What must be denied to whom.

        `by_groups` is what passes with atoms as members of groups; flows say of those `in_full` all there is
        to say. `field` is the packet's field with the address of the peer.
        """
        passes = {index: own for own, indices in by_groups for index in indices}
        indices = {index for arm in self.arms for hole in arm.peers.holes for index in peers.of[hole]}
        atoms: dict[Hole, dict[Alternative, None]] = {}
        addresses: dict[Hole, dict[int, str]] = {}
        for index in sorted(indices):
            atom = peers.atoms[index]
            if atom.alternative in in_full:
                continue
            found = {one: self._hole(one, passes.get(index, NOTHING)) for one in atom.members}
            kinds = set(found.values())
            for address, hole in found.items():
                if hole is None:
                    continue
                if peers.identities and len(kinds) == 1:
                    atoms.setdefault(hole, {})[atom.alternative] = None
                else:
                    addresses.setdefault(hole, {})[address] = atom.note
        return [
            replace(hole, peers=(*atoms.get(hole, ()), *_in_blocks(addresses.get(hole, {}), field)))
            for hole in dict.fromkeys((*atoms, *addresses))
        ]

    def _hole(self, address: int, by_groups: Intervals) -> Hole | None:
        """What must be denied to an address, in the fewest flows; None where nothing must."""
        below = Intervals.union(arm.traffic for arm in self.arms if address in arm.peers.blocks)
        kept = self.passes(address)
        key = below, kept, by_groups
        if key not in self._found:
            self._found[key] = self._fewest(*key)
        return self._found[key]

    def _fewest(self, below: Intervals, kept: Intervals, by_groups: Intervals) -> Hole | None:
        wrong = below - kept - by_groups - self.everyone
        if not wrong:
            return None
        above = by_groups if self.is_default else by_groups | self.everyone
        # Denying what is allowed higher up, or nowhere, makes no difference.
        free = above | (traffic.ANY - below - self.default)
        choices = (
            Hole(wrong, NOTHING),
            Hole(widened(wrong, free), NOTHING),
            Hole(wrong | free, NOTHING),
            Hole(traffic.ANY, (kept | self.default) - above),
        )
        return min(choices, key=lambda one: self.flows(one.denied) + self.flows(one.reopened))


def _in_blocks(notes: Mapping[int, str], field: str) -> Iterator[Alternative]:
    """The fewest matches of some addresses and no others, with their notes."""
    for piece in Intervals.of(*((one, one) for one in notes)).ranges:
        for block in cidrs(piece):
            low, high = block.range
            words = dict.fromkeys(notes[one] for one in range(low, high + 1))
            first = next(iter(words))
            yield (
                block_matches(field, block),
                f"{first} and {len(words) - 1} more" if len(words) > 1 else first,
            )
