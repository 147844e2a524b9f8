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
from npc.compiler.optimize.masks import Masked, masks, with_exceptions

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
            matches += [(*header, Match(f"{name}_dst", port)) for port in map(_port, _ports(ranges))]
        else:
            matches += [(*header, *types) for types in _icmp_types(protocol, ranges, family)]
    return matches


def match_count(wanted: Intervals, family: Family) -> int:
    """How many alternatives `traffic_matches` gives, without making them: most of 256 protocols are whole."""
    if wanted == traffic.ANY:
        return 1
    found = 0
    in_part: dict[int, list[Range]] = {}
    for low, high in wanted.ranges:
        first, last = low >> _PORT_BITS, high >> _PORT_BITS
        found += last - first - 1 if last > first else 0
        for protocol in {first, last}:
            every = protocol << _PORT_BITS, protocol << _PORT_BITS | traffic.LAST_PORT
            inside = max(low, every[0]), min(high, every[1])
            if inside == every:
                found += 1
            else:
                in_part.setdefault(protocol, []).append((inside[0] - every[0], inside[1] - every[0]))
    for protocol, ranges in in_part.items():
        if protocol in traffic.NUMBERS.values():
            found += len(_ports(tuple(ranges)))
        else:
            found += sum(1 for _ in _icmp_types(protocol, tuple(ranges), family))
    return found


def in_two_levels(wanted: Intervals, family: Family) -> tuple[Intervals, Intervals]:
    """A superset of some traffic, and what of it is not wanted: together in the fewest alternatives.

    Without exceptions where they save nothing.
    """
    if wanted == traffic.ANY:
        return wanted, Intervals()
    allowed = []
    for protocol, ranges in traffic.by_protocol(wanted).items():
        found = Intervals(ranges)
        if protocol in traffic.NUMBERS.values():
            superset, others = with_exceptions(found, _PORT_BITS)
            if len(_ports(superset.ranges)) + len(_ports(others.ranges)) < len(_ports(ranges)):
                found = superset
        first = protocol << _PORT_BITS
        allowed += [(first + low, first + high) for low, high in found.ranges]
    by_protocol = Intervals.of(*allowed)
    supersets = (wanted, traffic.ANY, by_protocol)
    counts = [match_count(one, family) + match_count(one - wanted, family) for one in supersets]
    superset = supersets[counts.index(min(counts))]
    return superset, superset - wanted


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


def _ports(ranges: tuple[Range, ...]) -> list[Masked]:
    return masks(Intervals(ranges), _PORT_BITS)


def _port(masked: Masked) -> str:
    value, mask = masked
    return str(value) if mask == traffic.LAST_PORT else f"{value:#x}/{mask:#x}"
