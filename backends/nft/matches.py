"""Traffic and peers as nftables comparisons."""

from __future__ import annotations

from dataclasses import replace

from npc.backends.icmp import OF_FAMILY, own_types
from npc.backends.nft.ruleset import Match
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import (
    EVERY_V4,
    EVERY_V6,
    Family,
    as_cidr,
    format_address,
    format_cidr,
)
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.frontend.syntax import Direction
from npc.compiler.optimize.blocks import hulls

_MOST_NEGATED = 15
"""Comparisons that are not, in one rule without lists: the kernel takes 128 expressions."""

NEIGHBOUR_DISCOVERY = Match("icmpv6 type", ("133-137",))
"""Router and neighbour solicitation and advertisement, redirect (RFC 4861, section 4)."""


def address_type(family: Family) -> str:
    """nftables' type of a family's addresses."""
    return "ipv4_addr" if family is Family.V4 else "ipv6_addr"


def address_field(family: Family, direction: Direction, *, peer: bool) -> str:
    """The field with the address of the subject, or of its peer."""
    is_source = peer == (direction is Direction.INGRESS)
    return f"{'ip' if family is Family.V4 else 'ip6'} {'saddr' if is_source else 'daddr'}"


def traffic_matches(wanted: Intervals, family: Family, *, lists: bool) -> list[tuple[Match, ...]]:
    """Alternatives, no two of one packet, that match exactly some traffic; one empty alternative matches all.

    `lists` allows several values in one comparison (an anonymous set in the kernel). Parts of ICMP are
    matched in packets of its own family alone: in the other's, nft reads no types, and nobody else does.
    """
    if wanted == traffic.ANY:
        return [()]
    whole: list[int] = []
    by_ports: dict[tuple[Range, ...], list[int]] = {}
    icmp: tuple[Range, ...] = ()
    for protocol, ranges in traffic.by_protocol(own_types(wanted, family)).items():
        if ranges == ((0, traffic.LAST_PORT),):
            whole.append(protocol)
        elif protocol == OF_FAMILY[family]:
            icmp = ranges
        else:
            assert protocol in traffic.NUMBERS.values(), "only these protocols have ports in a policy (P9)"
            by_ports.setdefault(ranges, []).append(protocol)
    matches: list[tuple[Match, ...]] = []
    if whole:
        matches += _whole(whole, lists=lists)
    for ranges, protocols in by_ports.items():
        if len(protocols) == 1 or not lists:
            pairs: list[tuple[tuple[Match, ...], str]] = [((), traffic.NAMES[one]) for one in protocols]
        else:
            pairs = [(tuple(_protocols(protocols, lists=True)), "th")]
        for before, header in pairs:
            matches += [(*before, *one) for one in _ports(f"{header} dport", ranges, lists=lists)]
    return matches + _icmp(traffic.NAMES[OF_FAMILY[family]], icmp, lists=lists)


def _icmp(header: str, ranges: tuple[Range, ...], *, lists: bool) -> list[tuple[Match, ...]]:
    """Numbers `type << 8 | code`: types with equal codes together, those with all by their type alone."""
    codes: dict[int, list[Range]] = {}
    for low, high in ranges:
        for kind in range(low >> 8, (high >> 8) + 1):
            first, last = max(low, kind << 8), min(high, kind << 8 | 0xFF)
            codes.setdefault(kind, []).append((first & 0xFF, last & 0xFF))
    kinds: dict[tuple[Range, ...], list[Range]] = {}
    for kind, found in codes.items():
        kinds.setdefault(tuple(found), []).append((kind, kind))
    matches: list[tuple[Match, ...]] = []
    for its_codes, its_kinds in kinds.items():
        for kind_match in _any_of(f"{header} type", Intervals.of(*its_kinds).ranges, lists=lists):
            if its_codes == ((0, 0xFF),):
                matches.append((kind_match,))
            else:
                matches += [(kind_match, one) for one in _any_of(f"{header} code", its_codes, lists=lists)]
    return matches


def _ports(field: str, ranges: tuple[Range, ...], *, lists: bool) -> list[tuple[Match, ...]]:
    """A port is in one of the ranges, or in none of those between them, whichever are fewer."""
    others = (Intervals(((0, traffic.LAST_PORT),)) - Intervals(ranges)).ranges
    if len(others) >= len(ranges) or (len(others) > _MOST_NEGATED and not lists):
        return [(one,) for one in _any_of(field, ranges, lists=lists)]
    return [_none_of(_any_of(field, others, lists=lists))]


def _none_of(matches: list[Match]) -> tuple[Match, ...]:
    return tuple(replace(one, negated=True) for one in matches)


def _any_of(field: str, ranges: tuple[Range, ...], *, lists: bool) -> list[Match]:
    """A field's value is in one of the ranges."""
    texts = tuple(range_text(one) for one in ranges)
    return [Match(field, values) for values in ([texts] if lists else [(text,) for text in texts])]


def _whole(numbers: list[int], *, lists: bool) -> list[tuple[Match, ...]]:
    """One of some protocols, or none of the others, whichever are fewer."""
    others = sorted({*range(traffic.LAST_PROTOCOL + 1)}.difference(numbers))
    few = len(_protocol_texts(others)) <= _MOST_NEGATED or lists
    if few and 0 < len(_protocol_texts(others)) < len(_protocol_texts(numbers)):
        return [_none_of(_protocols(others, lists=lists))]
    return [(one,) for one in _protocols(numbers, lists=lists)]


def _protocols(numbers: list[int], *, lists: bool) -> list[Match]:
    texts = _protocol_texts(numbers)
    return [Match("meta l4proto", values) for values in ([texts] if lists else [(text,) for text in texts])]


def _protocol_texts(numbers: list[int]) -> tuple[str, ...]:
    """Numbers side by side as ranges, where they are more than two."""
    ranges = Intervals.of(*((one, one) for one in numbers)).ranges
    return tuple(
        text
        for low, high in ranges
        for text in (
            [f"{low}-{high}"] if high - low > 1 else [_protocol(one) for one in range(low, high + 1)]
        )
    )


def _protocol(number: int) -> str:
    names = {**traffic.NAMES, traffic.ICMPV6: "ipv6-icmp"}
    return names.get(number, str(number))


def range_text(piece: Range) -> str:
    """`80` or `80-90`."""
    low, high = piece
    return str(low) if low == high else f"{low}-{high}"


def address_range_text(piece: Range) -> str:
    """A range of addresses as nft writes it: an address, a block, or first-last."""
    low, high = piece
    if low == high:
        return format_address(low)
    block = as_cidr(piece)
    return format_cidr(block) if block else f"{format_address(low)}-{format_address(high)}"


def block_matches(blocks: Intervals, field: str) -> list[tuple[Match, ...]]:
    """Alternatives that match exactly some addresses of one family.

    Ranges that make up a block but for some holes are one alternative: the block and `!=` each hole.
    """
    matches = []
    for hull, holes in hulls(blocks):
        outside = tuple(_not(field, hole) for hole in holes)
        is_all = Intervals((hull,)) in (EVERY_V4, EVERY_V6)
        matches.append(outside if is_all else (Match(field, (address_range_text(hull),)), *outside))
    return matches


def _not(field: str, hole: Range) -> Match:
    return Match(field, (address_range_text(hole),), negated=True)
