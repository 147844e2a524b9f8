"""Traffic as text and back: `any`, `tcp/80`, `tcp/443-500`, `icmp/8`, `icmp/3.1`, `protocol 47`.

As `traffic.describe` writes it for people, and exact: ICMP values are TYPE.CODE, a TYPE alone has all
its codes, and protocols without a name are numbers, of which `protocols 7-16` are several.

>>> traffic_text(read_traffic("tcp/443, tcp/80-90, icmp/8, protocols 7-16"))
'icmp/8, tcp/80-90, tcp/443, protocols 7-16'
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.frontend.diagnostics import did_you_mean

_PROTOCOLS = {name: number for number, name in traffic.NAMES.items()}
_WITH_TYPES = (traffic.ICMP, traffic.ICMPV6)
_WORD = re.compile(r"(?:(?P<name>[a-z][a-z0-9]*)|protocols? (?P<numbers>[0-9-]+))(?:/(?P<ports>[0-9.-]+))?")
_FAVOURITES = (traffic.TCP, traffic.UDP, traffic.SCTP)


def traffic_text(meant: Intervals) -> str:
    """The text of a set of traffic; "nothing" when it is empty."""
    if meant == traffic.ANY:
        return "any"
    return ", ".join(word for piece in meant.ranges for word in _words(piece)) or "nothing"


def read_traffic(text: str) -> Intervals:
    """The set that a text means; ValueError says what is wrong with it."""
    if text == "any":
        return traffic.ANY
    return Intervals.of(*(_piece(word.strip()) for word in text.split(",")))


def example(meant: Intervals) -> int:
    """The smallest kind of traffic of a set that is not empty, of TCP, UDP or SCTP where it can be."""
    for protocol in _FAVOURITES:
        known = meant & traffic.of(protocol, 1, traffic.LAST_PORT)
        if known:
            return known.ranges[0][0]
    return meant.ranges[0][0]


def _words(piece: Range) -> Iterator[str]:
    """One range of traffic: its whole protocols together, but for a part of one at either end."""
    low, high = piece
    first, last = low >> 16, high >> 16
    if low & traffic.LAST_PORT or (first == last and high & traffic.LAST_PORT != traffic.LAST_PORT):
        end = min(high, first << 16 | traffic.LAST_PORT)
        yield f"{_protocols(first, first)}/{_ports(first, low & traffic.LAST_PORT, end & traffic.LAST_PORT)}"
        first += 1
    whole_to = last if high & traffic.LAST_PORT == traffic.LAST_PORT else last - 1
    if first <= whole_to:
        yield _protocols(first, whole_to)
    if whole_to < last and first <= last:
        yield f"{_protocols(last, last)}/{_ports(last, 0, high & traffic.LAST_PORT)}"


def _protocols(first: int, last: int) -> str:
    if first != last:
        return f"protocols {first}-{last}"
    return traffic.NAMES.get(first, f"protocol {first}")


def _ports(protocol: int, first: int, last: int) -> str:
    if protocol not in _WITH_TYPES:
        return str(first) if first == last else f"{first}-{last}"
    if first & 0xFF == 0 and last & 0xFF == 0xFF:
        return str(first >> 8) if first >> 8 == last >> 8 else f"{first >> 8}-{last >> 8}"
    texts = [f"{value >> 8}.{value & 0xFF}" for value in (first, last)]
    return texts[0] if first == last else "-".join(texts)


def _piece(word: str) -> Range:
    match = _WORD.fullmatch(word)
    if match is None:
        raise ValueError(f"{word!r} is no traffic: write tcp/80, udp, icmp/8 or any")
    name, numbers, ports = match["name"], match["numbers"], match["ports"]
    if name is None:
        first, last = _range(numbers, traffic.LAST_PROTOCOL, "protocol")
    elif name in _PROTOCOLS:
        first = last = _PROTOCOLS[name]
    else:
        raise ValueError(f"{name!r} is no protocol: {did_you_mean(name, ['any', *_PROTOCOLS])}")
    if ports is None:
        return first << 16, last << 16 | traffic.LAST_PORT
    if first != last:
        raise ValueError(f"{word!r}: several protocols have no ports in common")
    low, high = _types(ports) if first in _WITH_TYPES else _range(ports, traffic.LAST_PORT, "port")
    return first << 16 | low, first << 16 | high


def _range(text: str, most: int, what: str) -> Range:
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not low <= high <= most:
        raise ValueError(f"{text!r} is no {what}, and no range of them: 0 to {most}")
    return low, high


def _types(text: str) -> Range:
    """`8`, `8-10`, `3.1`, `3.1-3.4`: ICMP types, or types with their codes."""
    match = re.fullmatch(r"(\d{1,3})(?:\.(\d{1,3}))?(?:-(\d{1,3})(?:\.(\d{1,3}))?)?", text)
    if match:
        first, last = int(match[1]), int(match[3] or match[1])
        first_code = int(match[2] or 0)
        last_code = int(match[4] or 255) if match[3] else int(match[2] or 255)
        low, high = first << 8 | first_code, last << 8 | last_code
        if max(first, last, first_code, last_code) <= 255 and low <= high:
            return low, high
    raise ValueError(f"{text!r} is no ICMP type: write 8, or 3.1 for type 3 with code 1")
