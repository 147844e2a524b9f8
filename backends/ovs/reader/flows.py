"""Flows from text: npc's file, or what `ovs-ofctl dump-flows` prints with or without statistics and names.

Most flows of a node differ in an address alone. They are read token by token, and whatever else they say is
read once; flows of one table and priority that ask and do the same are one `Flow` with all their addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from npc.backends.ovs.reader.actions import LAST_TABLE, Actions, read_actions
from npc.backends.ovs.reader.masks import ranges
from npc.backends.ovs.reader.matches import Match, read_match
from npc.backends.ovs.reader.numbers import number
from npc.compiler.algebra.addresses import EVERY_ADDRESS, Family, parse_address
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.verify.program import Box, Line, Malformed, Unsupported

DEFAULT_PRIORITY, LAST_PRIORITY = 32_768, 0xFFFF

_STATISTICS = frozenset(
    {
        *("duration", "n_packets", "n_bytes", "idle_age", "hard_age", "importance"),
        *("send_flow_rem", "reset_counts", "no_packet_counts", "no_byte_counts", "check_overlap"),
    }
)
"""Words of a flow that change nothing for packets."""
_HEADERS = ("NXST_FLOW reply", "OFPST_FLOW reply")
_MORE = "flags=[more]"
"""What the head of a listing's part ends in, but for the last part's (OpenFlow 1.5, OFPMPF_REPLY_MORE)."""
_QUOTED = re.compile(r'[^\s,"]*"(?:[^"\\]|\\.)*"|[^\s,"]+')
_DUMP = "list ports and tables by their numbers: ovs-ofctl --no-names dump-flows"

Ranges = tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Flows of one table and priority that differ in their addresses alone, and the first one's line."""

    table: int
    priority: int
    match: Match
    boxes: tuple[Box, ...]
    """Those that they match: their addresses, with the match's traffic."""
    actions: Actions
    line: Line


@dataclass(slots=True)
class Listing:
    """All flows of npc's tables."""

    flows: list[Flow] = field(default_factory=list)
    elsewhere: int = 0
    """How many flows stand in other tables."""
    foreign: int = 0
    """How many in npc's tables have another cookie."""


@dataclass(slots=True)
class _Known:
    """What was read of words that stand in many flows, by the words."""

    tables: range
    cookie: int
    following: str
    _tables: dict[str, int] = field(default_factory=dict)
    _cookies: dict[str, bool] = field(default_factory=dict)
    _matches: dict[tuple[str, ...], Match] = field(default_factory=dict)
    _actions: dict[str, Actions] = field(default_factory=dict)
    addresses: dict[str, Ranges] = field(default_factory=dict)

    def table(self, text: str, cookie_text: str, line: Line) -> int | None:
        """The number of one of npc's tables; None for another."""
        if text not in self._tables:
            table = number(text)
            if table is None or table not in self.tables:
                _check_table(text, self.is_own(cookie_text), self.tables, line)
                return None
            self._tables[text] = table
        return self._tables[text]

    def is_own(self, cookie_text: str) -> bool:
        """Whether a cookie is npc's."""
        if cookie_text not in self._cookies:
            self._cookies[cookie_text] = number(cookie_text) == self.cookie
        return self._cookies[cookie_text]

    def match(self, words: tuple[str, ...], line: Line) -> Match:
        """What a flow asks for beside addresses."""
        if words not in self._matches:
            self._matches[words] = read_match(words, line)
        return self._matches[words]

    def actions_of(self, text: str, line: Line) -> Actions:
        """What a flow does; equal texts give one object."""
        if text not in self._actions:
            self._actions[text] = read_actions(text, self.following, line)
        return self._actions[text]


_SOURCE = {"nw_src": Family.V4, "ip_src": Family.V4, "ipv6_src": Family.V6}
_DESTINATION = {"nw_dst": Family.V4, "ip_dst": Family.V4, "ipv6_dst": Family.V6}

_Key = tuple[int, int, Match]
"""Table, priority, and what is asked beside addresses."""
_Ends = tuple[Ranges | None, Ranges | None]


def read_flows(texts: Mapping[str, str], tables: range, cookie: int, following: str) -> Listing:
    """The flows of some tables; of two with the same match and priority, the later alone, as OVS does."""
    listing = Listing()
    found: dict[_Key, dict[_Ends, tuple[Actions, Line]]] = {}
    for file, text in texts.items():
        _read_file(file, text, _Known(tables, cookie, following), listing, found)
    for key, flows in found.items():
        listing.flows += _grouped(key, flows)
    return listing


def _read_file(
    file: str,
    text: str,
    known: _Known,
    listing: Listing,
    found: dict[_Key, dict[_Ends, tuple[Actions, Line]]],
) -> None:
    """Add the flows of a text to those found. The loop is the time that reading takes: it is kept flat."""
    alike_by_text: dict[
        tuple[str, str, tuple[str, ...]], tuple[Match, dict[_Ends, tuple[Actions, Line]]]
    ] = {}
    is_listed = False
    for position, written in enumerate(text.split("\n"), 1):
        if not written or written[0] == "#":
            continue
        head, is_flow, action_text = written.partition("actions=")
        if not is_flow:
            line = Line(file, position)
            _check_no_flow(written, line)
            if written.strip().startswith(_HEADERS):
                if is_listed:
                    raise Unsupported("a second listing in one text", line, "give the flows of one bridge")
                is_listed = not written.rstrip().endswith(_MORE)
            continue
        if "#" in action_text:
            action_text = action_text.partition("#")[0]
        words = _words(head, Line(file, position)) if '"' in head else head.replace(",", " ").split()
        rest: list[str] = []
        table_text, priority_text, cookie_text = "0", "", "0"
        source = destination = ""
        source_family = destination_family = None
        for word in words:
            name, _, value = word.partition("=")
            if name in _SOURCE:
                if source or not value:
                    raise Unsupported(f"the match `{word}`", Line(file, position))
                source, source_family = value, _SOURCE[name]
            elif name in _DESTINATION:
                if destination or not value:
                    raise Unsupported(f"the match `{word}`", Line(file, position))
                destination, destination_family = value, _DESTINATION[name]
            elif name == "table":
                table_text = value
            elif name == "priority":
                priority_text = value
            elif name == "cookie":
                cookie_text = value
            elif name not in _STATISTICS:
                rest.append(word)
        line = Line(file, position)
        table = known.table(table_text, cookie_text, line)
        if table is None:
            listing.elsewhere += 1
            continue
        if not known.is_own(cookie_text):
            listing.foreign += 1
        text_key = table_text, priority_text, tuple(rest)
        if text_key not in alike_by_text:
            match = known.match(text_key[2], line)
            key = table, _priority(priority_text, line), match
            alike_by_text[text_key] = match, found.setdefault(key, {})
        match, alike = alike_by_text[text_key]
        ends: _Ends = (
            _ranges(source, source_family, match, known, line) if source else None,
            _ranges(destination, destination_family, match, known, line) if destination else None,
        )
        alike[ends] = (known.actions_of(action_text.strip(), line), line)


def _grouped(key: _Key, flows: Mapping[_Ends, tuple[Actions, Line]]) -> list[Flow]:
    """Flows that ask the same beside addresses: one for each of their different actions."""
    table, priority, match = key
    by_actions: dict[int, list[tuple[_Ends, Actions, Line]]] = {}
    for ends, (actions, line) in flows.items():
        by_actions.setdefault(id(actions), []).append((ends, actions, line))
    return [
        Flow(table, priority, match, tuple(_boxes(match, [one[0] for one in alike])), *alike[0][1:])
        for alike in by_actions.values()
    ]


def _boxes(match: Match, ends: list[_Ends]) -> list[Box]:
    """The packets of some pairs of ends; those with one open end are a box together."""
    every = EVERY_ADDRESS if match.family is None else match.family.every
    sources = [piece for source, destination in ends if source and not destination for piece in source]
    destinations = [
        piece for source, destination in ends if destination and not source for piece in destination
    ]
    boxes = [
        Box(Intervals.of(*source), Intervals.of(*destination), match.traffic)
        for source, destination in ends
        if source and destination
    ]
    if sources:
        boxes.append(Box(Intervals.of(*sources), every, match.traffic))
    if destinations:
        boxes.append(Box(every, Intervals.of(*destinations), match.traffic))
    if (None, None) in ends:
        boxes.append(Box(every, every, match.traffic))
    return boxes


def _ranges(text: str, family: Family | None, match: Match, known: _Known, line: Line) -> Ranges:
    """The addresses that a text stands for: one, a block, or those under a mask."""
    if family is not match.family or family is None:
        raise Malformed(
            f"an address without its protocol: `{text}`",
            line,
            "`nw_src` and `nw_dst` need `ip`, `ipv6_src` and `ipv6_dst` `ipv6`: ovs-ofctl leaves them out",
        )
    found = known.addresses.get(text)
    if found is None:
        found = known.addresses[text] = _parsed(text, line)
    if found and Family.of(found[0][0]) is not family:
        raise Malformed(f"the address `{text}`", line)
    return found


def _parsed(text: str, line: Line) -> Ranges:
    address_text, slash, mask_text = text.partition("/")
    try:
        address = parse_address(address_text)
        if not slash:
            return ((address, address),)
        family = Family.of(address)
        bits, first = family.bits, family.every.ranges[0][0]
        length = number(mask_text)
        if length is None:
            mask = parse_address(mask_text)
            if Family.of(mask) is not family:
                raise ValueError
            mask -= first
        elif length <= bits:
            mask = (1 << bits) - (1 << (bits - length))
        else:
            raise ValueError
    except ValueError:
        raise Malformed(f"the address `{text}`", line) from None
    try:
        found = ranges(address - first, mask, bits)
    except ValueError as error:
        raise Unsupported(f"the mask of `{text}`, {error}", line) from None
    return tuple((first + low, first + high) for low, high in found)


def _priority(text: str, line: Line) -> int:
    if not text:
        return DEFAULT_PRIORITY
    priority = number(text)
    if priority is None or priority > LAST_PRIORITY:
        raise Malformed(f"the priority `{text}`", line)
    return priority


def _words(head: str, line: Line) -> list[str]:
    """The words of a flow in which something is quoted: the name of a port."""
    if _QUOTED.sub("", head).strip(" ,\t\r"):
        raise Malformed("a quotation mark without its other one", line)
    return _QUOTED.findall(head)


def _check_no_flow(written: str, line: Line) -> None:
    """A line without actions is empty, a comment, or the head of a listing."""
    text = written.strip()
    if text and not text.startswith(("#", *_HEADERS)):
        raise Malformed("a line that is no flow", line, "a flow ends in actions=…")


def _check_table(text: str, is_own: bool, tables: range, line: Line) -> None:
    """A flow that is in none of npc's tables is not npc's."""
    table = number(text)
    if table is None:
        raise Unsupported(f"the table `{text}`", line, _DUMP)
    if table > LAST_TABLE:
        raise Malformed(f"the table {table}", line)
    if is_own:
        raise Unsupported(
            f"a flow of npc's in table {table}: its tables are {tables.start} to {tables.stop - 1}",
            line,
            "--set table= says where npc's tables begin",
        )
