"""What traffic a question is about: protocols with or without ports, as the policy language has them, and the
other IP protocols by name or number, of which policies allow or deny all or nothing.

>>> read_traffic("tcp/443", "TRAFFIC", lambda: None)
(Ports(protocol=6, first=443, last=443),)
>>> [one.protocol for one in read_traffic("gre, protocol 89", "TRAFFIC", lambda: None)]
[47, 89]
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from npc.compiler.algebra import traffic
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.syntax import Port, Ports

if TYPE_CHECKING:
    from npc.compiler.ask.phrases import Phrases

OTHERS: Final = {
    "igmp": 2,
    "ipip": 4,
    "dccp": 33,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ospf": 89,
    "pim": 103,
    "vrrp": 112,
    "udplite": 136,
}
"""IP protocols that the policy language has no word for (IANA)."""

_ONE_PORT = re.compile(r"(tcp|udp|sctp)/([0-9]{1,5})")
_IN_A_ROW = re.compile(r"[^\s,]\s+[^\s,]")
"""Two words with nothing but a space between them."""
_BY_NUMBER = r"(?i:protocol)\s*([0-9]{1,9})"


def read_traffic(text: str, about: str, phrases: Callable[[], Phrases]) -> tuple[Port, ...]:
    """The protocols and ports of a text; InputError with what is wrong with it.

    `phrases` makes the reader of the policy language: it takes longer to load than most questions take.
    """
    if (found := _ONE_PORT.fullmatch(text)) is not None and 1 <= int(found[2]) <= traffic.LAST_PORT:
        return (Ports(traffic.NUMBERS[found[1].upper()], int(found[2]), int(found[2])),)
    if not any(_is_other(part.strip()) for part in text.split(",")):
        return _services(text, about, phrases)
    read: list[Port] = []
    for part in map(str.strip, text.split(",")):
        if _is_other(part):
            read.append(_other(part, about))
        else:
            read += _services(part, about, phrases)
    return tuple(read)


def _services(text: str, about: str, phrases: Callable[[], Phrases]) -> tuple[Port, ...]:
    try:
        return phrases().services(text, about)
    except InputError as error:
        if _IN_A_ROW.search(text) is None:
            raise
        help = f"separate several by commas: {', '.join(text.replace(',', ' ').split())}"
        raise InputError([replace(one, help=one.help or help) for one in error.diagnostics]) from None


def _is_other(part: str) -> bool:
    return part.partition("/")[0].lower() in OTHERS or re.fullmatch(_BY_NUMBER, part) is not None


def _other(part: str, about: str) -> Ports:
    """A protocol by its number, or by a name that the language does not know."""
    if (found := re.fullmatch(_BY_NUMBER, part)) is not None:
        number = int(found[1])
        if number > traffic.LAST_PROTOCOL:
            raise _fault(part, about, f"{number} is no IP protocol", f"0 to {traffic.LAST_PROTOCOL}")
        return Ports(number, 0, traffic.LAST_PORT)
    name, _, port = part.lower().partition("/")
    if port:
        message = f"policies know no ports of {name}: they allow all of it or nothing"
        raise _fault(part, about, message, f"write {name}")
    return Ports(OTHERS[name], 0, traffic.LAST_PORT)


def _fault(part: str, about: str, message: str, help: str) -> InputError:
    origin = Origin(Source(about, content=part.encode()), within=(0, len(part)))
    return InputError([Diagnostic(codes.QUESTION, message, origin, help=help)])
