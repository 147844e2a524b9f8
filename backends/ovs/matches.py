"""Traffic and addresses as matches of OpenFlow (ovs-fields(7)).

Alternatives are disjoint, and all of one family: a flow that matches a port or an address names the protocol,
and so the family, that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator

from npc.backends import icmp
from npc.backends.ovs.ruleset import Match
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Cidr, Family, format_address, format_cidr
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.frontend.syntax import Direction

_PORT_BITS = 16
_TYPES = {Family.V4: ("icmp_type", "icmp_code"), Family.V6: ("icmpv6_type", "icmpv6_code")}
_WORDS = {
    Family.V4: {traffic.ICMP: "icmp", traffic.TCP: "tcp", traffic.UDP: "udp", traffic.SCTP: "sctp"},
    Family.V6: {traffic.ICMPV6: "icmp6", traffic.TCP: "tcp6", traffic.UDP: "udp6", traffic.SCTP: "sctp6"},
}


def family_match(family: Family) -> Match:
    """Every packet of a family."""
    return Match("ip" if family is Family.V4 else "ipv6")


def address_match(address: int, direction: Direction) -> tuple[Match, Match]:
    """The packets whose subject in a direction has an address: their source for egress."""
    family = Family.of(address)
    field = _address_field(family, is_source=direction is Direction.EGRESS)
    return family_match(family), Match(field, format_address(address))


def pair_match(source: int, destination: int) -> tuple[Match, ...]:
    """The packets from one address to another."""
    _, to_destination = address_match(destination, Direction.INGRESS)
    return *address_match(source, Direction.EGRESS), to_destination


def peer_field(family: Family, direction: Direction) -> str:
    """The field with the address of the subject's peer."""
    return _address_field(family, is_source=direction is Direction.INGRESS)


def _address_field(family: Family, *, is_source: bool) -> str:
    end = "src" if is_source else "dst"
    return f"nw_{end}" if family is Family.V4 else f"ipv6_{end}"


def block_matches(field: str, block: Cidr) -> tuple[Match, ...]:
    """The addresses of a block; nothing to compare where it is all of its family."""
    if block.prefix == 0:
        return ()
    if block.prefix == block.family.bits:
        return (Match(field, format_address(block.first)),)
    return (Match(field, format_cidr(block)),)


def traffic_matches(wanted: Intervals, family: Family) -> list[tuple[Match, ...]]:
    """Alternatives that together match exactly some traffic of a family, each with the family's word."""
    if wanted == traffic.ANY:
        return [(family_match(family),)]
    matches = []
    for protocol, ranges in traffic.by_protocol(wanted).items():
        header = _protocol(protocol, family)
        if ranges == ((0, traffic.LAST_PORT),):
            matches.append(header)
        elif protocol in traffic.NUMBERS.values():
            name = traffic.NAMES[protocol]
            matches += [(*header, Match(f"{name}_dst", port)) for port in map(_port, _masks(ranges))]
        else:
            matches += [(*header, *types) for types in _icmp_types(protocol, ranges, family)]
    return matches


def match_count(wanted: Intervals, family: Family) -> int:
    """How many alternatives `traffic_matches` gives, without making them: most of 256 protocols are whole."""
    return 1 if wanted == traffic.ANY else sum(_count(piece, family) for piece in wanted.ranges)


def _count(piece: Range, family: Family) -> int:
    low, high = piece
    found = 0
    for protocol in {low >> _PORT_BITS, high >> _PORT_BITS}:
        first, last = protocol << _PORT_BITS, protocol << _PORT_BITS | traffic.LAST_PORT
        inside = max(low, first) - first, min(high, last) - first
        if inside == (0, traffic.LAST_PORT):
            found += 1
        elif protocol in traffic.NUMBERS.values():
            found += sum(1 for _ in port_masks(inside))
        else:
            found += sum(1 for _ in _icmp_types(protocol, (inside,), family))
    between = (high >> _PORT_BITS) - (low >> _PORT_BITS) - 1
    return found + max(between, 0)


def _protocol(protocol: int, family: Family) -> tuple[Match, ...]:
    word = _WORDS[family].get(protocol)
    return (Match(word),) if word else (family_match(family), Match("nw_proto", str(protocol)))


def _icmp_types(protocol: int, ranges: tuple[Range, ...], family: Family) -> Iterator[tuple[Match, ...]]:
    """OVS matches types and codes whole, never under a mask; of the other family's ICMP there are none."""
    if protocol != icmp.OF_FAMILY[family]:
        return
    type_field, code_field = _TYPES[family]
    for part in icmp.parts(ranges):
        kind = Match(type_field, str(part.kind))
        yield (kind,) if part.code is None else (kind, Match(code_field, str(part.code)))


def port_masks(piece: Range) -> Iterator[tuple[int, int]]:
    """The fewest (value, mask) of 16 bits, masks beginning with ones, that make up a range of ports.

    >>> [f"{value:#x}/{mask:#x}" for value, mask in port_masks((80, 97))]
    ['0x50/0xfff0', '0x60/0xfffe']
    """
    low, high = piece
    while low <= high:
        size = low & -low or 1 << _PORT_BITS
        while size > high - low + 1:
            size >>= 1
        yield low, traffic.LAST_PORT & ~(size - 1)
        low += size


def _masks(ranges: tuple[Range, ...]) -> Iterator[tuple[int, int]]:
    for piece in ranges:
        yield from port_masks(piece)


def _port(masked: tuple[int, int]) -> str:
    value, mask = masked
    return str(value) if mask == traffic.LAST_PORT else f"{value:#x}/{mask:#x}"
