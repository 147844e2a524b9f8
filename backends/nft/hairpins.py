"""Packets from an endpoint to itself, through a Service, of which cluster policies let pass some only (C6).

They are decided on first, for both directions at once: a map leads from the address, twice, to a chain
that says what passes. Only forwarded packets can be such: the node is no endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator

from npc.backends.base import Options
from npc.backends.naming import content_names
from npc.backends.nft.logs import denied
from npc.backends.nft.matches import NEIGHBOUR_DISCOVERY, address_type, traffic_matches
from npc.backends.nft.ruleset import Chain, Dispatch, Element, Rule, Set
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.plan import Hairpin, Plan


def both_ends(family: Family) -> str:
    """The field of a packet's source and destination together."""
    word = "ip" if family is Family.V4 else "ip6"
    return f"{word} saddr . {word} daddr"


def twice(address: int) -> str:
    """The value of that field in packets from an address to itself."""
    return f"{format_address(address)} . {format_address(address)}"


def hairpin_dispatches(plan: Plan) -> list[Dispatch]:
    """From a packet to the chain of its hairpin."""
    return [Dispatch(both_ends(family), _map_name(family)) for family in _families(plan)]


def hairpin_maps(plan: Plan) -> list[Set]:
    """Each address, twice, with its chain."""
    names = _names(plan)
    return [
        Set.of(
            _map_name(family),
            f"{address_type(family)} . {address_type(family)} : verdict",
            (
                Element(f"{twice(address)} : goto {chain}", plan.names.get(address, ""))
                for address, chain in sorted(
                    (address, _chain_name(family, names[_key(one)]))
                    for one in plan.hairpins
                    for address in _addresses(one, family)
                )
            ),
        )
        for family in _families(plan)
    ]


def hairpin_chains(plan: Plan, options: Options, *, lists: bool) -> Iterator[Chain]:
    """What passes, and that all else is denied; `lists` as for `traffic_matches`."""
    names = _names(plan)
    for one in plan.hairpins:
        name = names[_key(one)]
        for family in Family:
            if _addresses(one, family):
                allowed = [
                    Rule(match, "accept") for match in traffic_matches(one.traffic, family, lists=lists)
                ]
                if family is Family.V6:
                    allowed.append(Rule((NEIGHBOUR_DISCOVERY,), "accept"))
                rules = (*allowed, *denied(f"hairpin denied {name}", options))
                yield Chain(_chain_name(family, name), rules, comment=_COMMENT)


_COMMENT = "what passes from an endpoint to itself"


def _families(plan: Plan) -> list[Family]:
    """Those in which there are hairpins."""
    return [family for family in Family if any(_addresses(one, family) for one in plan.hairpins)]


def _addresses(one: Hairpin, family: Family) -> list[int]:
    return [address for address in one.addresses if Family.of(address) is family]


def _names(plan: Plan) -> dict[str, str]:
    """A name for each hairpin by its key."""
    return content_names(_key(one) for one in plan.hairpins)


def _key(one: Hairpin) -> str:
    """What tells a hairpin from others: what may pass, whoever the endpoints are."""
    return " ".join(f"{low:x}-{high:x}" for low, high in one.traffic.ranges)


def _chain_name(family: Family, name: str) -> str:
    return f"h{family.value}_{name}"


def _map_name(family: Family) -> str:
    return f"hairpin{family.value}"
