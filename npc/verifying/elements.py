"""Which line of a ruleset is about a packet: an element of the set that a rule asks, or one flow of several.

Readers give a rule the line that it is written in, or where it stands for several flows that of the first.
For people the line with the packet's own address tells more. It is looked for in the text; where it is not
plainly there nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import parse_address, parse_cidr
from npc.compiler.verify.program import Line
from npc.compiler.verify.trace import Packet
from npc.verifying.pages import Pages

_IN_SET = re.compile(r"(?P<fields>\w+ \w+(?: \. \w+ \w+)*) (?:vmap )?@(?P<name>[\w.-]+)")
"""As nft writes a look-up: the fields, and the set."""
_MATCH_SET = re.compile(r"(?<!! )--match-set (?P<name>\S+) (?P<sides>[a-z,]+)")
_PROTOCOLS = {name: number for number, name in traffic.NAMES.items()}
_ADDRESS = re.compile(r"(?P<field>nw_src|nw_dst|ipv6_src|ipv6_dst)=(?P<value>[^, ]+)")
_CHANGING = re.compile(r"(?:cookie|duration|n_packets|n_bytes|idle_age|hard_age)=[^, ]+,? ?")
"""Of a flow: what it does not ask for."""


def element(pages: Pages, line: Line, packet: Packet) -> Line | None:
    """The line of the element by which the set that a rule asks has a packet; None: nobody can tell."""
    if not pages.has_lines(line):
        return None
    text = pages.line(line)
    found = _IN_SET.search(text)
    if found is not None:
        sides = [field.rpartition(" ")[2] for field in found["fields"].split(" . ")]
        return _first(_of_nft(pages, line.file, found["name"]), sides, packet)
    found = _MATCH_SET.search(text)
    if found is not None:
        return _first(_of_ipset(pages, found["name"]), found["sides"].split(","), packet)
    return None


def own_flow(pages: Pages, line: Line, packet: Packet) -> Line:
    """The flow that asks for a packet's addresses, and else for what the one in a line does; or that line.

    There is one at most in a table: Open vSwitch has no two flows of one priority that ask for the same.
    """
    text = pages.line(line) if pages.has_lines(line) else ""
    if _ADDRESS.search(text) is None or _has_addresses(text, packet):
        return line
    wanted = _but_for_addresses(text)
    for number, other in enumerate(pages.lines(line.file), 1):
        if _has_addresses(other, packet) and _but_for_addresses(other) == wanted:
            return Line(line.file, number)
    return line


def _but_for_addresses(flow: str) -> str:
    """What a flow asks for beside addresses."""
    return _ADDRESS.sub(r"\g<field>", _CHANGING.sub("", flow.partition("actions=")[0])).strip(" ,")


def _has_addresses(flow: str, packet: Packet) -> bool:
    """Whether the addresses that a flow asks for are a packet's; it asks for some."""
    asked = list(_ADDRESS.finditer(flow))
    return bool(asked) and all(
        _is_in(packet.source if one["field"].endswith("src") else packet.destination, one["value"])
        for one in asked
    )


def _first(
    elements: Iterator[tuple[Line, Sequence[str]]], sides: Sequence[str], packet: Packet
) -> Line | None:
    for line, parts in elements:
        if 0 < len(parts) <= len(sides) and all(map(_fits(packet), parts, sides)):
            return line
    return None


def _fits(packet: Packet) -> Callable[[str, str], bool]:
    """Whether a part of an element has what a packet has at a side or in a field."""
    protocol, port = packet.traffic >> 16, packet.traffic & traffic.LAST_PORT

    def fits(part: str, side: str) -> bool:
        name, colon, number = part.partition(":")
        if name in _PROTOCOLS:
            return _PROTOCOLS[name] == protocol and (not colon or _is_port(number, port))
        if side in ("saddr", "src") and not part.isdecimal():
            return _is_in(packet.source, part)
        if side in ("daddr", "dst") and not part.isdecimal():
            return _is_in(packet.destination, part)
        return _is_port(part, port)

    return fits


def _is_port(text: str, port: int) -> bool:
    low, _, high = text.partition("-")
    return low.isdecimal() and (not high or high.isdecimal()) and int(low) <= port <= int(high or low)


def _is_in(address: int, text: str) -> bool:
    """Whether an address is the one, in the block or in the range that a text says."""
    low, dash, high = text.partition("-")
    try:
        if dash:
            return parse_address(low) <= address <= parse_address(high)
        first, last = parse_cidr(text).block.range if "/" in text else (parse_address(text),) * 2
    except ValueError:
        return False
    return first <= address <= last


def _of_nft(pages: Pages, file: str, name: str) -> Iterator[tuple[Line, Sequence[str]]]:
    """The elements of a set or map in nft's language, each by its parts."""
    head = re.compile(rf"\s*(?:set|map) {re.escape(name)} \{{")
    depth = 0
    for number, text in enumerate(pages.lines(file), 1):
        if depth == 0:
            depth = 1 if head.match(text) else 0
            continue
        code = text.partition("#")[0]
        if depth > 1 or "elements" in code:
            body = code.partition("elements = {")[2] or code if "elements" in code else code
            for piece in body.replace("}", ",").split(","):
                key = re.split(r" : | comment ", piece)[0].strip()
                if key:
                    yield Line(file, number), key.split(" . ")
        depth += code.count("{") - code.count("}")
        if depth == 0:
            return


def _of_ipset(pages: Pages, name: str) -> Iterator[tuple[Line, Sequence[str]]]:
    """The elements of a set that `ipset restore` reads or `ipset list` shows; those of npc's files stand
    under a name that is then swapped.
    """
    heads = (f"add {name} ", f"add {name}-n ")
    for file in pages.texts:
        is_listed = False
        for number, text in enumerate(pages.lines(file), 1):
            if text.startswith(heads):
                yield Line(file, number), text.split(" ")[2].split(",")
            elif text.startswith("Name: "):
                is_listed = text == f"Name: {name}"
            elif is_listed and text[:1].isalnum() and ": " not in text and not text.endswith(":"):
                yield Line(file, number), text.split(" ")[0].split(",")
