"""Blocks inside the range of the pods' addresses: who has such an address changes with every pod (P8)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from npc.compiler.algebra.addresses import Cidr, Family, format_cidr
from npc.compiler.algebra.intervals import Intervals
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
            within = next((found for found in ranges if _is_within(peer.cidr, found.block)), None)
            if within is None:
                continue
            pod = _a_pod_in(peer, owners)
            if pod is None and not within.is_given:
                continue
            origin = peer_origin(one, index)
            if is_in_yaml(origin) and origin is not one.rule.origin:
                origin = origin.at("ipBlock", "cidr")
            now = (
                f"it means {pod} now, and other pods later" if pod else "no pod has it now, and any may later"
            )
            yield Diagnostic(
                codes.IN_POD_RANGE,
                f"{format_cidr(peer.cidr)} is inside {within}: {now}",
                origin,
                help="name pods by their labels: a podSelector or a namespaceSelector",
                about=about(one.policy),
            )


@dataclass(frozen=True, slots=True)
class PodRange:
    """A block that pods get their addresses from."""

    block: Cidr
    node: str = ""
    """The node whose pods it is for; "": of all nodes, as far as the pods' addresses tell."""

    @property
    def is_given(self) -> bool:
        """Whether a Node says so."""
        return bool(self.node)

    def __str__(self) -> str:
        whose = f"the range of the pods on {self.node}," if self.node else "the pods' range"
        return f"{whose} {format_cidr(self.block)}"


def pod_ranges(inventory: Inventory) -> list[PodRange]:
    """The blocks of each family that pods get their addresses from.

    Those of the nodes (`spec.podCIDRs`) where all pods have theirs from these; and the smallest block around
    them, or around all pods' addresses, but none where they have little in common.
    """
    given = [PodRange(block, node.name) for node in inventory.nodes for block in node.pod_blocks]
    found: list[PodRange] = []
    for family in Family:
        low, high = family.every.ranges[0]
        own = {one for pod in inventory.endpoints for one in pod.addresses if low <= one <= high}
        ours = [one for one in given if one.block.family is family]
        known = Intervals.of(*(one.block.range for one in ours))
        if ours and all(one in known for one in own):
            found += ours
            own |= {end for one in ours for end in one.block.range}
        if own:
            first, last = min(own), max(own)
            host_bits = (first ^ last).bit_length()
            prefix = family.bits - host_bits
            if prefix >= _SHORTEST[family]:
                found.append(PodRange(Cidr(first >> host_bits << host_bits, prefix)))
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
