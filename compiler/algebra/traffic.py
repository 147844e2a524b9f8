"""What a packet carries, on one number line: protocol << 16 | port (ICMP: type << 8 | code).

So "everything", "all of TCP" and "TCP 80 and 443-500" are all `Intervals`. A protocol without
ports occupies its whole block of 65,536 numbers.

>>> describe(of(TCP, 80, 80) | of(TCP, 443, 500) | every(UDP))
'tcp/80, tcp/443-500, udp'
"""

from __future__ import annotations

from collections.abc import Iterator

from npc.compiler.algebra.intervals import Intervals, Range

ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
"""IP protocol numbers (IANA)."""

LAST_PROTOCOL, LAST_PORT = 255, 0xFFFF
ANY = Intervals.of((0, LAST_PROTOCOL << 16 | LAST_PORT))
"""Every protocol and port."""

NEIGHBOUR_DISCOVERY = Intervals.of((ICMPV6 << 16 | 133 << 8, ICMPV6 << 16 | 137 << 8 | 0xFF))
"""Router and neighbour solicitation and advertisement, redirect (RFC 4861, section 4)."""

NAMES = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "icmpv6", SCTP: "sctp"}
WITH_TYPES = (ICMP, ICMPV6)
"""The protocols whose numbers are types and codes."""
NUMBERS = {"TCP": TCP, "UDP": UDP, "SCTP": SCTP}
"""The protocols that a NetworkPolicy port may name (P9)."""

_WELL_KNOWN = ((TCP, 443), (TCP, 80), (UDP, 53), (UDP, 443), (ICMP, 8 << 8), (ICMPV6, 128 << 8))
"""Traffic that people know by its number: HTTPS, HTTP, DNS, QUIC, echo requests."""
_FAVOURITES = (TCP, UDP, SCTP, ICMP, ICMPV6)
"""Protocols that tell people most, first."""


def of(protocol: int, first: int, last: int) -> Intervals:
    """The ports `first` to `last` of one protocol."""
    return Intervals(((protocol << 16 | first, protocol << 16 | last),))


def every(protocol: int) -> Intervals:
    """All traffic of one protocol."""
    return of(protocol, 0, LAST_PORT)


def example(meant: Intervals) -> int:
    """The kind of traffic that tells people most about a set, which is not empty.

    Of TCP where there is some, else of UDP, SCTP or ICMP: a port that everybody knows, or the first but 0.

    >>> describe(Intervals.of((one := example(ANY - of(TCP, 443, 443)), one)))
    'tcp/80'
    """
    for protocol in _FAVOURITES:
        for known, port in _WELL_KNOWN:
            if known == protocol and protocol << 16 | port in meant:
                return protocol << 16 | port
        low = protocol << 16 | (protocol in (TCP, UDP, SCTP))
        if found := meant & Intervals(((low, protocol << 16 | LAST_PORT),)):
            return found.ranges[0][0]
    return meant.ranges[0][0]


def rank(kind: int) -> int:
    """How early `example` takes traffic of its protocol; 0 is first.

    >>> rank(TCP << 16 | 80) < rank(UDP << 16 | 53) < rank(0)
    True
    """
    protocol = kind >> 16
    is_port = protocol not in (TCP, UDP, SCTP) or kind & LAST_PORT
    return _FAVOURITES.index(protocol) if protocol in _FAVOURITES and is_port else len(_FAVOURITES)


def by_protocol(traffic: Intervals) -> dict[int, tuple[Range, ...]]:
    """The port ranges of each protocol in `traffic`, in order of protocol numbers."""
    ports: dict[int, list[Range]] = {}
    for low, high in traffic.ranges:
        for protocol in range(low >> 16, (high >> 16) + 1):
            first = max(low, protocol << 16) & LAST_PORT
            last = min(high, protocol << 16 | LAST_PORT) & LAST_PORT
            ports.setdefault(protocol, []).append((first, last))
    return {protocol: tuple(ranges) for protocol, ranges in ports.items()}


def comparisons(traffic: Intervals) -> tuple[Intervals, ...]:
    """The parts of some traffic that one comparison each can tell from all other traffic.

    The ports of each protocol of which not all are meant, and all whole protocols together.

    >>> wanted = of(TCP, 80, 80) | of(TCP, 443, 443) | every(UDP) | every(SCTP)
    >>> [describe(part) for part in comparisons(wanted)]
    ['udp, sctp', 'tcp/80, tcp/443']
    """
    whole: list[Range] = []
    ports: dict[int, list[Range]] = {}
    for low, high in traffic.ranges:
        first, last = (low + LAST_PORT) >> 16, (high + 1 >> 16) - 1
        if first <= last:
            whole.append((first << 16, last << 16 | LAST_PORT))
        if low & LAST_PORT:
            ports.setdefault(low >> 16, []).append((low, min(high, low | LAST_PORT)))
        if high & LAST_PORT != LAST_PORT and (high >> 16 != low >> 16 or not low & LAST_PORT):
            ports.setdefault(high >> 16, []).append((high & ~LAST_PORT, high))
    return tuple(Intervals(tuple(ranges)) for ranges in (whole, *ports.values()) if ranges)


def in_words(traffic: Intervals) -> str:
    """As `describe`, but where nearly all protocols are meant what is left out.

    >>> in_words(ANY - of(TCP, 22, 22)), in_words(of(TCP, 1, 21))
    ('any but tcp/22', 'tcp/1-21')
    """
    is_open = len(traffic.ranges) > 1 and traffic.ranges[-1][1] == ANY.ranges[0][1]
    return f"any but {describe(ANY - traffic)}" if is_open else describe(traffic)


def describe(traffic: Intervals) -> str:
    """A short text in the policy language's notation, exact; "" of nothing.

    ICMP is told by type, or TYPE.CODE where not all codes are meant; protocols in a row are `protocols 7-16`.

    >>> describe(of(ICMP, 8 << 8, 8 << 8 | 255) | of(ICMP, 3 << 8 | 4, 3 << 8 | 4) | every(7) | every(8))
    'icmp/3.4, icmp/8, protocols 7-8'
    """
    if traffic == ANY:
        return "any"
    return ", ".join([word for piece in traffic.ranges for word in _words(piece)])


def _words(piece: Range) -> Iterator[str]:
    """One range of traffic: its whole protocols together, but for a part of one at either end."""
    low, high = piece
    first, last = low >> 16, high >> 16
    if low & LAST_PORT or (first == last and high & LAST_PORT != LAST_PORT):
        end = min(high, first << 16 | LAST_PORT)
        yield f"{_protocols(first, first)}/{_ports(first, low & LAST_PORT, end & LAST_PORT)}"
        first += 1
    whole_to = last if high & LAST_PORT == LAST_PORT else last - 1
    if first <= whole_to:
        yield _protocols(first, whole_to)
    if whole_to < last and first <= last:
        yield f"{_protocols(last, last)}/{_ports(last, 0, high & LAST_PORT)}"


def _protocols(first: int, last: int) -> str:
    if first != last:
        return f"protocols {first}-{last}"
    return NAMES.get(first, f"protocol {first}")


def _ports(protocol: int, first: int, last: int) -> str:
    if protocol not in WITH_TYPES:
        return str(first) if first == last else f"{first}-{last}"
    if first & 0xFF == 0 and last & 0xFF == 0xFF:
        return str(first >> 8) if first >> 8 == last >> 8 else f"{first >> 8}-{last >> 8}"
    texts = [f"{value >> 8}.{value & 0xFF}" for value in (first, last)]
    return texts[0] if first == last else "-".join(texts)
