"""Peers as nftables comparisons and sets: which sets there are, what they are called, what is in them.

Groups of endpoints become exact hash sets, many blocks an interval set, never both in one; the holes of
blocks are hash sets like groups, asked second. A set's name stands for its selectors or blocks, so that
a pod that comes or goes is an element that comes or goes.

The groups of an arm are one set, in which a packet is looked up once. But a large group that stands in many
sets beside others gets a set of its own: its members are then loaded once, for one more look-up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from npc.backends.naming import content_names, shortened
from npc.backends.nft.layout import Layout
from npc.backends.nft.matches import address_field, address_range_text, address_type
from npc.backends.nft.members import Groups, Members
from npc.backends.nft.ruleset import Element, Match, Set
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Group, Peers, members
from npc.compiler.arms import Arm
from npc.compiler.frontend.syntax import Direction

LONGEST_COMMENT = 127
"""Characters: the kernel's 128 bytes hold a final zero."""

Split = frozenset[tuple[Family, Group]]
"""Groups that have sets of their own."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the rules of a class ask for, whatever form the sets take."""

    groups: frozenset[Groups]
    blocks: frozenset[tuple[Family, Intervals]]
    anonymous: int
    """Lists of values and maps in rules, which count as sets."""
    texts: tuple[str, ...]
    """What names stand for."""

    @staticmethod
    def of(arms: Sequence[Arm], families: Iterable[Family], maps: int) -> Needs:
        """Of some arms, for subjects of some families; `maps` is the number of maps in the rules."""
        groups: set[Groups] = set()
        blocks: set[tuple[Family, Intervals]] = set()
        anonymous = maps
        for arm in arms:
            for family in families:
                groups.update((family, one) for one in (arm.peers.groups, _holes(arm.peers, family)) if one)
                if len(arm.peers.blocks.ranges) > 1:
                    blocks.add((family, arm.peers.blocks))
                anonymous += len(arm.traffic.ranges) > 1
        texts = dict.fromkeys(
            text for arm in arms for text in (_blocks_text(arm.peers.blocks), _peers_text(arm.peers))
        )
        return Needs(frozenset(groups), frozenset(blocks), anonymous, tuple(texts))


@dataclass(slots=True)
class PeerSets:
    """Which sets the classes of a plan share, and those that the rules asked for."""

    members: Members
    layout: Layout
    lists: bool
    """Whether rules may hold lists and interval sets: not where the budget for sets is used up."""
    split: Split
    inline: frozenset[Groups]
    """Groups whose members stand as rules of their own."""
    _names: dict[str, str]
    groups: dict[str, Groups] = field(default_factory=dict)
    """The hash sets that were asked for, by name."""
    blocks: dict[str, Intervals] = field(default_factory=dict)
    """The interval sets that were asked for, by name."""

    @staticmethod
    def of(needs: Sequence[Needs], members: Members, layout: Layout) -> PeerSets:
        """For all that the classes of a plan need."""
        asked = frozenset[Groups]().union(*(one.groups for one in needs))
        blocks = frozenset[tuple[Family, Intervals]]().union(*(one.blocks for one in needs))
        split = _worth_a_set(asked, members, layout)
        groups = {part for one in asked for part in parts(one, split)}
        count = len(groups) + len(blocks) + sum(one.anonymous for one in needs)
        within_budget = count <= layout.set_budget
        inline = frozenset[Groups]() if within_budget else _smallest(groups, members, layout)
        texts = {text for one in needs for text in one.texts}
        texts.update(_groups_text(found) for _, found in groups)
        return PeerSets(members, layout, within_budget, split, inline, content_names(texts))

    def another(self) -> PeerSets:
        """The same sets to be asked for, and none asked for yet."""
        return PeerSets(self.members, self.layout, self.lists, self.split, self.inline, self._names)

    def split_in(self, needs: Needs) -> Split:
        """The groups with sets of their own that a class speaks of."""
        if not self.split:
            return self.split
        return self.split & {(family, one) for family, found in needs.groups for one in found}

    def name(self, peers: Peers) -> str:
        """A name for a chain of rules about these peers: equal peers, equal name."""
        return self._names[_peers_text(peers)]

    def matches(self, peers: Peers, direction: Direction, family: Family) -> list[tuple[Match, ...]]:
        """Alternatives that match exactly the peers of a family; one empty alternative matches all."""
        address = address_field(family, direction, peer=True)
        blocks, holes = peers.blocks & family.every, _holes(peers, family)
        outside: list[Match] = []
        for part in parts((family, holes), self.split):
            if part in self.inline:
                blocks -= Intervals.of(*((one, one) for one in members(part[1], family)))
            else:
                outside.append(Match(address, (self._group_set(part),), negated=True))
        if blocks == family.every and not outside:
            return [()]
        matches: list[tuple[Match, ...]] = []
        for part in parts((family, peers.groups), self.split):
            if part in self.inline:
                inside = members(part[1], family)
                matches += [(Match(address, (format_address(one),)),) for one in inside]
            else:
                matches.append((Match(address, (self._group_set(part),)),))
        if blocks:
            inline = self.members.block_matches(blocks, address)
            compared = sum(map(len, inline))
            if self.lists and (
                len(inline) > self.layout.blocks_inline or compared > self.layout.most_compared
            ):
                name = f"b{family.value}_{self._names[_blocks_text(peers.blocks)]}"
                self.blocks[name] = blocks
                inline = ((Match(address, (f"@{name}",)),),)
            matches += [(*one, *outside) for one in inline]
        return matches

    def overlap(self, peers: Peers, family: Family) -> bool:
        """Whether an address may match several of the alternatives."""
        held = sum(1 for _ in parts((family, peers.groups), self.split))
        return held > 1 or (held == 1 and bool(peers.blocks & family.every))

    def _group_set(self, part: Groups) -> str:
        """A reference to the set of some groups' members, which is then needed."""
        family, groups = part
        name = f"p{family.value}_{self._names[_groups_text(groups)]}"
        self.groups[name] = part
        return f"@{name}"


def group_set(name: str, wanted: Groups, members: Members) -> Set:
    """The set of some groups' members."""
    family, groups = wanted
    comment = shortened((group.key for group in sorted(groups)), LONGEST_COMMENT)
    return Set(name, address_type(family), members.lines(wanted), members.size(wanted), comment=comment)


def block_set(name: str, blocks: Intervals) -> Set:
    """The set of some blocks' addresses."""
    family = Family.of(blocks.ranges[0][0])
    elements = (Element(address_range_text(piece)) for piece in blocks.ranges)
    return Set.of(name, address_type(family), elements, interval=True)


def parts(wanted: Groups, split: Split) -> Iterator[Groups]:
    """Some groups as the sets that they are held in."""
    family, groups = wanted
    alone = [one for one in sorted(groups) if (family, one) in split]
    if together := groups.difference(alone):
        yield family, together
    for one in alone:
        yield family, frozenset((one,))


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


def _worth_a_set(asked: Iterable[Groups], members: Members, layout: Layout) -> Split:
    """The groups whose own sets save enough elements."""
    sets_of = Counter((family, one) for family, groups in asked for one in groups)
    return frozenset(
        one
        for one, count in sets_of.items()
        if count > 1 and (count - 1) * len(members.addresses(*one)) >= layout.shared_set_saves
    )


def _smallest(groups: set[Groups], members: Members, layout: Layout) -> frozenset[Groups]:
    """Those that give up their sets so that the others keep to the budget."""
    by_size = sorted((members.size(one), _groups_text(one[1]), one[0].value, one) for one in groups)
    excess = max(0, len(groups) - layout.set_budget)
    return frozenset(one for size, _, _, one in by_size[:excess] if size <= layout.inline_peers)


def _groups_text(groups: frozenset[Group]) -> str:
    return "\n".join(sorted(group.key for group in groups))


def _blocks_text(blocks: Intervals) -> str:
    return " ".join(map(address_range_text, blocks.ranges))


def _peers_text(peers: Peers) -> str:
    text = f"{_groups_text(peers.groups)}\n\n{_blocks_text(peers.blocks)}"
    return f"{text}\n\n{_groups_text(peers.holes)}" if peers.holes else text
