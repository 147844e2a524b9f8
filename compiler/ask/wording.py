"""Rules, peers and ends in the words of the policy language, short enough for one line."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, Cidr, Family, cidrs, format_address, format_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.asked_traffic import OTHERS
from npc.compiler.ask.ends import Ends, Place
from npc.compiler.ask.workloads import workloads_of
from npc.compiler.frontend.syntax import (
    EVERYTHING,
    BehindService,
    Block,
    Direction,
    NamedPort,
    Nodes,
    Operator,
    Peer,
    Pods,
    Port,
    Ports,
    Rule,
    Selector,
)
from npc.compiler.inventory import NAME_LABEL, Inventory
from npc.compiler.labels import members

_OTHERS = {number: name for name, number in OTHERS.items()}
_ONE_PROTOCOL = re.compile(r"\bprotocol ([0-9]+)(?![0-9/])")
"""All of a protocol that the policy language has no word for, and questions may have one."""
_FEW = 3
"""Things of one kind that a line names."""


def rule_text(rule: Rule, direction: Direction) -> str:
    """A rule as a sentence: `allow tcp/http from pods(app=web)`."""
    ports = "" if rule.ports is None else f"{ports_text(rule.ports)} "
    way = "from" if direction is Direction.INGRESS else "to"
    return f"{rule.action.value} {ports}{way} {peers_text(rule.peers)}"


def peers_text(peers: Sequence[Peer] | None) -> str:
    """The peers of a rule."""
    if peers is None:
        return "any"
    return listed(map(peer_text, peers)) or "nobody"


def peer_text(peer: Peer) -> str:
    """One peer."""
    match peer:
        case Block():
            return str(peer)
        case Nodes(nodes=selector):
            return f"nodes({selector})" if selector.requirements else "nodes"
        case BehindService(name=name, namespace=namespace):
            return f"svc/{name}" + (f" in ns/{namespace}" if namespace else "")
        case Pods(pods=pods, namespaces=namespaces):
            words = f"pods({pods})" if pods.requirements else "pods"
            if namespaces is None:
                return words
            spaces = _namespaces_text(namespaces)
            return spaces if pods == EVERYTHING else f"{words} in {spaces}"


def ports_text(ports: Sequence[Port]) -> str:
    """The ports of a rule."""
    return listed(map(_port_text, ports)) or "nothing"


def traffic_text(found: Intervals) -> str:
    """Some traffic, or what it leaves out where that is shorter.

    >>> traffic_text(traffic.ANY), traffic_text(traffic.ANY - traffic.of(traffic.TCP, 80, 80))
    ('any traffic', 'any traffic but tcp/80')
    >>> traffic_text(traffic.every(47) | traffic.every(99))
    'gre, protocol 99'
    """
    words = _ONE_PROTOCOL.sub(lambda one: _OTHERS.get(int(one[1]), one[0]), traffic.in_words(found))
    return f"any traffic{words.removeprefix('any')}" if words.startswith("any") else words


def ends_text(ends: Ends, inventory: Inventory, *, families: bool = True, others: Sequence[int] = ()) -> str:
    """Some ends: pods by their workloads, or by their names where they are single, and blocks.

    `families`: where pods have addresses of both and are meant by one of them, say by which. `others`: the
    addresses, sorted, of pods that are not meant; of a block with one of them it is said.
    """
    return listed(_ends(ends, inventory, families, others)) or "nobody"


def place_text(place: Place, inventory: Inventory) -> str:
    """An end of a packet: a pod with the address that it uses, or an address."""
    if place.endpoint is None:
        return format_address(place.address or 0)
    endpoint = inventory.endpoints[place.endpoint]
    address = next((one for one in endpoint.addresses if Family.of(one) is place.family), None)
    return str(endpoint) if address is None else f"{endpoint} ({format_address(address)})"


def blocks(addresses: Intervals) -> Iterator[str]:
    """Some addresses as the fewest blocks, those of one address without a prefix length."""
    for piece in addresses.ranges:
        yield from map(_block_text, cidrs(piece))


def _block_text(block: Cidr) -> str:
    is_host = block.prefix == block.family.bits
    return format_address(block.first) if is_host else format_cidr(block)


def listed(words: Iterable[str], most: int = _FEW) -> str:
    """A few of some words, and how many more there are.

    >>> listed("abcde"), listed("abcd")
    ('a, b, c and 2 more', 'a, b, c, d')
    """
    found = list(words)
    if len(found) <= most + 1:
        return ", ".join(found)
    return f"{', '.join(found[:most])} and {len(found) - most:,} more"


def _port_text(port: Port) -> str:
    match port:
        case Ports(protocol, first, last):
            return traffic.describe(traffic.of(protocol, first, last))
        case NamedPort(protocol, name):
            return f"{'any' if protocol is None else traffic.NAMES[protocol]}/{name}"


def _namespaces_text(selector: Selector) -> str:
    match selector.requirements:
        case ():
            return "ns"
        case (one,) if one.key == NAME_LABEL and one.operator is Operator.IN and len(one.values) == 1:
            return f"ns/{one.values[0]}"
        case _:
            return f"ns({selector})"


def _ends(ends: Ends, inventory: Inventory, families: bool, others: Sequence[int]) -> Iterator[str]:
    both = ends.v4 & ends.v6
    endpoints = inventory.endpoints
    for workload in workloads_of(endpoints, list(members(ends.endpoints))):
        pods = [endpoints[number] for number in members(workload.members)]
        partial = {
            "IPv4" if ends.v4 >> number & 1 else "IPv6"
            for number in members(workload.members & ~both)
            if families and len(endpoints[number].addresses) > 1
        }
        family = f" ({', '.join(sorted(partial))})" if partial else ""
        name = str(pods[0]) if len(pods) == 1 else f"{workload} ({len(pods):,} pods)"
        yield f"{name}{family}"
    if ends.outside == EVERY_ADDRESS:
        yield "every address outside" if ends.endpoints else "every address"
    else:
        for piece in ends.outside.ranges:
            for block in cidrs(piece):
                low, high = block.range
                has_others = bisect_left(others, low) < bisect_right(others, high)
                yield f"{_block_text(block)} but its pods" if has_others else _block_text(block)
