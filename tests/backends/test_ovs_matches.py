"""Ports as masks, traffic as matches, blocks as longest prefixes: exact, and as few as can be."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.backends.ovs.matches import block_matches, in_two_levels, match_count, traffic_matches
from npc.backends.ovs.numbers import content_numbers
from npc.backends.ovs.prefixes import Entry, Piece, longest_prefixes
from npc.backends.ovs.ruleset import Flow
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_cidr, parse_cidr
from npc.compiler.algebra.intervals import Intervals
from tests.algebra.sets import INTERVALS, LAST
from tests.backends.ovs_interpreter import all_match, check_flow
from tests.compiler.compiling import on_line
from tests.reference.evaluator import Packet

PORTS = st.integers(0, 65535)
ENDS = {
    4: (ip_address("10.0.0.1"), ip_address("10.0.0.2")),
    6: (ip_address("fd00::1"), ip_address("fd00::2")),
}

# --- traffic ------------------------------------------------------------------------------------------------

TEXTS = [
    ("everything", traffic.ANY, Family.V4, ["ip"]),
    ("a protocol", traffic.every(traffic.TCP), Family.V6, ["tcp6"]),
    ("a protocol without a word", traffic.every(47), Family.V6, ["ipv6,nw_proto=47"]),
    ("the other family's ICMP", traffic.every(traffic.ICMP), Family.V6, ["ipv6,nw_proto=1"]),
    ("a port", traffic.of(traffic.SCTP, 7, 7), Family.V4, ["sctp,sctp_dst=7"]),
    (
        "ports",
        traffic.of(traffic.UDP, 54, 57),
        Family.V6,
        ["udp6,udp_dst=0x36/0xfffe", "udp6,udp_dst=0x38/0xfffe"],
    ),
    (
        "ports that differ in a bit",
        traffic.of(traffic.TCP, 10257, 10257) | traffic.of(traffic.TCP, 10259, 10259),
        Family.V4,
        ["tcp,tcp_dst=0x2811/0xfffd"],
    ),
    ("an ICMP type", traffic.of(traffic.ICMP, 0x0800, 0x08FF), Family.V4, ["icmp,icmp_type=8"]),
    ("a code", traffic.of(traffic.ICMPV6, 0x0104, 0x0104), Family.V6, ["icmp6,icmpv6_type=1,icmpv6_code=4"]),
    ("types that the family has not", traffic.of(traffic.ICMPV6, 0x0104, 0x0104), Family.V4, []),
]


@pytest.mark.parametrize(
    ("wanted", "family", "expected"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS]
)
def test_traffic(wanted: Intervals, family: Family, expected: list[str]) -> None:
    assert [",".join(map(str, one)) for one in traffic_matches(wanted, family)] == expected


WITH_PORTS = st.sampled_from((traffic.TCP, traffic.UDP, traffic.SCTP))
TYPES = st.builds(
    lambda protocol, a, b: traffic.of(protocol, min(a, b), max(a, b)),
    st.sampled_from((traffic.ICMP, traffic.ICMPV6)),
    PORTS,
    PORTS,
)
SOME = st.one_of(
    st.builds(lambda protocol, a, b: traffic.of(protocol, min(a, b), max(a, b)), WITH_PORTS, PORTS, PORTS),
    st.sampled_from((traffic.TCP, 47)).map(traffic.every),
    st.just(traffic.ANY),
)


@given(st.lists(SOME, min_size=1, max_size=3).map(Intervals.union), st.sampled_from(Family), st.data())
def test_one_alternative_matches_just_the_traffic(
    wanted: Intervals, family: Family, data: st.DataObject
) -> None:
    edges = sorted({near for ends in wanted.ranges for end in ends for near in (end - 1, end, end + 1)})
    number = data.draw(st.sampled_from([edge for edge in edges if 0 <= edge <= traffic.ANY.ranges[0][1]]))
    packet = Packet(*ENDS[family.value], number >> 16, number & 65535)
    alternatives = traffic_matches(wanted, family)
    for matches in alternatives:
        check_flow(Flow(1, matches, ("drop",)))
    assert sum(all_match(matches, packet) for matches in alternatives) == (number in wanted)


@given(st.lists(SOME | TYPES, max_size=3).map(Intervals.union), st.booleans(), st.sampled_from(Family))
def test_matches_are_counted_without_making_them(wanted: Intervals, is_but: bool, family: Family) -> None:
    asked = traffic.ANY - wanted if is_but else wanted
    assert match_count(asked, family) == len(traffic_matches(asked, family))


TWO_LEVELS = [
    ("all ports but the low ones", traffic.of(traffic.TCP, 1024, 65535), "tcp", "tcp/0-1023"),
    ("all but one port of any traffic", traffic.ANY - traffic.of(traffic.TCP, 80, 80), "any", "tcp/80"),
    (
        "all but one port of a protocol, and another protocol",
        traffic.every(traffic.UDP) | (traffic.every(traffic.TCP) - traffic.of(traffic.TCP, 80, 80)),
        "tcp, udp",
        "tcp/80",
    ),
    ("nearly a block", traffic.of(traffic.TCP, 28673, 32767), "tcp/28672-32767", "tcp/28672"),
    ("no exception saves anything", traffic.of(traffic.TCP, 80, 82), "tcp/80-82", ""),
    ("a block and types", traffic.of(traffic.ICMP, 0x0800, 0x08FF), "icmp/8", ""),
]


@pytest.mark.parametrize(
    ("wanted", "superset", "exceptions"),
    [case[1:] for case in TWO_LEVELS],
    ids=[case[0] for case in TWO_LEVELS],
)
def test_two_levels(wanted: Intervals, superset: str, exceptions: str) -> None:
    assert tuple(map(traffic.describe, in_two_levels(wanted, Family.V4))) == (superset, exceptions)


@given(st.lists(SOME | TYPES, max_size=3).map(Intervals.union), st.booleans(), st.sampled_from(Family))
def test_two_levels_are_exact_and_no_more_than_one(wanted: Intervals, is_but: bool, family: Family) -> None:
    asked = traffic.ANY - wanted if is_but else wanted
    superset, exceptions = in_two_levels(asked, family)
    assert (asked <= superset, superset - exceptions) == (True, asked)
    both = match_count(superset, family) + match_count(exceptions, family)
    assert both < match_count(asked, family) or not exceptions


# --- prefixes -----------------------------------------------------------------------------------------------


def blocks(text: str) -> Intervals:
    """`10.0.0.0/8 - 10.1.0.0/16`: the first block less the others."""
    first, *others = (Intervals.of(parse_cidr(one).block.range) for one in text.split(" - "))
    return first - Intervals.union(others)


def port(number: int) -> Intervals:
    return traffic.of(traffic.TCP, number, number)


def count(passes: Intervals) -> int:
    return len(traffic_matches(passes, Family.V4))


def written(entry: Entry) -> str:
    passes = traffic.describe(entry.passes)
    denied = f" not {traffic.describe(entry.denied)}" if entry.denied else ""
    return (
        f"{format_cidr(entry.block)}{' only' if entry.cuts else ''}{f' {passes}' if passes else ''}{denied}"
    )


PREFIXES = [
    ("nothing", [], []),
    ("a block", [("10.0.0.0/8", port(80))], ["10.0.0.0/8 tcp/80"]),
    ("an except", [("10.0.0.0/8 - 10.1.0.0/16", port(80))], ["10.0.0.0/8 tcp/80", "10.1.0.0/16 only"]),
    (
        "half of it is an except: no entry for it",
        [("10.0.0.0/8 - 10.128.0.0/9", port(80))],
        ["10.0.0.0/9 tcp/80"],
    ),
    (
        "the except has other traffic",
        [("10.0.0.0/8 - 10.1.0.0/16", port(80)), ("10.1.0.0/16", port(443))],
        ["10.0.0.0/8 tcp/80", "10.1.0.0/16 only tcp/443"],
    ),
    (
        "a block inside has more: only what is more is said",
        [("10.0.0.0/8 - 10.1.0.0/16", port(80)), ("10.1.0.0/16", port(80) | port(443))],
        ["10.0.0.0/8 tcp/80", "10.1.0.0/16 tcp/443"],
    ),
    (
        "a block in the except",
        [("10.0.0.0/8 - 10.1.0.0/16", port(80)), ("10.1.2.0/24", port(80))],
        ["10.0.0.0/8 tcp/80", "10.1.0.0/16 only", "10.1.2.0/24 tcp/80"],
    ),
    (
        "everything but one address",
        [("0.0.0.0/0 - 192.0.2.1/32", traffic.ANY)],
        ["0.0.0.0/0 any", "192.0.2.1/32 only"],
    ),
]


@pytest.mark.parametrize(
    ("pieces", "expected"), [case[1:] for case in PREFIXES], ids=[case[0] for case in PREFIXES]
)
def test_prefixes(pieces: list[tuple[str, Intervals]], expected: list[str]) -> None:
    found = longest_prefixes([(blocks(text), passes) for text, passes in pieces], Family.V4, count, 100_000)
    assert [written(entry) for entry in found] == expected


def at(entries: Sequence[Entry], address: int) -> Intervals:
    """What passes with an address, from the shortest prefix to the longest."""
    around = [entry for entry in entries if entry.block.range[0] <= address <= entry.block.range[1]]
    passes = Intervals()
    for entry in sorted(around, key=lambda entry: entry.block.prefix):
        passes = (entry.passes if entry.cuts else passes | entry.passes) - entry.denied
    return passes


@given(st.lists(INTERVALS, max_size=4), st.sampled_from((0, 100_000)))
def test_prefixes_are_exact(sets: list[Intervals], limit: int) -> None:
    pieces: list[Piece] = []
    taken = Intervals()
    for number, one in enumerate(sets):
        if one - taken:
            pieces.append((one - taken, port(number % 3) | port(number)))
        taken |= one
    entries = longest_prefixes(pieces, Family.V4, count, limit)
    assert len({entry.block for entry in entries}) == len(entries)
    for address in range(LAST + 10):
        expected = next((passes for addresses, passes in pieces if address in addresses), Intervals())
        assert at(entries, address) == expected


def test_all_of_a_family_needs_no_comparison() -> None:
    assert block_matches("nw_src", parse_cidr("0.0.0.0/0").block) == ()
    assert [str(one) for one in block_matches("ipv6_dst", parse_cidr("fd00::/8").block)] == [
        "ipv6_dst=fd00::/8"
    ]
    assert [str(one) for one in block_matches("nw_src", parse_cidr("10.0.0.1/32").block)] == [
        "nw_src=10.0.0.1"
    ]
    assert on_line(ip_address("10.0.0.1")) == parse_cidr("10.0.0.1/32").block.first


# --- numbers ------------------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=5), max_size=50))
def test_numbers_are_unlike_and_fit_a_register(keys: list[str]) -> None:
    numbers = content_numbers(keys)
    assert numbers.keys() == set(keys)
    assert len(set(numbers.values())) == len(numbers)
    assert all(0 < number < 2**32 for number in numbers.values())
    assert numbers == {key: content_numbers([key])[key] for key in keys}
