"""Traffic as text, both ways."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.testing.notation import read_traffic, traffic_text

TCP, UDP, ICMP, ICMPV6 = traffic.TCP, traffic.UDP, traffic.ICMP, traffic.ICMPV6

TEXTS = [
    # (text as it is written, what it means)
    ("any", traffic.ANY),
    ("tcp", traffic.every(TCP)),
    ("tcp/80", traffic.of(TCP, 80, 80)),
    ("tcp/80, tcp/443-500", traffic.of(TCP, 80, 80) | traffic.of(TCP, 443, 500)),
    ("tcp/0", traffic.of(TCP, 0, 0)),
    ("tcp/1-65535", traffic.of(TCP, 1, 65535)),
    ("icmp/8", traffic.of(ICMP, 8 << 8, 8 << 8 | 255)),
    ("icmp/8-10", traffic.of(ICMP, 8 << 8, 10 << 8 | 255)),
    ("icmp/3.1", traffic.of(ICMP, 3 << 8 | 1, 3 << 8 | 1)),
    ("icmpv6/3.1-4.2", traffic.of(ICMPV6, 3 << 8 | 1, 4 << 8 | 2)),
    ("protocol 47", traffic.every(47)),
    ("protocol 47/7", traffic.of(47, 7, 7)),
    ("protocols 7-16", Intervals.of((7 << 16, (17 << 16) - 1))),
    ("tcp/65535, protocols 7-16, udp/0-5", Intervals.of((TCP << 16 | 65535, UDP << 16 | 5))),
    ("protocols 0-255, tcp", traffic.ANY),
]


@pytest.mark.parametrize(("text", "meant"), TEXTS, ids=[case[0] for case in TEXTS])
def test_reading(text: str, meant: Intervals) -> None:
    assert read_traffic(text) == meant
    assert read_traffic(traffic_text(meant)) == meant


@pytest.mark.parametrize(("text", "meant"), TEXTS[:-1], ids=[case[0] for case in TEXTS[:-1]])
def test_writing(text: str, meant: Intervals) -> None:
    assert traffic_text(meant) == text


numbers = st.one_of(st.integers(0, 255 << 16 | 65535), st.integers(0, 255 * 2).map(lambda one: one << 15))


@given(st.lists(st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair))), min_size=1, max_size=4))
def test_there_and_back(ranges: list[tuple[int, int]]) -> None:
    meant = Intervals.of(*ranges)
    assert read_traffic(traffic_text(meant)) == meant
    assert traffic.example(meant) in meant


MALFORMED = [
    ("", "is no traffic"),
    ("tcp/", "is no traffic"),
    ("tcp 80", "is no traffic"),
    ("TCP/80", "is no traffic"),
    ("tpc/80", "did you mean 'tcp'?"),
    ("tcp/65536", "0 to 65535"),
    ("tcp/9-8", "no range"),
    ("tcp/8-", "no range"),
    ("tcp/8.1", "no range"),
    ("tcp/80,", "is no traffic"),
    ("icmp/256", "no ICMP type"),
    ("icmp/3.256", "no ICMP type"),
    ("icmp/4-3", "no ICMP type"),
    ("protocol 256", "0 to 255"),
    ("protocols 7-16/80", "no ports in common"),
    ("any, tcp", "'any' is no protocol"),
]


@pytest.mark.parametrize(("text", "message"), MALFORMED, ids=[case[0] for case in MALFORMED])
def test_malformed(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_traffic(text)


EXAMPLES = [
    ("any", "tcp/443"),
    ("tcp/1-21, tcp/444", "tcp/1"),
    ("udp/1-100, tcp/0", "udp/53"),
    ("udp/53, icmp", "udp/53"),
    ("tcp/0, sctp/9", "sctp/9"),
    ("protocols 2-5", "protocol 2/0"),
    ("icmpv6/8", "icmpv6/8.0"),
]


@pytest.mark.parametrize(("text", "shown"), EXAMPLES, ids=[case[0] for case in EXAMPLES])
def test_examples(text: str, shown: str) -> None:
    number = traffic.example(read_traffic(text))
    assert traffic_text(Intervals(((number, number),))) == shown
