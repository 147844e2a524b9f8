"""What OpenFlow tables do to a packet: flows looked up as Open vSwitch does (ovs-fields(7), ovs-actions(7)).

Takes the tree that the backend lowers to, and knows nothing of plans or of npc's own arithmetic: texts are
read with `ipaddress`. A packet is the first of its connection unless `states` says otherwise. What OVS would
refuse, or would leave to chance, is a `Refused`: two flows of one priority that match and act differently,
or two conjunctions of one priority.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address, ip_network
from itertools import groupby
from typing import Final, TypeAlias

from npc.backends.ovs.ruleset import Flow, Match, Pipeline, Table
from tests.reference.evaluator import Packet

HEADERS: Final = {
    "ip": (4, None),
    "ipv6": (6, None),
    "icmp": (4, 1),
    "icmp6": (6, 58),
    "tcp": (4, 6),
    "tcp6": (6, 6),
    "udp": (4, 17),
    "udp6": (6, 17),
    "sctp": (4, 132),
    "sctp6": (6, 132),
}
"""IP version and protocol that each word stands for."""
NEEDED: Final = {
    "nw_src": {"ip", "icmp", "tcp", "udp", "sctp"},
    "nw_dst": {"ip", "icmp", "tcp", "udp", "sctp"},
    "ipv6_src": {"ipv6", "icmp6", "tcp6", "udp6", "sctp6"},
    "ipv6_dst": {"ipv6", "icmp6", "tcp6", "udp6", "sctp6"},
    "nw_proto": {"ip", "ipv6"},
    "tcp_dst": {"tcp", "tcp6"},
    "udp_dst": {"udp", "udp6"},
    "sctp_dst": {"sctp", "sctp6"},
    "icmp_type": {"icmp"},
    "icmp_code": {"icmp"},
    "icmpv6_type": {"icmp6"},
    "icmpv6_code": {"icmp6"},
}
"""The words of which a flow must have one, so that it may match a field (ovs-fields(7), prerequisites)."""
STALE: Final = 0x5EED
"""What another pipeline left in every register."""


class Refused(AssertionError):
    """OVS would not load the flows, or their effect would be unpredictable."""


@dataclass(slots=True)
class Walk:
    """A packet on its way, and what became of it."""

    packet: Packet
    in_port: int
    registers: dict[str, int] = field(default_factory=dict)
    states: frozenset[str] = frozenset()
    """What conntrack says of the packet, once it was asked."""
    tracks_ports: bool = True
    """Whether conntrack knows the ports of the packet's protocol."""
    conjunction: int | None = None
    passed: bool = False
    committed: bool = False
    visited: list[int] = field(default_factory=list)


Test: TypeAlias = Callable[[Walk], bool]


class Bridge:
    """A pipeline that is loaded: Refused where OVS would refuse, or keep only the last of two flows."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._first = pipeline.tables[0].number
        self._tables = {table.number: _levels(table) for table in pipeline.tables}

    def walk(
        self,
        packet: Packet,
        in_port: int = 1,
        states: Iterable[str] = ("trk", "new"),
        tracks_ports: bool = True,
    ) -> Walk:
        """Send a packet in at the first table; `states` is what conntrack will say of it."""
        way = Walk(packet, in_port, tracks_ports=tracks_ports)
        number: int | None = self._first
        while number is not None:
            way.visited.append(number)
            flow = self._lookup(number, way)
            number = None if flow is None else _act(flow, way, self._tables.keys(), frozenset(states))
        return way

    def _lookup(self, number: int, way: Walk) -> Flow | None:
        """The flow of the highest priority that matches; flows with conjunctions, only until one is met."""
        for level in self._tables[number]:
            found = [flow for flow, tests in level if _all_hold(tests, way)]
            plain = {flow.actions: flow for flow in found if not _is_conjunctive(flow)}
            if len(plain) > 1:
                raise Refused(f"table {number}, {way.packet}: {' or '.join(map(str, plain.values()))}")
            if plain:
                return next(iter(plain.values()))
            complete = _complete(found) if way.conjunction is None else []
            if len(complete) > 1:
                raise Refused(f"table {number}, {way.packet}: conjunctions {complete}")
            for way.conjunction in complete:
                flow = self._lookup(number, way)
                way.conjunction = None
                if flow is not None:
                    return flow
        return None


def all_match(matches: Iterable[Match], packet: Packet, in_port: int = 1) -> bool:
    """Whether matches of packet fields all hold."""
    return _all_hold([_test(match) for match in matches], Walk(packet, in_port))


def check_flow(flow: Flow) -> None:
    """Refuse a flow that lacks what its matches or actions need, or that matches a field twice."""
    fields = [match.field for match in flow.matches]
    words = {match.field for match in flow.matches if not match.value}
    if len(set(fields)) < len(fields):
        raise Refused(f"{flow}: a field twice")
    if len(words) > 1:
        raise Refused(f"{flow}: two protocols")
    for one in fields:
        if one in NEEDED and not NEEDED[one] & words:
            raise Refused(f"{flow}: {one} needs one of {NEEDED[one]}")
    if any(action.startswith("ct(") for action in flow.actions) and not words & HEADERS.keys():
        raise Refused(f"{flow}: ct needs IP")


def _levels(table: Table) -> list[list[tuple[Flow, list[Test]]]]:
    """The flows of each priority, highest first."""
    seen: set[tuple[int, frozenset[Match]]] = set()
    for flow in table.flows:
        check_flow(flow)
        key = flow.priority, frozenset(flow.matches)
        if key in seen:
            raise Refused(f"table {table.number} has it twice: {flow}")
        seen.add(key)
    ordered = sorted(table.flows, key=lambda flow: -flow.priority)
    return [
        [(flow, [_test(match) for match in flow.matches]) for flow in flows]
        for _, flows in groupby(ordered, lambda flow: flow.priority)
    ]


def _is_conjunctive(flow: Flow) -> bool:
    return flow.actions[0].startswith("conjunction(")


def _complete(flows: Iterable[Flow]) -> list[int]:
    """The conjunctions of which every dimension matched."""
    met: dict[int, set[int]] = {}
    sizes: dict[int, int] = {}
    for flow in flows:
        for number, dimension, size in map(_conjunction, flow.actions):
            met.setdefault(number, set()).add(dimension)
            if sizes.setdefault(number, size) != size or not 1 <= dimension <= size:
                raise Refused(f"conjunction {number}: {flow}")
    return [number for number, dimensions in met.items() if len(dimensions) == sizes[number]]


@cache
def _conjunction(action: str) -> tuple[int, int, int]:
    number, _, place = action.removeprefix("conjunction(").removesuffix(")").partition(",")
    dimension, _, size = place.partition("/")
    return int(number), int(dimension), int(size)


def _act(flow: Flow, way: Walk, tables: Collection[int], states: frozenset[str]) -> int | None:
    """Do what a flow says; the table to go on to."""
    for action in flow.actions:
        name, _, rest = action.replace("(", ":", 1).removesuffix(")").partition(":")
        match name:
            case "set_field":
                value, _, register = rest.partition("->")
                way.registers[register] = int(value, 16)
            case "goto_table":
                if int(rest) <= way.visited[-1]:
                    raise Refused(f"{flow}: goes back")
                return int(rest)
            case "ct":
                words = dict(word.partition("=")[::2] for word in rest.split(","))
                if "commit" in words:
                    way.committed = True
                if "table" in words:
                    way.states = states
                    return int(words["table"])
            case "resubmit":
                if int(rest.removeprefix(",")) in tables:
                    raise Refused(f"{flow}: into npc's own tables")
                way.passed = True
            case "NORMAL" | "LOCAL":
                way.passed = True
            case "drop" if flow.actions == ("drop",):
                pass
            case _:
                raise Refused(str(flow))
    return None


def _all_hold(tests: Iterable[Test], way: Walk) -> bool:
    return all(test(way) for test in tests)


@cache
def _test(match: Match) -> Test:
    """Whether a walk's packet matches."""
    if not match.value:
        if match.field == "arp":
            return lambda _: False
        version, protocol = HEADERS[match.field]
        return lambda way: way.packet.source.version == version and protocol in (None, way.packet.protocol)
    if match.field == "ct_state":
        bits = match.value.replace("+", " +").replace("-", " -").split()
        return lambda way: all((bit[1:] in way.states) is (bit[0] == "+") for bit in bits)
    read = _reader(match.field)
    wanted, mask = _masked(match.field, match.value)
    if wanted & ~mask:
        raise Refused(f"{match}: bits outside the mask")
    return lambda way: (value := read(way)) is not None and value & mask == wanted


def _reader(name: str) -> Callable[[Walk], int | None]:
    """The value of a field; the words of a flow have made sure that the packet has it."""
    match name:
        case "nw_src" | "ipv6_src":
            return lambda way: int(way.packet.source)
        case "nw_dst" | "ipv6_dst":
            return lambda way: int(way.packet.destination)
        case "nw_proto":
            return lambda way: way.packet.protocol
        case "tcp_dst" | "udp_dst" | "sctp_dst":
            return lambda way: way.packet.port
        case "icmp_type" | "icmpv6_type":
            return lambda way: way.packet.port >> 8
        case "icmp_code" | "icmpv6_code":
            return lambda way: way.packet.port & 255
        case "in_port":
            return lambda way: way.in_port
        case "ct_nw_proto":
            return lambda way: way.packet.protocol
        case "ct_tp_dst":
            return lambda way: way.packet.port if way.tracks_ports else 0
        case "conj_id":
            return lambda way: way.conjunction
        case _ if name.startswith("reg"):
            return lambda way: way.registers.get(name, STALE)
        case _:
            raise Refused(f"there is no field {name}")


def _masked(name: str, text: str) -> tuple[int, int]:
    """The value and the mask that a text stands for."""
    value, slash, mask = text.partition("/")
    if name in ("nw_src", "nw_dst", "ipv6_src", "ipv6_dst"):
        if not slash:
            return int(ip_address(value)), -1
        network = ip_network(text)
        return int(network.network_address), int(network.netmask)
    return int(value, 0), int(mask, 0) if slash else -1
