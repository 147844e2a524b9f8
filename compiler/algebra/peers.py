"""Peers as targets hold them: named groups of endpoints, and blocks of addresses less some groups.

The two parts are kept apart because dataplanes hold them in different kinds of set (hash and
interval), and because a group has an identity, its selector, that outlives its members: when a pod
comes or goes, the set keeps its name and changes an element. (What is left of a group where another
is taken away has a name of its own, as long as the two have members in common.) So a block from which
a rule took a group away keeps that group as a hole, rather than a piece of the block for each pod.

>>> web, old = Group("web", frozenset({1, 2})), Group("old", frozenset({2, 3}))
>>> (Peers(frozenset({web})) - Peers(frozenset({old}))).groups
frozenset({Group(key='web except old')})
>>> rest = ANYONE - Peers(frozenset({old}))
>>> rest.holes, rest & Peers(frozenset({web})) == Peers(frozenset({web})) - Peers(frozenset({old}))
(frozenset({Group(key='old')}), True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from npc.compiler.algebra.addresses import EVERY_ADDRESS, Family, cidrs, format_cidr
from npc.compiler.algebra.intervals import Intervals

_LONGEST_KEY = 300
"""Characters of a key that is made of others: each contains those that it comes of."""


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """The addresses of the endpoints that a selector means; its key alone is its identity.

    `key` is canonical text in the policy language (`pods(app=web) in ns/shop`), or says how the
    group comes of others (`pods in ns/shop except pods(app=web) in ns`); `members` are addresses
    on the number line.
    """

    key: str
    members: frozenset[int] = field(default=frozenset(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Peers:
    """The members of some groups, and the addresses of some blocks that are in no hole."""

    groups: frozenset[Group] = frozenset()
    blocks: Intervals = Intervals()
    holes: frozenset[Group] = frozenset()
    """Whose members no block covers. Each has one among the blocks that is in none of `groups`."""

    def __bool__(self) -> bool:
        return bool(self.groups or self.blocks)

    def __or__(self, other: Peers) -> Peers:
        blocks = self.blocks | other.blocks
        groups = self.groups | other.groups
        if not self.holes and not other.holes:
            return ANYONE if blocks == EVERY_ADDRESS else Peers(groups, blocks)
        holes = [*_uncovered(self.holes, other), *_uncovered(other.holes, self)]
        return _normal(groups, blocks, holes)

    def __and__(self, other: Peers) -> Peers:
        if self in (ANYONE, other):
            return other
        if other == ANYONE:
            return self
        groups = [
            *(
                both
                for one in sorted(self.groups)
                for two in sorted(other.groups)
                for both in _both(one, two)
            ),
            *(piece for one in sorted(self.groups) for piece in _covered(one, other)),
            *(piece for one in sorted(other.groups) for piece in _covered(one, self)),
        ]
        return _normal(groups, self.blocks & other.blocks, self.holes | other.holes)

    def __sub__(self, other: Peers) -> Peers:
        if not other:
            return self
        kept = [one for group in sorted(self.groups) for one in _less(group, other.groups)]
        common = self.blocks & other.blocks
        reopened = (one for hole in sorted(other.holes) for one in _inside(hole, common))
        taken = self.holes | other.groups
        groups = [
            *_uncovered(kept, other),
            *(piece for one in reopened for piece in _less(one, taken)),
        ]
        return _normal(groups, self.blocks - other.blocks, taken)

    def __contains__(self, address: int) -> bool:
        return any(address in group.members for group in self.groups) or (
            address in self.blocks and not any(address in hole.members for hole in self.holes)
        )

    def addresses(self) -> Intervals:
        """Every address meant, as one exact set."""
        return self.blocks - _addresses(self.holes) | _addresses(self.groups)


def members(groups: Iterable[Group], family: Family) -> list[int]:
    """The addresses of some groups in a family, sorted."""
    low, high = family.every.ranges[0]
    return sorted({one for group in groups for one in group.members if low <= one <= high})


def _addresses(groups: Iterable[Group]) -> Intervals:
    return Intervals.of(*((one, one) for group in groups for one in group.members))


def _normal(groups: Iterable[Group], blocks: Intervals, holes: Iterable[Group]) -> Peers:
    """Peers without holes that make no difference, and without groups that none makes."""
    groups = frozenset(_without_parts(groups))
    listed: set[int] = set().union(*(group.members for group in groups))
    holes = frozenset(
        hole for hole in holes if any(one in blocks and one not in listed for one in hole.members)
    )
    if holes and _is_within(blocks, _addresses(holes)):
        return Peers(groups)
    if blocks == EVERY_ADDRESS:
        if not holes:
            return ANYONE
        groups = frozenset(
            group for group in groups if not all(group.members.isdisjoint(hole.members) for hole in holes)
        )
    return Peers(groups, blocks, holes)


def _without_parts(groups: Iterable[Group]) -> Iterator[Group]:
    """The groups that are no part of another, each once."""
    largest_first = sorted(set(groups), key=lambda group: (-len(group.members), group.key))
    for index, group in enumerate(largest_first):
        if not any(group.members <= larger.members for larger in largest_first[:index]):
            yield group


def _is_within(blocks: Intervals, addresses: Intervals) -> bool:
    """Whether some blocks have no address beside a few: most have more than there are of those."""
    size = sum(high - low + 1 for low, high in blocks.ranges)
    return size <= sum(high - low + 1 for low, high in addresses.ranges) and blocks <= addresses


def _covered(group: Group, peers: Peers) -> Iterator[Group]:
    """The part of a group that is in the blocks of peers, and in no hole."""
    for inside in _inside(group, peers.blocks):
        yield from _less(inside, peers.holes)


def _uncovered(groups: Iterable[Group], peers: Peers) -> Iterator[Group]:
    """The parts of groups that are outside the blocks of peers, or in a hole."""
    for group in sorted(groups):
        if group in peers.holes:
            yield group
            continue
        yield from _outside(group, peers.blocks)
        for hole in sorted(peers.holes):
            for both in _both(group, hole):
                yield from _inside(both, peers.blocks)


def _both(one: Group, two: Group) -> Iterator[Group]:
    """What is in both groups; nothing when they have no member in common."""
    if one == two or one.members <= two.members:
        yield from (one,) if one.members else ()
    elif two.members <= one.members:
        yield two
    elif common := one.members & two.members:
        first, second = sorted((one.key, two.key))
        yield _made(f"{_operand(first)} and {_operand(second)}", common)


def _less(group: Group, others: Iterable[Group]) -> Iterator[Group]:
    """What of a group is in none of others; the group itself when they have no member in common."""
    taken = [other for other in sorted(others) if not group.members.isdisjoint(other.members)]
    if not taken:
        yield group
    elif left := group.members.difference(*(other.members for other in taken)):
        keys = ", ".join(_operand(other.key) for other in taken)
        yield _made(f"{_operand(group.key)} except {f'({keys})' if len(taken) > 1 else keys}", left)


def _inside(group: Group, blocks: Intervals) -> Iterator[Group]:
    yield from _filtered(group, blocks, "in", blocks.__contains__)


def _outside(group: Group, blocks: Intervals) -> Iterator[Group]:
    yield from _filtered(group, blocks, "not in", lambda address: address not in blocks)


def _filtered(group: Group, blocks: Intervals, words: str, holds: Callable[[int], bool]) -> Iterator[Group]:
    """The members for which something holds; the group itself when it does for all."""
    left = frozenset(filter(holds, group.members))
    if len(left) == len(group.members):
        yield group
    elif left:
        texts = [format_cidr(block) for piece in blocks.ranges for block in cidrs(piece)]
        yield _made(f"{_operand(group.key)} {words} ({', '.join(texts)})", left)


def _made(key: str, members: frozenset[int]) -> Group:
    """A group that comes of others, by a key that says how: a long one by its beginning and a digest."""
    if len(key) > _LONGEST_KEY:
        key = f"{key[:_LONGEST_KEY]}... {blake2b(key.encode(), digest_size=16).hexdigest()}"
    return Group(key, members)


def _operand(key: str) -> str:
    """A key as a part of another: in brackets where it may be made of others itself."""
    is_made = any(word in key for word in (" except ", " and ", " not in (", " in ("))
    return f"({key})" if is_made else key


ANYONE = Peers(blocks=EVERY_ADDRESS)
"""Every address, inside and outside the cluster."""
