"""Addresses and blocks as people write them in questions.

Takes a text, gives the addresses that it means, None where it is meant as something else, or `NoAddress` with
what is wrong and what to write.
"""

from __future__ import annotations

from npc.compiler.algebra.addresses import format_address, is_mapped, parse_address, parse_cidr
from npc.compiler.algebra.intervals import Intervals


class NoAddress(ValueError):
    """A text that is meant as an address, and is none."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


def read_addresses(text: str) -> Intervals | None:
    """The addresses of a text that is an address or a block; None where it is neither.

    Of a block with bits beyond its prefix, or with leading zeros, None, too: the policy language reads it,
    and warns.
    """
    try:
        address = parse_address(text)
    except ValueError:
        pass
    else:
        check_unmapped(address)
        return Intervals.of((address, address))
    try:
        found = parse_cidr(text)
    except ValueError:
        return None
    return None if found.host_bits or found.leading_zeros else Intervals.of(found.block.range)


def is_block(text: str) -> bool:
    """Whether a text is a block, however it is written."""
    try:
        parse_cidr(text)
    except ValueError:
        return False
    return True


def check_unmapped(address: int) -> None:
    """NoAddress for an IPv4 address in IPv6 form: no packet carries one (RFC 4291, section 2.5.5.2)."""
    if is_mapped(address):
        text = format_address(address)
        message = f"{text} is an IPv4 address in IPv6 form, which no packet carries"
        raise NoAddress(message, f"write {format_address(address & 0xFFFFFFFF)}")
