"""Peers as targets hold them: named groups of endpoints, and blocks of addresses.

The two parts are kept apart because dataplanes hold them in different kinds of set (hash and
interval), and because a group has an identity, its selector, that outlives its members: when a pod
comes or goes, the set keeps its name and changes an element.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from npc.compiler.algebra.addresses import EVERY_ADDRESS, Family
from npc.compiler.algebra.intervals import Intervals


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """The addresses of the endpoints that a selector means; its key alone is its identity.

    `key` is canonical text in the policy language (`pods(app=web) in ns/shop`); `members` are
    addresses on the number line, sorted.
    """

    key: str
    members: tuple[int, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Peers:
    """Groups and blocks together; canonical: blocks that cover everything leave no groups."""

    groups: frozenset[Group] = frozenset()
    blocks: Intervals = Intervals()

    def __bool__(self) -> bool:
        return bool(self.groups or self.blocks)

    def __or__(self, other: Peers) -> Peers:
        blocks = self.blocks | other.blocks
        return ANYONE if blocks == EVERY_ADDRESS else Peers(self.groups | other.groups, blocks)

    def addresses(self) -> Intervals:
        """Every address meant, as one exact set."""
        return self.blocks | Intervals.of(*((a, a) for group in self.groups for a in group.members))


def members(groups: Iterable[Group], family: Family) -> list[int]:
    """The addresses of some groups in a family, sorted."""
    low, high = family.every.ranges[0]
    return sorted({one for group in groups for one in group.members if low <= one <= high})


ANYONE = Peers(blocks=EVERY_ADDRESS)
"""Every address, inside and outside the cluster."""
