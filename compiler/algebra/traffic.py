"""What a packet carries, on one number line: protocol << 16 | port (ICMP: type << 8 | code).

So "everything", "all of TCP" and "TCP 80 and 443-500" are all `Intervals`. A protocol without
ports occupies its whole block of 65,536 numbers.

>>> describe(of(TCP, 80, 80) | of(TCP, 443, 500) | every(UDP))
'tcp/80, tcp/443-500, udp'
"""

from __future__ import annotations

from npc.compiler.algebra.intervals import Intervals, Range

ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
"""IP protocol numbers (IANA)."""

LAST_PROTOCOL, LAST_PORT = 255, 0xFFFF
ANY = Intervals.of((0, LAST_PROTOCOL << 16 | LAST_PORT))
"""Every protocol and port."""

NAMES = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "icmpv6", SCTP: "sctp"}
NUMBERS = {"TCP": TCP, "UDP": UDP, "SCTP": SCTP}
"""The protocols that a NetworkPolicy port may name (P9)."""


def of(protocol: int, first: int, last: int) -> Intervals:
    """The ports `first` to `last` of one protocol."""
    return Intervals(((protocol << 16 | first, protocol << 16 | last),))


def every(protocol: int) -> Intervals:
    """All traffic of one protocol."""
    return of(protocol, 0, LAST_PORT)


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
    """A short text for people, in the policy language's notation."""
    if traffic == ANY:
        return "any"
    words = []
    for protocol, ranges in by_protocol(traffic).items():
        name = NAMES.get(protocol, f"protocol {protocol}")
        for first, last in ranges:
            if (first, last) == (0, LAST_PORT):
                words.append(name)
            else:
                words.append(f"{name}/{first}" + (f"-{last}" if last != first else ""))
    return ", ".join(words)
