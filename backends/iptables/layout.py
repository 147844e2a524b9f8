"""Where one form of rules gives way to another: what was measured, in one place.

Measured with kernel 6.18, iptables 1.8.9 and ipset 7.17 (nanoseconds a packet, over the floor of the same
run): a rule that does not match 5 to 8 (legacy) and 15 to 30 (nft), a set 60 to 110 and 200 and more where it
is not in the cache, a hash:net 20 for each of its prefix lengths and 190 where they are not in the cache, a
chain of a search tree 50 to 100, and 200 where it is not in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from npc.backends.pairs import Limits


@dataclass(frozen=True, slots=True)
class Layout:
    """The limits that decide between forms; every value gives correct rules."""

    most_arms: int = 8
    """Overlapping arms that are tried in turn; beyond, the packet's port picks one of disjoint ones."""
    most_rules: int = 24
    """Rules that a decision tries in turn."""
    most_log_rules: int = 4
    """Rules of a class that write the lines of one logged rule; beyond, they are a chain of their own."""
    arity: int = 8
    """Rules of each chain of a search tree; more where the trees would be too deep."""
    blocks_inline: int = 4
    """Rules for address blocks in place of a set."""
    ranges_inline: int = 12
    """Ranges that those rules compare an address with."""
    most_port_rules: int = 2
    """Multiport rules in place of a set of ports."""
    pairs: Limits = Limits(from_subjects=64, most_a_subject=64, most=1 << 18)
    """Connections between endpoints that one look-up allows."""
    asked_ports: int = 64
    """Ports of a class that are listed, beside pairs, to deny others without a search for the class."""
    same_bits_from: int = 64
    """Subjects from which on a few bits of the ends tell denied packets from those to oneself."""


MEASURED = Layout()
