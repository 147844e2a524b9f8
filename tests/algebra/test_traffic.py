"""Traffic as ranges of one number line, and back as protocols and ports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.algebra.traffic import ANY, ICMP, ICMPV6, SCTP, TCP, UDP, by_protocol, describe, every, of

ENDS = st.one_of(
    st.integers(0, 255 << 16 | 0xFFFF),
    st.tuples(st.integers(0, 4), st.sampled_from((0, 1, 80, 65534, 65535))).map(
        lambda pair: pair[0] << 16 | pair[1]
    ),
)
"""Mostly near the borders between protocols."""
TRAFFIC = st.lists(st.tuples(ENDS, ENDS).map(lambda ends: (min(ends), max(ends))), max_size=4).map(
    lambda ranges: Intervals.of(*ranges)
)


@pytest.mark.parametrize("protocol", [0, ICMP, TCP, UDP, ICMPV6, SCTP, 255])
@pytest.mark.parametrize("ports", [(1, 1), (80, 80), (443, 500), (0, 65535), (65535, 65535)])
def test_of(protocol: int, ports: Range) -> None:
    made = of(protocol, *ports)
    inside = [protocol << 16 | ports[0], protocol << 16 | ports[1]]
    outside = [inside[0] - 1, inside[1] + 1]
    assert [number in made for number in inside + outside] == [True, True, False, False]
    assert by_protocol(made) == {protocol: (ports,)}


def test_all_protocols_together_are_any() -> None:
    assert Intervals.union(map(every, range(256))) == ANY
    assert Intervals.union(map(every, range(255))) != ANY


@given(TRAFFIC)
def test_by_protocol_says_the_same(wanted: Intervals) -> None:
    found = by_protocol(wanted)
    assert list(found) == sorted(found)
    assert Intervals.union(
        of(protocol, *ports) for protocol, all_ports in found.items() for ports in all_ports
    ) == (wanted)
    for ranges in found.values():
        assert ranges == Intervals.of(*ranges).ranges, "each protocol's ports are canonical"


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (ANY, "any"),
        (Intervals(), ""),
        (every(TCP), "tcp"),
        (of(TCP, 80, 80), "tcp/80"),
        (of(UDP, 5000, 5010), "udp/5000-5010"),
        (of(TCP, 443, 500) | every(UDP) | of(TCP, 80, 80), "tcp/80, tcp/443-500, udp"),
        (of(SCTP, 1, 65535), "sctp/1-65535"),
        (every(ICMP) | every(ICMPV6), "icmp, icmpv6"),
        (every(47), "protocol 47"),
        (of(TCP, 65535, 65535) | of(7, 0, 0), "tcp/65535, protocol 7/0"),
    ],
)
def test_describe(wanted: Intervals, text: str) -> None:
    assert describe(wanted) == text


@pytest.mark.parametrize(("name", "number"), [("TCP", 6), ("UDP", 17), ("SCTP", 132)])
def test_protocol_numbers_are_those_of_iana(name: str, number: int) -> None:
    assert traffic.NUMBERS[name] == number
    assert traffic.NAMES[number] == name.lower()
