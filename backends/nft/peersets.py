"""Peers as nftables comparisons and sets: which sets there are, what they are called, what is in them.

Groups of endpoints become exact hash sets, many blocks an interval set, never both in one; the holes of
blocks are a hash set like groups, asked second. A set's name stands for its selectors or blocks, so that
a pod that comes or goes is an element that comes or goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from npc.backends.naming import content_names, shortened
from npc.backends.nft.layout import Layout
from npc.backends.nft.matches import address_field, address_range_text, address_type, block_matches
from npc.backends.nft.ruleset import Element, Match, Set
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Group, Peers, members
from npc.compiler.arms import Arm
from npc.compiler.frontend.syntax import Direction

LONGEST_COMMENT = 127
"""Characters: the kernel's 128 bytes hold a final zero."""

Groups = tuple[Family, frozenset[Group]]
"""What a hash set is for: the endpoints' addresses of one family."""


@dataclass(slots=True)
class PeerSets:
    """The sets that the rules asked for turn out to need."""

    endpoint_names: Mapping[int, str]
    layout: Layout
    lists: bool
    """Whether rules may hold lists and interval sets: not where the budget for sets is used up."""
    _names: Mapping[str, str]
    _inline: frozenset[Groups]
    """Groups whose members stand as rules of their own."""
    _groups: dict[str, Groups] = field(default_factory=dict)
    _blocks: dict[str, Intervals] = field(default_factory=dict)

    @staticmethod
    def of(
        arms: Sequence[tuple[frozenset[Family], Arm]], endpoint_names: Mapping[int, str], layout: Layout
    ) -> PeerSets:
        """For the arms of all classes, each with the families of its class's subjects."""
        groups: set[Groups] = set()
        blocks: set[tuple[Family, Intervals]] = set()
        lists = 0
        for families, arm in arms:
            for family in families:
                groups.update((family, one) for one in (arm.peers.groups, _holes(arm.peers, family)) if one)
                if len(arm.peers.blocks.ranges) > 1:
                    blocks.add((family, arm.peers.blocks))
                lists += len(arm.traffic.ranges) > 1
        within_budget = len(groups) + len(blocks) + lists <= layout.set_budget
        inline = frozenset[Groups]() if within_budget else _smallest(groups, layout)
        peers = {arm.peers for _, arm in arms}
        texts = (
            text
            for one in peers
            for text in (
                _groups_text(one.groups),
                _groups_text(one.holes),
                _blocks_text(one.blocks),
                _peers_text(one),
            )
        )
        return PeerSets(endpoint_names, layout, within_budget, content_names(texts), inline)

    def name(self, peers: Peers) -> str:
        """A name for a chain of rules about these peers: equal peers, equal name."""
        return self._names[_peers_text(peers)]

    def matches(self, peers: Peers, direction: Direction, family: Family) -> list[tuple[Match, ...]]:
        """Alternatives that match exactly the peers of a family; one empty alternative matches all."""
        address = address_field(family, direction, peer=True)
        blocks, holes = peers.blocks & family.every, _holes(peers, family)
        outside: tuple[Match, ...] = ()
        if (family, holes) in self._inline:
            blocks -= Intervals.of(*((one, one) for one in members(holes, family)))
        elif holes:
            outside = (Match(address, (self._group_set(family, holes),), negated=True),)
        if blocks == family.every and not outside:
            return [()]
        matches: list[tuple[Match, ...]] = []
        if peers.groups:
            if (family, peers.groups) in self._inline:
                inside = members(peers.groups, family)
                matches += [(Match(address, (format_address(one),)),) for one in inside]
            else:
                matches.append((Match(address, (self._group_set(family, peers.groups),)),))
        if blocks:
            inline = block_matches(blocks, address)
            if len(inline) > self.layout.blocks_inline and self.lists:
                name = f"b{family.value}_{self._names[_blocks_text(peers.blocks)]}"
                self._blocks[name] = blocks
                inline = [(Match(address, (f"@{name}",)),)]
            matches += [(*one, *outside) for one in inline]
        return matches

    def _group_set(self, family: Family, groups: frozenset[Group]) -> str:
        """A reference to the set of some groups' members, which is then needed."""
        name = f"p{family.value}_{self._names[_groups_text(groups)]}"
        self._groups[name] = family, groups
        return f"@{name}"

    def sets(self) -> list[Set]:
        """The sets that the matches so far refer to, by name."""
        groups = [
            Set(
                name,
                address_type(wanted[0]),
                tuple(
                    Element(format_address(one), self.endpoint_names[one])
                    for one in members(wanted[1], wanted[0])
                ),
                comment=shortened((group.key for group in sorted(wanted[1])), LONGEST_COMMENT),
            )
            for name, wanted in sorted(self._groups.items())
        ]
        blocks = [
            Set(
                name,
                address_type(Family.of(wanted.ranges[0][0])),
                tuple(Element(address_range_text(piece)) for piece in wanted.ranges),
                interval=True,
            )
            for name, wanted in sorted(self._blocks.items())
        ]
        return groups + blocks


def words(peers: Peers) -> list[str]:
    """The peers in words, for a comment."""
    return [
        *(group.key for group in sorted(peers.groups)),
        *map(address_range_text, peers.blocks.ranges),
        *(f"except {group.key}" for group in sorted(peers.holes)),
    ]


def _holes(peers: Peers, family: Family) -> frozenset[Group]:
    """What the blocks of a family have to be less: all of the holes, where one has a member among them."""
    matter = any(
        Family.of(member) is family and member in peers.blocks
        for hole in peers.holes
        for member in hole.members
    )
    return peers.holes if matter else frozenset()


def _smallest(groups: set[Groups], layout: Layout) -> frozenset[Groups]:
    """Those that give up their sets so that the others keep to the budget."""
    by_size = sorted(
        (len(members(one[1], one[0])), _groups_text(one[1]), one[0].value, one) for one in groups
    )
    excess = max(0, len(groups) - layout.set_budget)
    return frozenset(one for size, _, _, one in by_size[:excess] if size <= layout.inline_peers)


def _groups_text(groups: frozenset[Group]) -> str:
    return "\n".join(sorted(group.key for group in groups))


def _blocks_text(blocks: Intervals) -> str:
    return " ".join(map(address_range_text, blocks.ranges))


def _peers_text(peers: Peers) -> str:
    text = f"{_groups_text(peers.groups)}\n\n{_blocks_text(peers.blocks)}"
    return f"{text}\n\n{_groups_text(peers.holes)}" if peers.holes else text
