"""Types of ICMP, as rules and elements of sets name them, on the line of traffic."""

from __future__ import annotations

from npc.backends.iptables.reader.vocabulary import TYPE_CODES, TYPES
from npc.backends.iptables.reader.words import number
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.program import Line, Unsupported

_LAST = 255
_ANY_TYPE = 255
"""Over IPv4, iptables takes this type, which is reserved, for every type, whatever the code."""


def icmp_types(text: str, family: Family, line: Line) -> Intervals:
    """What a rule's `8`, `3/1`, `echo-request` or `any` matches, of the family's own ICMP.

    >>> traffic.describe(icmp_types("3/1", Family.V4, Line("rules", 1)))
    'icmp/3.1'
    """
    protocol = traffic.ICMP if family is Family.V4 else traffic.ICMPV6
    if text in TYPE_CODES[family]:
        kind, code = TYPE_CODES[family][text]
        return traffic.of(protocol, kind << 8 | code, kind << 8 | code)
    if family is Family.V4 and text == "any":
        return traffic.every(protocol)
    name, slash, code_text = text.partition("/")
    if name in TYPES[family] and not slash:
        kind = TYPES[family][name]
    elif name[:1].isdecimal():
        kind = number(name, _LAST, "the ICMP type", line)
    else:
        raise Unsupported(f"the ICMP type `{text}`", line, "write its number")
    if family is Family.V4 and kind == _ANY_TYPE:
        return traffic.every(protocol)
    first, last = 0, _LAST
    if slash:
        first = last = number(code_text, _LAST, "the ICMP code", line)
    return traffic.of(protocol, kind << 8 | first, kind << 8 | last)


def icmp_element(text: str, family: Family, line: Line) -> Intervals:
    """What a set's `echo-request` or `8/0` means: one code of a type.

    >>> traffic.describe(icmp_element("echo-request", Family.V4, Line("sets", 1)))
    'icmp/8.0'
    """
    protocol = traffic.ICMP if family is Family.V4 else traffic.ICMPV6
    kind_text, slash, code_text = text.partition("/")
    if slash:
        kind = number(kind_text, _LAST, "the ICMP type", line)
        code = number(code_text, _LAST, "the ICMP code", line)
    elif text in TYPE_CODES[family]:
        kind, code = TYPE_CODES[family][text]
    elif text in TYPES[family]:
        kind, code = TYPES[family][text], 0
    else:
        raise Unsupported(f"the ICMP type `{text}`", line, "write it as TYPE/CODE")
    return traffic.of(protocol, kind << 8 | code, kind << 8 | code)
