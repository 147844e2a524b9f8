"""Groups of endpoints as matches: the address of each peer, or one number for all peers of the same groups.

A number stands for the groups that an address is in, all that the rules of one direction speak of; tables
earlier in the pipeline put it into a register. So a rule needs a flow for each number, not for each address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from npc.backends.ovs.matches import peer_field
from npc.backends.ovs.numbers import content_numbers
from npc.backends.ovs.ruleset import Match
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Group
from npc.compiler.arms import Arm
from npc.compiler.frontend.syntax import Direction

_GROUPS_NAMED = 3

Alternative = tuple[tuple[Match, ...], str]
"""Matches that say who a peer is, and in words."""


@dataclass(frozen=True, slots=True)
class Atom:
    """Peers that one match tells from all others."""

    match: Match
    note: str
    members: tuple[int, ...]
    """Their addresses, sorted."""

    @property
    def alternative(self) -> Alternative:
        return (self.match,), self.note


@dataclass(frozen=True, slots=True)
class PeerMatches:
    """The groups that the rules of one direction and family speak of, as disjoint atoms."""

    atoms: tuple[Atom, ...]
    of: Mapping[Group, tuple[int, ...]]
    """The indices of each group's atoms."""
    identities: Mapping[int, int]
    """The number of each address that has one; empty where atoms are addresses."""

    @staticmethod
    def by_address(
        groups: Iterable[Group], direction: Direction, family: Family, names: Mapping[int, str]
    ) -> PeerMatches:
        """An atom for each address."""
        every = family.every
        members = {group: sorted(one for one in group.members if one in every) for group in groups}
        addresses = sorted({one for found in members.values() for one in found})
        index = {address: number for number, address in enumerate(addresses)}
        field = peer_field(family, direction)
        atoms = tuple(
            Atom(Match(field, format_address(one)), names.get(one, ""), (one,)) for one in addresses
        )
        return PeerMatches(
            atoms, {group: tuple(index[one] for one in members[group]) for group in members}, {}
        )

    @staticmethod
    def by_identity(groups: Iterable[Group], family: Family, register: str) -> PeerMatches:
        """An atom for each combination of groups that some address is in."""
        every = family.every
        groups_of: dict[int, list[Group]] = {}
        for group in sorted(groups):
            for address in group.members:
                if address in every:
                    groups_of.setdefault(address, []).append(group)
        keys = {address: "\n".join(group.key for group in found) for address, found in groups_of.items()}
        combinations = {keys[address]: found for address, found in groups_of.items()}
        members: dict[str, list[int]] = {key: [] for key in combinations}
        for address in sorted(keys):
            members[keys[address]].append(address)
        numbers = content_numbers(combinations)
        ordered = sorted(combinations)
        of: dict[Group, list[int]] = {group: [] for group in groups}
        for index, key in enumerate(ordered):
            for group in combinations[key]:
                of[group].append(index)
        atoms = tuple(
            Atom(Match(register, f"{numbers[key]:#x}"), _words(combinations[key]), tuple(members[key]))
            for key in ordered
        )
        return PeerMatches(
            atoms,
            {group: tuple(found) for group, found in of.items()},
            {address: numbers[key] for address, key in sorted(keys.items())},
        )

    def exchanges(self, arms: Sequence[Arm]) -> list[tuple[Intervals, list[int]]]:
        """What passes with the groups of some arms: traffic with the indices of its atoms, no atom twice."""
        arms_of: dict[int, set[int]] = {}
        for number, arm in enumerate(arms):
            for group in arm.peers.groups:
                for index in self.of[group]:
                    arms_of.setdefault(index, set()).add(number)
        alike: dict[frozenset[int], list[int]] = {}
        for index in sorted(arms_of):
            alike.setdefault(frozenset(arms_of[index]), []).append(index)
        by_traffic: dict[Intervals, list[int]] = {}
        for numbers, found in alike.items():
            passes = Intervals.union(arms[number].traffic for number in numbers)
            by_traffic.setdefault(passes, []).extend(found)
        return [(passes, sorted(by_traffic[passes])) for passes in sorted(by_traffic, key=_ranges)]


def _words(groups: Sequence[Group]) -> str:
    """The first groups by name, and how many more there are."""
    named = "; ".join(group.key for group in groups[:_GROUPS_NAMED])
    return f"{named} and {len(groups) - _GROUPS_NAMED} more" if len(groups) > _GROUPS_NAMED else named


def _ranges(passes: Intervals) -> tuple[tuple[int, int], ...]:
    return passes.ranges
