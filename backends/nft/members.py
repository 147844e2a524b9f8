"""Whom peers mean, as nftables has it: worked out and printed once for all rulesets that ask for it.

The members of groups are the elements of sets, blocks are comparisons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from npc.backends.nft.matches import block_matches
from npc.backends.nft.ruleset import Element, Match
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Group
from npc.compiler.algebra.peers import members as addresses_of

Groups = tuple[Family, frozenset[Group]]
"""What a hash set is for: the endpoints' addresses of one family."""

Alternatives = tuple[tuple[Match, ...], ...]
"""Comparisons of which one alternative holds."""


class _Lines(dict[int, str]):
    """The line of each address alone, made when it is asked for: most are in many groups."""

    def __missing__(self, address: int) -> str:
        line = self[address] = Element(format_address(address)).line
        return line


@dataclass(slots=True)
class Members:
    """What the groups of one cluster come to in each family; what was asked for once is kept."""

    names: Mapping[int, str]
    """The endpoint behind each address."""
    named: int
    """Members of a group whose names stand beside their addresses."""
    _plain: _Lines = field(default_factory=_Lines)
    _addresses: dict[tuple[Family, Group], list[int]] = field(default_factory=dict)
    _lines: dict[tuple[Family, Group], str] = field(default_factory=dict)
    _together: dict[Groups, tuple[int, str]] = field(default_factory=dict)
    _blocks: dict[tuple[Intervals, str], Alternatives] = field(default_factory=dict)

    def addresses(self, family: Family, group: Group) -> list[int]:
        """The members of a group in a family, sorted."""
        known = self._addresses.get((family, group))
        if known is None:
            known = self._addresses[family, group] = addresses_of((group,), family)
        return known

    def size(self, wanted: Groups) -> int:
        """How many addresses some groups have together."""
        return self._of(wanted)[0]

    def lines(self, wanted: Groups) -> str:
        """The members of some groups as the elements of a set: group after group, each sorted, none twice."""
        return self._of(wanted)[1]

    def block_matches(self, blocks: Intervals, address: str) -> Alternatives:
        """As `matches.block_matches`, which looks long for the fewest comparisons."""
        known = self._blocks.get((blocks, address))
        if known is None:
            known = self._blocks[blocks, address] = tuple(block_matches(blocks, address))
        return known

    def _of(self, wanted: Groups) -> tuple[int, str]:
        known = self._together.get(wanted)
        if known is None:
            known = self._together[wanted] = self._joined(*wanted)
        return known

    def _joined(self, family: Family, groups: Iterable[Group]) -> tuple[int, str]:
        size, texts = 0, []
        before: list[frozenset[int]] = []
        for group in sorted(groups):
            addresses = self.addresses(family, group)
            if all(group.members.isdisjoint(other) for other in before):
                texts.append(self._group_lines(family, group))
            else:
                seen = frozenset[int]().union(*before)
                addresses = [one for one in addresses if one not in seen]
                texts.append(self._print(addresses, group))
            size += len(addresses)
            before.append(group.members)
        return size, "".join(texts)

    def _group_lines(self, family: Family, group: Group) -> str:
        known = self._lines.get((family, group))
        if known is None:
            known = self._lines[family, group] = self._print(self.addresses(family, group), group)
        return known

    def _print(self, addresses: Iterable[int], group: Group) -> str:
        if len(group.members) > self.named:
            return "".join(map(self._plain.__getitem__, addresses))
        return "".join(Element(format_address(one), self.names.get(one, "")).line for one in addresses)
