"""What an nftables table does to a packet: its chains, walked as the kernel walks them (nft(8)).

Takes the tree that the backend lowers to, and knows nothing of plans or of npc's own arithmetic: texts are
read with `ipaddress`. A packet is the first of its connection. What the kernel would refuse, or what reads a
header that the packet does not have, is a `Refused`. Log statements with a limit are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Final, TypeAlias

from npc.backends.nft.ruleset import Chain, Dispatch, Element, Match, Rule, Set, Table
from tests.reference.evaluator import PROTOCOL_NUMBERS, Packet

Piece: TypeAlias = tuple[int, int]
"""A closed range of a field's values."""

DEEPEST: Final = 15
"""Chains that may be entered from one another below a base chain; goto counts, as in NFT_JUMP_STACK_SIZE."""
LOG: Final = re.compile(r'log prefix "(?P<prefix>[^"]*)" ?(?P<verdict>.*)')
NO_PORT: Final = -1
L4_NAMES: Final = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "sctp": 132}
"""As in nft's own list of `meta l4proto`."""


class Refused(AssertionError):
    """The kernel would not load the table, or would read what is not there."""


def lets_pass(table: Table, packet: Packet, hook: str = "forward") -> bool:
    """Whether a packet gets through the table's base chain at a hook; without one, it does."""
    return _pass_and_log(table, packet, hook)[0]


def logged(table: Table, packet: Packet, hook: str = "forward") -> list[str]:
    """The prefixes with which a packet is logged on its way through a hook, in order."""
    return _pass_and_log(table, packet, hook)[1]


def _pass_and_log(table: Table, packet: Packet, hook: str) -> tuple[bool, list[str]]:
    prefixes: list[str] = []
    for chain in table.chains:
        if f" hook {hook} " in chain.hook:
            verdict = _walk(table, chain, packet, 0, prefixes)
            return "policy accept;" in chain.hook if verdict is None else verdict, prefixes
    return True, prefixes


def matches(table: Table | None, match: Match, packet: Packet) -> bool:
    """Whether a comparison holds; never where the packet has no such field, negated or not."""
    if match.field == "ct state":
        return ("new" in match.values[0].split(",")) is not match.negated
    value = _value(match.field, packet)
    if value is None:
        return False
    found = any(
        _contains(_set(table, text), match.field, value)
        if text.startswith("@")
        else _is_in(match.field, text, value)
        for text in match.values
    )
    return found is not match.negated


def all_match(alternative: Iterable[Match], packet: Packet) -> bool:
    """Whether comparisons without named sets all hold, asked in order."""
    return all(matches(None, match, packet) for match in alternative)


@cache
def pieces(field: str, text: str) -> tuple[Piece, ...]:
    """The range that a text stands for, for each part of a field."""
    parts = tuple(zip(field.split(" . "), text.split(" . "), strict=True))
    return tuple(_piece(part, value) for part, value in parts)


def _walk(table: Table, chain: Chain, packet: Packet, depth: int, prefixes: list[str]) -> bool | None:
    """The verdict of a chain: to pass, to be dropped, or None at its end. Notes what is logged."""
    if depth > DEEPEST:
        raise Refused(f"{chain.name} lies deeper than {DEEPEST} chains")
    for rule in chain.rules:
        action = _action(table, rule, packet)
        if log := LOG.fullmatch(action):
            prefixes.append(log["prefix"])
            action = log["verdict"]
        match action.split():
            case ["accept"]:
                return True
            case ["return"]:
                return None
            case ["drop"] | ["reject", *_]:
                return False
            case ["jump", target]:
                verdict = _walk(table, _chain(table, target), packet, depth + 1, prefixes)
                if verdict is not None:
                    return verdict
            case ["goto", target]:
                return _walk(table, _chain(table, target), packet, depth + 1, prefixes)
            case [] | ["limit", *_]:
                pass
            case _:
                raise Refused(f"{chain.name}: {action}")
    return None


def _action(table: Table, rule: Rule | Dispatch, packet: Packet) -> str:
    """The statement or verdict of a rule; empty where it does not match."""
    match rule:
        case Rule(comparisons, action):
            return action if all(matches(table, one, packet) for one in comparisons) else ""
        case Dispatch(field, map_name, entries):
            if map_name:
                entries = tuple(_entry(one.text) for one in _elements(_set(table, f"@{map_name}")))
            value = _value(field, packet)
            found = [verdict for text, verdict in entries if value and _is_in(field, text, value)]
            if len(found) > 1:
                raise Refused(f"{rule}: two entries for {value}")
            return found[0] if found else ""


def _entry(text: str) -> tuple[str, str]:
    key, _, verdict = text.partition(" : ")
    return key, verdict


def _contains(one: Set, field: str, value: tuple[int, ...]) -> bool:
    return any(_is_in(field, element.text, value) for element in _elements(one))


def _is_in(field: str, text: str, value: tuple[int, ...]) -> bool:
    return all(low <= part <= high for part, (low, high) in zip(value, pieces(field, text), strict=True))


@cache
def _elements(one: Set) -> tuple[Element, ...]:
    return one.elements


def _set(table: Table | None, reference: str) -> Set:
    for one in table.sets if table is not None else ():
        if f"@{one.name}" == reference:
            return one
    raise Refused(f"there is no set {reference}")


def _chain(table: Table, name: str) -> Chain:
    for chain in table.chains:
        if chain.name == name:
            return chain
    raise Refused(f"there is no chain {name}")


def _value(field: str, packet: Packet) -> tuple[int, ...] | None:
    """The value of a field, part by part; None where the packet has not all of them."""
    if field.count(" . ") > 1 and "meta l4proto . th dport" in field:
        return _connection(field, packet)
    parts = [_part(part, packet) for part in field.split(" . ")]
    known = tuple(part for part in parts if part is not None)
    return known if len(known) == len(parts) else None


def _connection(field: str, packet: Packet) -> tuple[int, ...] | None:
    """Ends, protocol and port. Where the protocol has none, whatever stands there: no element is of it."""
    source, protocol, _, destination = field.split(" . ")
    ends = _part(source, packet), _part(destination, packet)
    if ends[0] is None or ends[1] is None:
        return None
    port = packet.port if packet.protocol in PROTOCOL_NUMBERS.values() else NO_PORT
    return ends[0], _part(protocol, packet) or 0, port, ends[1]


def _part(field: str, packet: Packet) -> int | None:
    match field.split():
        case ["ip" | "ip6" as header, "saddr" | "daddr" as end]:
            address = packet.source if end == "saddr" else packet.destination
            return int(address) if (address.version == 4) is (header == "ip") else None
        case ["meta", "l4proto"]:
            return packet.protocol
        case ["th", "dport"]:
            if packet.protocol not in PROTOCOL_NUMBERS.values():
                raise Refused(f"protocol {packet.protocol} has no ports to read")
            return packet.port
        case ["tcp" | "udp" | "sctp" as header, "dport"]:
            return packet.port if packet.protocol == PROTOCOL_NUMBERS[header.upper()] else None
        case ["icmp" | "icmpv6" as header, "type" | "code" as part]:
            # nft compares the family first (nft --debug=netlink).
            version, protocol = (4, 1) if header == "icmp" else (6, 58)
            if packet.source.version != version or packet.protocol != protocol:
                return None
            return packet.port >> 8 if part == "type" else packet.port & 0xFF
        case _:
            raise Refused(f"there is no field {field}")


def _piece(field: str, text: str) -> Piece:
    match field.split():
        case ["ip", _]:
            return _addresses(text, 4)
        case ["ip6", _]:
            return _addresses(text, 6)
        case ["meta", "l4proto"] if text in L4_NAMES:
            return L4_NAMES[text], L4_NAMES[text]
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def _addresses(text: str, version: int) -> Piece:
    if "/" in text:
        network = ip_network(text)
        ends = network[0], network[-1]
    else:
        first, _, last = text.partition("-")
        ends = ip_address(first), ip_address(last or first)
    if {end.version for end in ends} != {version}:
        raise Refused(f"{text} is no address of IPv{version}")
    return int(ends[0]), int(ends[1])
