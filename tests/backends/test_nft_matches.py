"""Comparisons mean exactly the traffic and the addresses that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npc.backends.nft.matches import address_field, address_range_text, block_matches, traffic_matches
from npc.backends.nft.ruleset import Match
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, parse_cidr
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.algebra.traffic import ICMP, ICMPV6, SCTP, TCP, UDP
from npc.compiler.frontend.syntax import Direction
from tests.backends.nft_interpreter import all_match, pieces
from tests.reference.evaluator import Packet

ENDS = {
    Family.V4: (ip_address("10.0.0.1"), ip_address("10.0.0.2")),
    Family.V6: (ip_address("fd00::1"), ip_address("fd00::2")),
}

# --- traffic ------------------------------------------------------------------------------------------------

PORTS = st.tuples(
    st.integers(0, 65535) | st.sampled_from((0, 1, 80, 81, 65534, 65535)), st.integers(0, 3)
).map(lambda drawn: (drawn[0], min(65535, sum(drawn))))
SOME_PORTS = st.builds(
    lambda protocols, ports: Intervals.union(
        traffic.of(protocol, *piece) for protocol in protocols for piece in ports
    ),
    st.sets(st.sampled_from((TCP, UDP, SCTP)), min_size=1),
    st.lists(PORTS, max_size=3),
)
WHOLE = st.sets(st.integers(0, 255) | st.sampled_from((5, 6, 7, 17, 58, 132, 133)), max_size=5).map(
    lambda protocols: Intervals.union(map(traffic.every, protocols))
)
ALL_BUT = st.sets(st.sampled_from((0, 1, 6, 17, 58, 132, 255)), min_size=1).map(
    lambda protocols: traffic.ANY - Intervals.union(map(traffic.every, protocols))
)
NUMBERS = st.integers(0, 65535) | st.sampled_from(
    (0, 0xFF, 0x100, 0x1FF, 0x2FF, 0x800, 0x8FF, 0xFEFF, 0xFFFF)
)
PARTS_OF_ICMP = st.builds(
    lambda protocol, pairs: Intervals.union(traffic.of(protocol, *sorted(pair)) for pair in pairs),
    st.sampled_from((ICMP, ICMPV6)),
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3),
)
TRAFFIC = st.builds(
    lambda some, whole, icmp, less: (some | whole | icmp) - less,
    SOME_PORTS,
    WHOLE | ALL_BUT,
    PARTS_OF_ICMP,
    st.just(Intervals()) | SOME_PORTS | PARTS_OF_ICMP,
)


def edges(ranges: Iterable[Range]) -> list[int]:
    """Both ends of each range, and their neighbours."""
    return sorted({near for piece in ranges for end in piece for near in (end - 1, end, end + 1)})


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("lists", [True, False], ids=["lists", "no lists"])
@given(wanted=TRAFFIC)
@example(wanted=traffic.ANY)
@example(wanted=Intervals())
@example(wanted=traffic.ANY - traffic.of(TCP, 80, 80))
@example(wanted=traffic.of(TCP, 53, 53) | traffic.of(UDP, 53, 53) | traffic.every(SCTP))
@example(wanted=traffic.ANY - traffic.of(ICMP, 0x0800, 0x08FF))
@example(wanted=traffic.of(ICMPV6, 0x0101, 0x0302))
def test_traffic_is_matched_exactly_and_once(wanted: Intervals, lists: bool, family: Family) -> None:
    """Parts of the other family's ICMP are no traffic: nobody reads its types there."""
    alternatives = traffic_matches(wanted, family, lists=lists)
    other = ICMPV6 if family is Family.V4 else ICMP
    asked = {protocol << 16 | port for protocol in range(256) for port in (0, 80, 65535)}
    asked |= {number for number in edges(wanted.ranges) if number in traffic.ANY}
    assert [
        traffic.describe(Intervals.of((number, number)))
        for number in sorted(asked)
        if number >> 16 != other or traffic.every(other) <= wanted
        if sum(all_match(one, Packet(*ENDS[family], number >> 16, number & 0xFFFF)) for one in alternatives)
        != (number in wanted)
    ] == []


@given(TRAFFIC, st.sampled_from(Family))
def test_without_lists_every_comparison_has_one_value(wanted: Intervals, family: Family) -> None:
    for alternative in traffic_matches(wanted, family, lists=False):
        assert all(len(match.values) == 1 for match in alternative)


@pytest.mark.parametrize(
    ("wanted", "with_lists", "without_lists"),
    [
        (traffic.ANY, [""], [""]),
        (traffic.every(TCP), ["meta l4proto tcp"], ["meta l4proto tcp"]),
        (traffic.every(58), ["meta l4proto ipv6-icmp"], ["meta l4proto ipv6-icmp"]),
        (traffic.of(TCP, 80, 80), ["tcp dport 80"], ["tcp dport 80"]),
        (traffic.of(TCP, 80, 90), ["tcp dport 80-90"], ["tcp dport 80-90"]),
        (
            traffic.of(TCP, 80, 80) | traffic.of(TCP, 443, 450),
            ["tcp dport { 80, 443-450 }"],
            ["tcp dport 80", "tcp dport 443-450"],
        ),
        (
            traffic.every(TCP) - traffic.of(TCP, 22, 22) - traffic.of(TCP, 80, 90),
            ["tcp dport != { 22, 80-90 }"],
            ["tcp dport != 22 tcp dport != 80-90"],
        ),
        (
            traffic.every(TCP) - traffic.of(TCP, 53, 53) | traffic.every(UDP) - traffic.of(UDP, 53, 53),
            ["meta l4proto { tcp, udp } th dport != 53"],
            ["tcp dport != 53", "udp dport != 53"],
        ),
        (traffic.of(TCP, 1024, 65535), ["tcp dport 1024-65535"], ["tcp dport 1024-65535"]),
        (
            traffic.of(TCP, 53, 53) | traffic.of(UDP, 53, 53),
            ["meta l4proto { tcp, udp } th dport 53"],
            ["tcp dport 53", "udp dport 53"],
        ),
        (
            traffic.every(TCP) | traffic.every(UDP) | traffic.of(SCTP, 1, 1),
            ["meta l4proto { tcp, udp }", "sctp dport 1"],
            ["meta l4proto tcp", "meta l4proto udp", "sctp dport 1"],
        ),
        (
            traffic.ANY - traffic.every(TCP),
            ["meta l4proto != tcp"],
            ["meta l4proto != tcp"],
        ),
        (
            traffic.ANY - traffic.every(TCP) - traffic.every(UDP),
            ["meta l4proto != { tcp, udp }"],
            ["meta l4proto != tcp meta l4proto != udp"],
        ),
        (traffic.of(ICMP, 0x0800, 0x08FF), ["icmp type 8"], ["icmp type 8"]),
        (traffic.of(ICMP, 0x0301, 0x0301), ["icmp type 3 icmp code 1"], ["icmp type 3 icmp code 1"]),
        (
            traffic.of(ICMP, 0, 0xFF) | traffic.of(ICMP, 0x0800, 0x0AFF),
            ["icmp type { 0, 8-10 }"],
            ["icmp type 0", "icmp type 8-10"],
        ),
        (
            traffic.of(ICMP, 0x0304, 0x0605),
            ["icmp type 3 icmp code 4-255", "icmp type 4-5", "icmp type 6 icmp code 0-5"],
            ["icmp type 3 icmp code 4-255", "icmp type 4-5", "icmp type 6 icmp code 0-5"],
        ),
        (
            traffic.every(ICMP) - traffic.of(ICMP, 0x0301, 0x0301) - traffic.of(ICMP, 0x0501, 0x0501),
            ["icmp type { 0-2, 4, 6-255 }", "icmp type { 3, 5 } icmp code { 0, 2-255 }"],
            [
                *("icmp type 0-2", "icmp type 4", "icmp type 6-255"),
                *("icmp type 3 icmp code 0", "icmp type 3 icmp code 2-255"),
                *("icmp type 5 icmp code 0", "icmp type 5 icmp code 2-255"),
            ],
        ),
        (
            traffic.of(ICMP, 0x0800, 0x08FF) | traffic.of(ICMPV6, 0x8000, 0x80FF) | traffic.every(ICMPV6),
            ["meta l4proto ipv6-icmp", "icmp type 8"],
            ["meta l4proto ipv6-icmp", "icmp type 8"],
        ),
        (traffic.of(ICMPV6, 0x8000, 0x80FF), [], []),
    ],
)
def test_traffic_texts(wanted: Intervals, with_lists: list[str], without_lists: list[str]) -> None:
    for lists, expected in ((True, with_lists), (False, without_lists)):
        found = traffic_matches(wanted, Family.V4, lists=lists)
        assert [" ".join(map(str, one)) for one in found] == expected


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize(
    "taken",
    [
        Intervals.union(traffic.every(protocol) for protocol in range(0, 250, 3)),
        Intervals.union(traffic.of(TCP, port, port) for port in range(0, 300, 3)),
    ],
    ids=["protocols", "ports"],
)
def test_no_rule_is_longer_than_the_kernel_takes(taken: Intervals, lists: bool) -> None:
    """Of the 128 expressions of a rule a comparison takes two or three."""
    alternatives = traffic_matches(traffic.ANY - taken, Family.V4, lists=lists)
    assert max(map(len, alternatives)) <= 16


def test_types_of_icmpv6() -> None:
    wanted = traffic.of(ICMPV6, 0x8000, 0x80FF) | traffic.of(ICMP, 0x0800, 0x08FF)
    assert traffic_matches(wanted, Family.V6, lists=True) == [(Match("icmpv6 type", ("128",)),)]


# --- addresses ----------------------------------------------------------------------------------------------


@st.composite
def blocks(draw: st.DrawFn, family: Family) -> Intervals:
    """Blocks with holes of any size in them, some beside each other, and some stray ranges."""
    base = family.every.ranges[0][0]
    made = Intervals()
    for _ in range(draw(st.integers(0, 4))):
        bits = draw(st.integers(0, 8) | st.just(family.bits))
        size = 1 << bits
        first = (
            base + draw(st.integers(0, (1 << family.bits - bits) - 1 if bits == family.bits else 8)) * size
        )
        block = Intervals.of((first, first + size - 1))
        for _ in range(draw(st.integers(0, 3))):
            hole_size = 1 << draw(st.integers(0, min(bits, 10)))
            place = (
                first
                + draw(st.integers(0, min(size // hole_size, 40) - 1 if size > hole_size else 0)) * hole_size
            )
            extra = draw(st.integers(0, 2))  # a hole that is no block
            block -= Intervals.of((place, place + hole_size - 1 + extra))
        made |= block
    return made & family.every


def meant(alternatives: Iterable[tuple[Match, ...]], family: Family) -> Intervals:
    """The addresses that comparisons match, by what their texts say."""
    base = family.every.ranges[0][0]
    union = Intervals()
    for alternative in alternatives:
        addresses = family.every
        for match in alternative:
            (text,) = match.values
            ((low, high),) = pieces(match.field, text)
            piece = Intervals.of((base + low, base + high))
            addresses = addresses - piece if match.negated else addresses & piece
        union |= addresses
    return union


@pytest.mark.parametrize("family", list(Family))
@given(data=st.data())
def test_blocks_are_matched_exactly(family: Family, data: st.DataObject) -> None:
    wanted = data.draw(blocks(family))
    field = address_field(family, Direction.INGRESS, peer=True)
    alternatives = block_matches(wanted, field)
    assert {match.field for one in alternatives for match in one} <= {field}
    assert meant(alternatives, family) == wanted
    assert len(alternatives) <= len(wanted.ranges)


def cidrs(*texts: str) -> Intervals:
    return Intervals.of(*(parse_cidr(text).block.range for text in texts))


@pytest.mark.parametrize(
    ("wanted", "texts"),
    [
        pytest.param(Intervals(), [], id="nothing"),
        pytest.param(cidrs("0.0.0.0/0"), [""], id="everything"),
        pytest.param(cidrs("10.0.0.0/8"), ["ip saddr 10.0.0.0/8"], id="a block"),
        pytest.param(cidrs("10.0.0.1/32"), ["ip saddr 10.0.0.1"], id="an address"),
        pytest.param(cidrs("10.0.0.1/32", "10.0.0.2/32"), ["ip saddr 10.0.0.1-10.0.0.2"], id="a range"),
        pytest.param(
            cidrs("10.0.0.0/8") - cidrs("10.1.0.0/16"),
            ["ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16"],
            id="a block but for a hole",
        ),
        pytest.param(
            cidrs("0.0.0.0/0") - cidrs("10.0.0.0/8", "192.168.0.0/16"),
            ["ip saddr != 10.0.0.0/8 ip saddr != 192.168.0.0/16"],
            id="everything but two holes",
        ),
        pytest.param(
            cidrs("10.0.0.0/24") - cidrs("10.0.0.0/25"), ["ip saddr 10.0.0.128/25"], id="a hole at the edge"
        ),
        pytest.param(
            cidrs("10.0.0.0/32", "10.0.0.255/32"),
            ["ip saddr 10.0.0.0", "ip saddr 10.0.0.255"],
            id="a hole that is most of the block",
        ),
        pytest.param(
            cidrs("10.0.0.0/8", "172.16.0.0/12"),
            ["ip saddr 10.0.0.0/8", "ip saddr 172.16.0.0/12"],
            id="two blocks",
        ),
        pytest.param(
            cidrs("10.0.0.0/8", "172.16.0.0/12") - cidrs("10.9.0.0/16"),
            ["ip saddr 10.0.0.0/8 ip saddr != 10.9.0.0/16", "ip saddr 172.16.0.0/12"],
            id="a hole in one of two",
        ),
    ],
)
def test_block_texts(wanted: Intervals, texts: list[str]) -> None:
    assert [" ".join(map(str, one)) for one in block_matches(wanted, "ip saddr")] == texts


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("10.0.0.0", "10.0.0.255", "10.0.0.0/24"),
        ("10.0.0.1", "10.0.0.255", "10.0.0.1-10.0.0.255"),
        ("0.0.0.0", "255.255.255.255", "0.0.0.0/0"),
        ("fd00::", "fd00::ffff", "fd00::/112"),
        ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"),
    ],
)
def test_address_range_texts(first: str, last: str, text: str) -> None:
    piece = (
        parse_cidr(first + ("/128" if ":" in first else "/32")),
        parse_cidr(last + ("/128" if ":" in last else "/32")),
    )
    assert address_range_text((piece[0].block.first, piece[1].block.first)) == text


@pytest.mark.parametrize(
    ("family", "direction", "subject", "peer"),
    [
        (Family.V4, Direction.INGRESS, "ip daddr", "ip saddr"),
        (Family.V4, Direction.EGRESS, "ip saddr", "ip daddr"),
        (Family.V6, Direction.INGRESS, "ip6 daddr", "ip6 saddr"),
        (Family.V6, Direction.EGRESS, "ip6 saddr", "ip6 daddr"),
    ],
)
def test_address_fields(family: Family, direction: Direction, subject: str, peer: str) -> None:
    assert address_field(family, direction, peer=False) == subject
    assert address_field(family, direction, peer=True) == peer
