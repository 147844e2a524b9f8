"""Addresses and CIDRs against the standard library's `ipaddress`."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv6Address,
    ip_address,
    ip_network,
    summarize_address_range,
)
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npc.compiler.algebra.addresses import (
    EVERY_ADDRESS,
    EVERY_V4,
    EVERY_V6,
    Cidr,
    Family,
    as_cidr,
    cidrs,
    format_address,
    format_cidr,
    is_mapped,
    parse_address,
    parse_cidr,
)
from npc.compiler.algebra.intervals import Intervals, Range
from tests.reference.manifests import Address

V6: Final = 2**128
"""Where IPv6 addresses begin on the number line."""

ADDRESSES: Final = st.ip_addresses()
WITH_PREFIX: Final = ADDRESSES.flatmap(
    lambda address: st.tuples(st.just(address), st.integers(0, address.max_prefixlen))
)
SAME_FAMILY: Final = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)),
    st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6)),
    # Neighbours: short ranges, where every bit of both ends counts.
    st.tuples(st.integers(0, 2**32 - 600), st.integers(0, 512)).map(
        lambda drawn: (IPv4Address(drawn[0]), IPv4Address(sum(drawn)))
    ),
)


def on_line(address: Address) -> int:
    return int(address) + (V6 if address.version == 6 else 0)


def is_mapped_v4(address: Address) -> bool:
    return isinstance(address, IPv6Address) and address.ipv4_mapped is not None


@given(ADDRESSES)
@example(IPv4Address("0.0.0.0"))
@example(IPv4Address("255.255.255.255"))
@example(IPv6Address("::"))
@example(IPv6Address("::ffff:10.0.0.1"))
@example(IPv6Address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))
def test_addresses_round_trip(address: Address) -> None:
    number = parse_address(str(address))
    assert number == on_line(address)
    assert ip_address(format_address(number)) == address
    assert parse_address(address.exploded) == number
    assert Family.of(number).value == address.version
    assert is_mapped(number) is is_mapped_v4(address)


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "::1:0",
        "fd00::1",
        "2001:db8:0:1:1:1:1:1",
        "2001:db8::1:0:0:1",
        "::ffff:10.0.0.1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ],
)
def test_the_usual_text(text: str) -> None:
    """RFC 5952, on every C library: glibc's own inet_ntop would write ::1:0 as ::0.1.0.0."""
    assert format_address(parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "web", "10.0.0", "10.0.0.0.1", "10.0.0.256", "10.0.0.-1", "010.0.0.1", "0x0a.0.0.1"),
        *(" 10.0.0.1", "10.0.0.1\n", "10.0.0.1\0", "\N{ARABIC-INDIC DIGIT ONE}0.0.0.1", "10.0.0.1/32"),
        *(":", ":::", "1::2::3", "fd00::g", "[::1]", "fe80::1%eth0", "::1/128"),
    ],
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(ValueError, match="not an IP address"):
        parse_address(text)


@given(WITH_PREFIX)
def test_cidrs_are_read_as_networks(drawn: tuple[Address, int]) -> None:
    address, prefix = drawn
    network = ip_network(f"{address}/{prefix}", strict=False)
    if is_mapped_v4(address):
        with pytest.raises(ValueError, match="an IPv4 block in IPv6 form"):
            parse_cidr(f"{address}/{prefix}")
        return
    read = parse_cidr(f"{address}/{prefix}")
    assert ip_network(format_cidr(read.block)) == network
    assert read.block.range == (on_line(network[0]), on_line(network[-1]))
    assert read.block.family.value == network.version
    assert read.host_bits is (network[0] != address)
    assert read.leading_zeros is False


@pytest.mark.parametrize(
    ("text", "block", "host_bits"),
    [
        ("010.0.0.0/8", "10.0.0.0/8", False),
        ("10.0.00.0/24", "10.0.0.0/24", False),
        ("0010.1.2.3/8", "10.0.0.0/8", True),
        ("172.016.0.010/32", "172.16.0.10/32", False),
    ],
)
def test_numbers_with_leading_zeros_are_decimal(text: str, block: str, host_bits: bool) -> None:
    read = parse_cidr(text)
    assert (format_cidr(read.block), read.host_bits, read.leading_zeros) == (block, host_bits, True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10.0.0.0", "no prefix length"),
        ("10.0.0.0/", "the prefix length is no number"),
        ("10.0.0.0/-1", "the prefix length is no number"),
        ("10.0.0.0/+8", "the prefix length is no number"),
        ("10.0.0.0/8/8", "the prefix length is no number"),
        ("10.0.0.0/255.0.0.0", "the prefix length is no number"),
        ("10.0.0.0/\N{ARABIC-INDIC DIGIT EIGHT}", "the prefix length is no number"),
        ("10.0.0.0/33", "the prefix length is above 32"),
        ("::/129", "the prefix length is above 128"),
        ("10.0.0/8", "not an IP address"),
        ("010.0.0.0256/8", "not an IP address"),
        ("fe80::1%eth0/64", "not an IP address"),
        ("::ffff:10.0.0.0/104", "an IPv4 block in IPv6 form"),
        ("::ffff:a00:1/128", "an IPv4 block in IPv6 form"),
    ],
)
def test_no_cidrs(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_cidr(text)


@given(SAME_FAMILY)
@example((IPv4Address(0), IPv4Address(2**32 - 1)))
@example((IPv6Address(0), IPv6Address(2**128 - 1)))
@example((IPv4Address("10.0.0.1"), IPv4Address("10.0.0.4")))
def test_a_range_is_the_fewest_blocks(ends: tuple[Address, Address]) -> None:
    first, last = sorted(ends, key=int)
    expected = list(summarize_address_range(first, last))
    piece = on_line(first), on_line(last)
    made = list(cidrs(piece))
    assert [ip_network(format_cidr(block)) for block in made] == expected
    assert Intervals.of(*(block.range for block in made)) == Intervals((piece,))
    assert as_cidr(piece) == (made[0] if len(made) == 1 else None)


@pytest.mark.parametrize(
    ("every", "block"),
    [(EVERY_V4.ranges[0], Cidr(0, 0)), (EVERY_V6.ranges[0], Cidr(V6, 0))],
    ids=["IPv4", "IPv6"],
)
def test_a_family_is_one_block(every: Range, block: Cidr) -> None:
    assert as_cidr(every) == block
    assert block.range == every


def test_families_are_apart_on_the_line() -> None:
    assert EVERY_ADDRESS.ranges == ((0, 2**32 - 1), (V6, 2 * V6 - 1))
    assert [family.every for family in Family] == [EVERY_V4, EVERY_V6]
    assert [family.bits for family in Family] == [32, 128]
