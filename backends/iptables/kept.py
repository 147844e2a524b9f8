"""What several rulesets of one cluster have in common: worked out once, kept for the next."""

from __future__ import annotations

from dataclasses import dataclass, field

from npc.backends.iptables.ruleset import IpSet
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Group

Alternative = tuple[str, ...]
"""Options that all match; alternatives together match what was asked for."""


class AddressTexts(dict[int, str]):
    """The text of each address, made when it is asked for: most are in many sets."""

    def __missing__(self, address: int) -> str:
        text = self[address] = format_address(address)
        return text


@dataclass(slots=True)
class Kept:
    """What rulesets of one cluster were asked for before."""

    texts: AddressTexts = field(default_factory=AddressTexts)
    sets: dict[tuple[str, frozenset[Group], Family], IpSet] = field(default_factory=dict)
    """Sets of groups, by their names and what is in them."""
    blocks: dict[tuple[Intervals, str, Family], list[Alternative]] = field(default_factory=dict)
    """Comparisons with blocks, which are looked for long."""
