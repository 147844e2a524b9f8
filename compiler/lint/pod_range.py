"""Blocks inside the range of the pods' addresses: who has such an address changes with every pod (P8)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from npc.compiler.algebra.addresses import Cidr, Family, format_cidr
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.syntax import Block
from npc.compiler.inventory import Inventory
from npc.compiler.lint.checked import Checked, about, is_in_yaml, peer_origin
from npc.compiler.resolve import addresses_of

_SHORTEST = {Family.V4: 8, Family.V6: 16}
"""Prefix lengths below which a common block is none that pods get their addresses from."""


def blocks_of_pods(checked: Checked) -> Iterator[Diagnostic]:
    """NPC707."""
    if checked.model is None:
        return
    if not any(isinstance(peer, Block) for one in checked.rules() for peer in one.rule.peers or ()):
        return
    inventory = checked.model.inventory
    owners = sorted((address, str(one)) for one in inventory.endpoints for address in one.addresses)
    ranges = pod_ranges(inventory)
    for one in checked.rules():
        for index, peer in enumerate(one.rule.peers or ()):
            if not isinstance(peer, Block):
                continue
            within = next((found for found in ranges if _is_within(peer.cidr, found)), None)
            if within is not None and (pod := _a_pod_in(peer, owners)) is not None:
                origin = peer_origin(one, index)
                if is_in_yaml(origin) and origin is not one.rule.origin:
                    origin = origin.at("ipBlock", "cidr")
                yield Diagnostic(
                    codes.IN_POD_RANGE,
                    f"{format_cidr(peer.cidr)} is inside the pods' range {format_cidr(within)}:"
                    f" it means {pod} now, and other pods later",
                    origin,
                    help="name pods by their labels: a podSelector or a namespaceSelector",
                    about=about(one.policy),
                )


def pod_ranges(inventory: Inventory) -> list[Cidr]:
    """The smallest block of each family with all pods' addresses; none where they have little in common."""
    found = []
    for family in Family:
        low, high = family.every.ranges[0]
        own = [one for pod in inventory.endpoints for one in pod.addresses if low <= one <= high]
        if own:
            first, last = min(own), max(own)
            host_bits = (first ^ last).bit_length()
            prefix = family.bits - host_bits
            if prefix >= _SHORTEST[family]:
                found.append(Cidr(first >> host_bits << host_bits, prefix))
    return found


def _is_within(block: Cidr, other: Cidr) -> bool:
    return other.range[0] <= block.range[0] and block.range[1] <= other.range[1]


def _a_pod_in(block: Block, owners: Sequence[tuple[int, str]]) -> str | None:
    """The first pod with an address in a block."""
    for low, high in addresses_of(block).ranges:
        index = bisect_left(owners, (low, ""))
        if index < len(owners) and owners[index][0] <= high:
            return owners[index][1]
    return None
