"""The fields of packets whose comparison is understood, and which packets have some of their values.

A comparison of a header's field fails for packets that have no such header, whatever it asks for. So each
field has the packets for which it can be read, beside those that have its value.

ICMP's types are read in packets of its own family alone. nft leaves that question out of a rule that asks for
`meta l4proto icmp` before, and shows both alike; but nobody reads the types of one family's ICMP in packets
of the other. Ports (`th dport`) are read where a protocol has them: elsewhere these bytes are something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from npc.backends.nft.reader.words import FAMILIES
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, EVERY_V4, EVERY_V6
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.verify.program import Box, Line, Unsupported

_DCCP, _UDPLITE = 33, 136
WITH_PORTS = frozenset({traffic.TCP, traffic.UDP, traffic.SCTP, _DCCP, _UDPLITE})
"""Protocols with the destination port in the third and fourth byte (RFC 9293, 768, 9260, 4340, 3828)."""


class Axis(Enum):
    """What a field tells of a packet."""

    SOURCE = auto()
    DESTINATION = auto()
    FAMILY = auto()
    PROTOCOL = auto()
    PORT = auto()
    TYPE = auto()
    CODE = auto()
    STATE = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its type, by nft's name, what it tells, and the packets that have it."""

    kind: str
    axis: Axis
    within: Box = Box()
    any_protocol: bool = False
    """Of ports: nft asks for no protocol before it reads them."""


_V4, _V6 = Box(EVERY_V4, EVERY_V4), Box(EVERY_V6, EVERY_V6)


def _of(protocol: int, family: Intervals = EVERY_ADDRESS) -> Box:
    return Box(family, family, traffic.every(protocol))


FIELDS: Mapping[str, Field] = {
    "ip saddr": Field("ipv4_addr", Axis.SOURCE, _V4),
    "ip daddr": Field("ipv4_addr", Axis.DESTINATION, _V4),
    "ip6 saddr": Field("ipv6_addr", Axis.SOURCE, _V6),
    "ip6 daddr": Field("ipv6_addr", Axis.DESTINATION, _V6),
    "ip protocol": Field("inet_proto", Axis.PROTOCOL, _V4),
    "meta l4proto": Field("inet_proto", Axis.PROTOCOL),
    "meta nfproto": Field("nf_proto", Axis.FAMILY),
    "tcp dport": Field("inet_service", Axis.PORT, _of(traffic.TCP)),
    "udp dport": Field("inet_service", Axis.PORT, _of(traffic.UDP)),
    "sctp dport": Field("inet_service", Axis.PORT, _of(traffic.SCTP)),
    "dccp dport": Field("inet_service", Axis.PORT, _of(_DCCP)),
    "udplite dport": Field("inet_service", Axis.PORT, _of(_UDPLITE)),
    "th dport": Field("inet_service", Axis.PORT, any_protocol=True),
    "icmp type": Field("icmp_type", Axis.TYPE, _of(traffic.ICMP, EVERY_V4)),
    "icmp code": Field("icmp_code", Axis.CODE, _of(traffic.ICMP, EVERY_V4)),
    "icmpv6 type": Field("icmpv6_type", Axis.TYPE, _of(traffic.ICMPV6, EVERY_V6)),
    "icmpv6 code": Field("icmpv6_code", Axis.CODE, _of(traffic.ICMPV6, EVERY_V6)),
    "ct state": Field("ct_state", Axis.STATE),
}
HELP: Mapping[str, str] = {
    "ip6 nexthdr": "`meta l4proto` is understood: it looks behind extension headers",
    "th dport": "`meta l4proto { tcp, udp } th dport` is understood: these protocols have ports",
}


def both(left: Box, right: Box) -> Box:
    """The packets of two boxes."""
    return Box(
        left.sources & right.sources, left.destinations & right.destinations, left.traffic & right.traffic
    )


def narrowed(box: Box, field: Field, spans: Sequence[Range], line: Line) -> Box:
    """The packets of a box that have the field, and there one of some values."""
    box = both(box, field.within)
    match field.axis:
        case Axis.SOURCE:
            return Box(_inside(Intervals.of(*spans), box.sources), box.destinations, box.traffic)
        case Axis.DESTINATION:
            return Box(box.sources, _inside(Intervals.of(*spans), box.destinations), box.traffic)
        case Axis.FAMILY:
            families = _families(spans)
            return both(box, Box(families, families))
        case _:
            return Box(box.sources, box.destinations, box.traffic & _traffic(box.traffic, field, spans, line))


def _inside(addresses: Intervals, limit: Intervals) -> Intervals:
    """The addresses of both; quick where the limit is a whole family, as it nearly always is."""
    if not addresses or len(limit.ranges) != 1:
        return addresses & limit
    (low, high), found = limit.ranges[0], addresses.ranges
    return addresses if low <= found[0][0] and found[-1][1] <= high else addresses & limit


def _families(spans: Sequence[Range]) -> Intervals:
    every = {"ipv4": EVERY_V4, "ipv6": EVERY_V6}
    return Intervals.union(
        every[name] for name, value in FAMILIES.items() if any(low <= value <= high for low, high in spans)
    )


def _traffic(before: Intervals, field: Field, spans: Sequence[Range], line: Line) -> Intervals:
    """The traffic that has some values, of what the packets can have."""
    match field.axis:
        case Axis.PROTOCOL:
            return Intervals.of(*((low << 16, high << 16 | traffic.LAST_PORT) for low, high in spans))
        case Axis.TYPE:
            return _in_each(before, ((low << 8, high << 8 | 0xFF) for low, high in spans))
        case Axis.CODE:
            codes = [(kind << 8 | low, kind << 8 | high) for kind in range(256) for low, high in spans]
            return _in_each(before, codes)
        case _:
            if field.any_protocol and not traffic.by_protocol(before).keys() <= WITH_PORTS:
                construct = "the match `th dport` of packets that may have no ports"
                raise Unsupported(construct, line, HELP["th dport"])
            return _in_each(before, spans)


def _in_each(before: Intervals, numbers: Iterable[Range]) -> Intervals:
    """Numbers within each protocol that the packets can have."""
    protocols = {one for low, high in before.ranges for one in range(low >> 16, (high >> 16) + 1)}
    ranges = list(numbers)
    return Intervals.of(*((one << 16 | low, one << 16 | high) for one in protocols for low, high in ranges))
