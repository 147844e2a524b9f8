"""Where one form of a rule gives way to another: the costs that were measured, in one place.

Measured with kernel 6.18 and nft 1.0.6 (nanoseconds a packet, over the floor of the same run): a comparison
7-15, a hash look-up 86-110 and 380 in 100,000 elements, a concatenated hash 113, an interval set 157 in 10
and 417 in 1,000 elements, a chain or set that is not in the cache 100-200.
"""

from __future__ import annotations

from dataclasses import dataclass

from npc.backends.pairs import Limits


@dataclass(frozen=True, slots=True)
class Layout:
    """The limits that decide between forms; every value gives a correct ruleset."""

    set_budget: int = 1024
    """Sets in one transaction: loading is quadratic in their number (1,000 take 0.1 s, 8,000 take 7 s)."""
    inline_peers: int = 32
    """Addresses that may stand as rules of their own where the budget for sets is used up."""
    most_arms: int = 8
    """Overlapping arms that are tried in turn; beyond, a verdict map by port picks one."""
    most_rules: int = 4
    """Rules that one arm may have in its class; beyond, it is a chain of its own."""
    shared_set_saves: int = 4096
    """Elements that a set for one group must save where its members stand in several sets beside others': an
    element takes 7 us to load, one more set 90-110 ns of a connection's first packet."""
    named_members: int = 256
    """Members of a group whose names stand beside their addresses; in larger groups nobody reads them."""
    blocks_inline: int = 4
    """Rules for address blocks in place of an interval set."""
    most_compared: int = 14
    """Comparisons of addresses in those rules: as many as an interval set costs."""
    pairs: Limits = Limits(from_subjects=64, most_a_subject=64, most=1 << 18)
    """Connections between endpoints that one look-up allows."""


MEASURED = Layout()
