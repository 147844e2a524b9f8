"""Traffic as text and back: `any`, `tcp/80`, `tcp/443-500`, `icmp/8`, `icmp/3.1`, `protocol 47`.

As `traffic.describe` writes it: ICMP values are TYPE.CODE, a TYPE alone has all its codes, and protocols
without a name are numbers, of which `protocols 7-16` are several.

>>> traffic_text(read_traffic("tcp/443, tcp/80-90, icmp/8, protocols 7-16"))
'icmp/8, tcp/80-90, tcp/443, protocols 7-16'
"""

from __future__ import annotations

import re

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.frontend.diagnostics import did_you_mean

_PROTOCOLS = {name: number for number, name in traffic.NAMES.items()}
_WORD = re.compile(r"(?:(?P<name>[a-z][a-z0-9]*)|protocols? (?P<numbers>[0-9-]+))(?:/(?P<ports>[0-9.-]+))?")


def traffic_text(meant: Intervals) -> str:
    """The text of a set of traffic; "nothing" when it is empty."""
    return traffic.describe(meant) or "nothing"


def read_traffic(text: str) -> Intervals:
    """The set that a text means; ValueError says what is wrong with it."""
    if text == "any":
        return traffic.ANY
    return Intervals.of(*(_piece(word.strip()) for word in text.split(",")))


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
    low, high = _types(ports) if first in traffic.WITH_TYPES else _range(ports, traffic.LAST_PORT, "port")
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
