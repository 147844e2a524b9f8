"""IP addresses of both families on one number line, and CIDR blocks as ranges of it.

An IPv4 address is its 32-bit value; an IPv6 address is its 128-bit value plus 2**128. So a set of
addresses, whatever its families, is one `Intervals`, and prefixes stay aligned powers of two.

>>> format_address(parse_address("10.0.0.1") + 1)
'10.0.0.2'
>>> [format_cidr(c) for c in cidrs((parse_address("10.0.0.1"), parse_address("10.0.0.4")))]
['10.0.0.1/32', '10.0.0.2/31', '10.0.0.4/32']
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv6Address
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from npc.compiler.algebra.intervals import Intervals, Range

_V6 = 1 << 128
_MAPPED = _V6 | (0xFFFF << 32)
"""Where ::ffff:0:0/96 begins: IPv4 addresses written in IPv6 (RFC 4291, section 2.5.5.2)."""

EVERY_V4 = Intervals.of((0, (1 << 32) - 1))
EVERY_V6 = Intervals.of((_V6, _V6 | (_V6 - 1)))
EVERY_ADDRESS = EVERY_V4 | EVERY_V6


class Family(Enum):
    """An address family: its digit in names, and all its addresses."""

    V4 = 4
    V6 = 6

    @property
    def every(self) -> Intervals:
        return EVERY_V4 if self is Family.V4 else EVERY_V6

    @property
    def bits(self) -> int:
        """The length of an address in bits."""
        return 32 if self is Family.V4 else 128

    @staticmethod
    def of(address: int) -> Family:
        """The family of an address on the number line."""
        return Family.V6 if address >= _V6 else Family.V4


@dataclass(frozen=True, slots=True, order=True)
class Cidr:
    """An aligned block: its first address on the number line, and its prefix length in bits."""

    first: int
    prefix: int

    @property
    def family(self) -> Family:
        return Family.of(self.first)

    @property
    def range(self) -> Range:
        return self.first, self.first + (1 << (self.family.bits - self.prefix)) - 1


NO_HOSTS = Intervals.of(
    (0, (1 << 24) - 1),  # 0.0.0.0/8: "this network" (RFC 791, section 3.2)
    (127 << 24, (128 << 24) - 1),  # loopback
    (224 << 24, (1 << 32) - 1),  # multicast, reserved, broadcast
    (_V6, _V6 | 1),  # unspecified and loopback
    (_V6 | 0xFF << 120, _V6 | (_V6 - 1)),  # multicast
)
"""Addresses that packets of no other host carry (RFC 6890)."""


@dataclass(frozen=True, slots=True)
class CidrText:
    """What a CIDR's text says: the block, and what is odd about how it was written."""

    block: Cidr
    host_bits: bool = False
    """Bits are set beyond the prefix; `block` has them masked off."""
    leading_zeros: bool = False
    """An IPv4 number has leading zeros; it is read as decimal, as the API server reads it."""


def parse_address(text: str) -> int:
    """An address of either family; ValueError when `text` is none."""
    try:
        if ":" in text:
            return _V6 | int.from_bytes(inet_pton(AF_INET6, text), "big")
        return int.from_bytes(inet_pton(AF_INET, text), "big")
    except (OSError, UnicodeError, ValueError):
        raise ValueError(f"not an IP address: {text!r}") from None


def is_mapped(address: int) -> bool:
    """Whether an address is an IPv4 address in IPv6 form (::ffff:a.b.c.d)."""
    return _MAPPED <= address < _MAPPED + (1 << 32)


_HOSTS_V4 = frozenset(octet for octet in range(256) if octet << 24 not in NO_HOSTS)
"""What the IPv4 addresses of hosts begin with: whole blocks of /8 are others'."""


def parse_host(text: str) -> int | None:
    """An address that a host can have, which is not an IPv4 address in IPv6 form; None for any other text.

    >>> [parse_host(text) is not None for text in ("10.0.0.1", "fd00::1", "127.0.0.1", "::ffff:10.0.0.1", "")]
    [True, True, False, False, False]
    """
    try:
        if ":" not in text:
            packed = inet_pton(AF_INET, text)
            return int.from_bytes(packed, "big") if packed[0] in _HOSTS_V4 else None
        address = parse_address(text)
    except (OSError, UnicodeError, ValueError):
        return None
    return None if is_mapped(address) or address in NO_HOSTS else address


_SLOPPY_V4 = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,10}){3}")
_PREFIX = re.compile(r"[0-9]{1,9}")


def parse_cidr(text: str) -> CidrText:
    """A CIDR block as the API server reads it: host bits and leading zeros are tolerated.

    ValueError when `text` is no CIDR.

    >>> format_cidr(parse_cidr("10.1.2.3/8").block)
    '10.0.0.0/8'
    """
    address_text, slash, prefix_text = text.partition("/")
    if not slash:
        raise ValueError("no prefix length")
    if not _PREFIX.fullmatch(prefix_text):
        raise ValueError("the prefix length is no number")
    leading_zeros = False
    try:
        address = parse_address(address_text)
    except ValueError:
        if not _SLOPPY_V4.fullmatch(address_text):
            raise
        numbers = [int(part) for part in address_text.split(".")]
        if max(numbers) > 255:
            raise
        address = int.from_bytes(bytes(numbers), "big")
        leading_zeros = True
    if is_mapped(address):
        raise ValueError("an IPv4 block in IPv6 form")
    prefix, bits = int(prefix_text), Family.of(address).bits
    if prefix > bits:
        raise ValueError(f"the prefix length is above {bits}")
    first = address >> (bits - prefix) << (bits - prefix)
    return CidrText(Cidr(first, prefix), host_bits=first != address, leading_zeros=leading_zeros)


def format_address(address: int) -> str:
    """The usual text of an address (RFC 5952 for IPv6)."""
    if address >= _V6:
        text = inet_ntop(AF_INET6, (address ^ _V6).to_bytes(16, "big"))
        # Some C libraries write the last 32 bits of ::/96 in dots; RFC 5952 does so for ::ffff:0:0/96 alone.
        return text if "." not in text or is_mapped(address) else str(IPv6Address(address ^ _V6))
    return inet_ntop(AF_INET, address.to_bytes(4, "big"))


def format_cidr(block: Cidr) -> str:
    """`10.0.0.0/8`."""
    return f"{format_address(block.first)}/{block.prefix}"


def cidrs(piece: Range) -> Iterator[Cidr]:
    """The fewest aligned blocks that make up a range of one family, in order."""
    low, high = piece
    bits = Family.of(low).bits
    offset = low & _V6
    low, high = low ^ offset, high ^ offset
    while low <= high:
        size = (low & -low) or (1 << bits)
        while size > high - low + 1:
            size >>= 1
        yield Cidr(low | offset, bits - size.bit_length() + 1)
        low += size


def as_cidr(piece: Range) -> Cidr | None:
    """The one aligned block that a range is, or None when it is not one."""
    low, high = piece
    size = high - low + 1
    family = Family.of(low)
    if size & (size - 1) or low & (size - 1) & ~_V6:
        return None
    return Cidr(low, family.bits - size.bit_length() + 1)
