"""Values as nft writes them, as ranges of numbers: of addresses, ports, protocols, ICMP types.

>>> span("inet_service", "80-90", Line("npc.nft", 1))
(80, 90)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from npc.backends.nft.reader import words as known
from npc.compiler.algebra.addresses import EVERY_V4, EVERY_V6, Family, parse_address
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.verify.program import Line, Malformed, Unsupported


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of values: all that there can be, and the names of some."""

    every: Intervals
    names: Mapping[str, int]


def _numbers(last: int, names: Mapping[str, int] | None = None) -> Kind:
    return Kind(Intervals(((0, last),)), names or {})


KINDS: Mapping[str, Kind] = {
    "ipv4_addr": Kind(EVERY_V4, {}),
    "ipv6_addr": Kind(EVERY_V6, {}),
    "inet_proto": _numbers(0xFF, known.PROTOCOLS),
    "inet_service": _numbers(0xFFFF),
    "icmp_type": _numbers(0xFF, known.ICMP_TYPES),
    "icmp_code": _numbers(0xFF, known.ICMP_CODES),
    "icmpv6_type": _numbers(0xFF, known.ICMPV6_TYPES),
    "icmpv6_code": _numbers(0xFF, known.ICMPV6_CODES),
    "nf_proto": _numbers(0xFF, known.FAMILIES),
    "ct_state": _numbers(len(known.CT_STATES) - 1, {name: i for i, name in enumerate(known.CT_STATES)}),
}
"""By the names of nft's types. Those of `ct_state` are counted, as it has one bit for each."""
_ADDRESSES = {"ipv4_addr": Family.V4, "ipv6_addr": Family.V6}
_HELP = "numbers and addresses are understood, and the names that nft itself has for some numbers"
_DECIMAL, _HEXADECIMAL = re.compile(r"0|[1-9][0-9]{0,4}"), re.compile(r"0x[0-9a-f]{1,8}")


def span(kind: str, text: str, line: Line) -> Range:
    """The values that a text stands for. Malformed for none that the type has, Unsupported for names."""
    if kind in _ADDRESSES:
        return _addresses(kind, text, line)
    one = _number(kind, text)
    if one is None:
        low, high = _pair(kind, text, line)
    else:
        low = high = one
    if low > high or high > KINDS[kind].every.ranges[0][1]:
        raise Malformed(f"the value `{text}`, which is no {kind}", line)
    return low, high


def _pair(kind: str, text: str, line: Line) -> Range:
    """`first-last`; names, too, have dashes."""
    dash = text.find("-")
    while dash >= 0:
        low, high = _number(kind, text[:dash]), _number(kind, text[dash + 1 :])
        if low is not None and high is not None:
            return low, high
        dash = text.find("-", dash + 1)
    raise Unsupported(f"the value `{text}` of the type {kind}", line, _HELP)


def _number(kind: str, text: str) -> int | None:
    number = None
    if _DECIMAL.fullmatch(text):
        number = int(text)
    elif _HEXADECIMAL.fullmatch(text):
        number = int(text, 16)
    if number is None:
        return KINDS[kind].names.get(text.lower())
    if kind == "ct_state":
        return next((i for i, bit in enumerate(known.CT_STATES.values()) if bit == number), None)
    return number


def _addresses(kind: str, text: str, line: Line) -> Range:
    family = _ADDRESSES[kind]
    try:
        if "/" in text:
            address, _, length = text.partition("/")
            if not (
                length.isascii() and length.isdecimal() and len(length) <= 3 and int(length) <= family.bits
            ):
                raise ValueError
            hosts = (1 << (family.bits - int(length))) - 1
            inside = parse_address(address)
            low, high = inside & ~hosts, inside | hosts
        elif "-" in text:
            first_text, _, last_text = text.partition("-")
            low, high = parse_address(first_text), parse_address(last_text)
        else:
            low = high = parse_address(text)
    except ValueError:
        raise Unsupported(f"the value `{text}` of the type {kind}", line, _HELP) from None
    first, last = KINDS[kind].every.ranges[0]
    if not first <= low <= high <= last:
        raise Malformed(f"the value `{text}`, which is no {kind}", line)
    return low, high
