"""What iptables chains and sets do to a packet: rules in order, as iptables(8) and ipset(8) say.

Takes the tree that the backend lowers to, and knows nothing of plans or of npc's own arithmetic: texts are
read with `ipaddress`. A packet is the first of its connection. What iptables-restore would refuse, or would
read in another way than it looks, is a `Refused`. LOG rules with a limit are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from ipaddress import ip_address, ip_network
from typing import Final, TypeAlias

from npc.backends.iptables.ruleset import Chain, IpSet, Rule, Ruleset, Table
from tests.reference.evaluator import Packet
from tests.reference.manifests import Address

Test: TypeAlias = Callable[[Packet], bool]

PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "sctp": 132}
WITH_PORTS: Final = {"tcp", "udp", "sctp"}
MOST_WORDS: Final = 250
"""Of a line: iptables-restore takes 255, with those that it adds itself."""
DEEPEST: Final = 15
"""Chains below each other that iptables-nft follows."""
PREFIX: Final = re.compile(r'-j LOG --log-prefix "((?:[^"\\]|\\.){1,})"')


class Refused(AssertionError):
    """iptables-restore would not take the rules."""


@dataclass(slots=True)
class Walk:
    """What became of a packet."""

    passed: bool = True
    """Whether it goes on to the host's other rules, or is accepted at once."""
    logged: list[str] = field(default_factory=list)
    """The words that the lines of the log begin with, in order."""


class Tables:
    """Both families' tables with the sets that they refer to."""

    def __init__(self, ruleset: Ruleset) -> None:
        sets = {one.name: _Set.of(one) for one in ruleset.sets}
        self._prefix = ruleset.prefix
        self._chains = {4: _chains(ruleset.v4, 4, sets), 6: _chains(ruleset.v6, 6, sets)}

    def walk(self, packet: Packet, hook: str = "FORWARD") -> Walk:
        """Send a packet through npc's chain of a built-in one."""
        way = Walk()
        chains = self._chains[packet.source.version]
        verdict = _walk(chains, f"{self._prefix}-{hook}", packet, way, 1)
        way.passed = verdict is not False
        return way


_Chains = Mapping[str, list[tuple[list[Test], str, Rule]]]


def _walk(chains: _Chains, name: str, packet: Packet, way: Walk, depth: int) -> bool | None:
    """The verdict of a chain; None where it returns."""
    if depth > DEEPEST:
        raise Refused(f"{name} lies deeper than {DEEPEST} chains")
    for tests, action, rule in chains[name]:
        if not all(test(packet) for test in tests):
            continue
        match action.split():
            case ["-j", "RETURN"]:
                return None
            case ["-j", "ACCEPT"]:
                return True
            case ["-j", "DROP"] | ["-j", "REJECT", *_]:
                return False
            case ["-j", "LOG", *_]:
                written = PREFIX.fullmatch(action)
                if written is None:
                    raise Refused(str(rule))
                if "--limit" not in rule.matches:
                    way.logged.append(re.sub(r"\\(.)", r"\1", written[1]))
            case ["-j", target]:
                verdict = _walk(chains, target, packet, way, depth + 1)
                if verdict is not None:
                    return verdict
            case ["-g", target]:
                return _walk(chains, target, packet, way, depth + 1)
            case _:
                raise Refused(str(rule))
    return None


def _chains(table: Table, version: int, sets: Mapping[str, _Set]) -> _Chains:
    names = [chain.name for chain in table.chains]
    if len(set(names)) < len(names):
        raise Refused("a chain twice")
    return {chain.name: [_read(chain, rule, version, sets) for rule in chain.rules] for chain in table.chains}


def _read(chain: Chain, rule: Rule, version: int, sets: Mapping[str, _Set]) -> tuple[list[Test], str, Rule]:
    if len(str(rule).split()) > MOST_WORDS or "\n" in str(rule):
        raise Refused(f"{chain.name}: {rule}")
    seen: set[str] = set()
    tests: list[Test] = []
    words = iter(rule.matches)
    for option, value, negated in _options(words):
        if option in seen and option in ("-s", "-d", "-p", "--dport", "--dports"):
            raise Refused(f"{chain.name}: {option} twice: {rule}")
        seen.add(option)
        if option == "--match-set":
            if version not in sets[value].versions:
                raise Refused(f"{chain.name}: {value} is of the other family: {rule}")
            test = sets[value].asked(next(words).split(","))
        else:
            test = _test(option, value, version, rule)
        tests.append(partial(_not, test) if negated else test)
    return tests, rule.action, rule


def _not(test: Test, packet: Packet) -> bool:
    return not test(packet)


def _options(words: Iterator[str]) -> Iterator[tuple[str, str, bool]]:
    """Each option with its value, and whether it is negated; modules are loaded without a word."""
    negated = False
    for word in words:
        if word == "-m":
            next(words)
        elif word == "!":
            negated = True
        else:
            yield word, next(words), negated
            negated = False


def _test(option: str, value: str, version: int, rule: Rule) -> Test:
    match option:
        case "-p":
            number = PROTOCOLS[value] if value in PROTOCOLS else int(value)
            return lambda packet: packet.protocol == number
        case "-s" | "-d":
            wanted, mask = _masked(value)
            return lambda packet: int(_end(packet, option == "-s")) & mask == wanted
        case "--src-range" | "--dst-range":
            low, high = map(ip_address, value.split("-"))
            return lambda packet: int(low) <= int(_end(packet, option == "--src-range")) <= int(high)
        case "--dport" | "--dports":
            if _protocol(rule) not in WITH_PORTS:
                raise Refused(f"{rule}: no ports")
            pieces = [_ports(text, ":") for text in value.split(",")]
            if sum(1 + (low != high) for low, high in pieces) > (15 if option == "--dports" else 2):
                raise Refused(f"{rule}: too many ports")
            return lambda packet: any(low <= packet.port <= high for low, high in pieces)
        case "--icmp-type" | "--icmpv6-type":
            kind, _, code = value.partition("/")
            if (version, _protocol(rule)) != ((4, "icmp") if option == "--icmp-type" else (6, "icmpv6")):
                raise Refused(f"{rule}: no such types")
            if version == 4 and kind == "255":
                raise Refused(f"{rule}: that is any type")
            return lambda packet: packet.port >> 8 == int(kind) and code in ("", str(packet.port & 255))
        case "--ctstate":
            return _constantly("NEW" in value.split(","))  # first packets are new
        case "--limit" | "--limit-burst":
            return _constantly(True)
        case _:
            raise Refused(f"there is no option {option}: {rule}")


def _constantly(holds: bool) -> Test:
    return lambda _: holds


def _protocol(rule: Rule) -> str:
    return rule.matches[rule.matches.index("-p") + 1]


def _end(packet: Packet, is_source: bool) -> Address:
    return packet.source if is_source else packet.destination


@cache
def _ports(text: str, dash: str) -> tuple[int, int]:
    low, _, high = text.partition(dash)
    return int(low), int(high or low)


@dataclass(frozen=True, slots=True)
class _Set:
    """Whether an end of a packet is in a set, and the IP versions of the tables that may ask."""

    has: Callable[[Packet, bool], bool]
    versions: tuple[int, ...]
    connections: frozenset[tuple[object, ...]] | None = None
    """Of a set with ports, its elements: each with its protocol before the port."""

    def asked(self, sides: list[str]) -> Test:
        """The test of the sides that a rule names."""
        elements = self.connections
        if elements is None:
            (side,) = sides
            return lambda packet: self.has(packet, side == "src")
        if sides[1] != "dst":
            raise Refused("source ports are nobody's business")
        first, _, *rest = (side == "src" for side in sides)
        return lambda packet: (
            (_end(packet, first), packet.protocol, packet.port, *(_end(packet, side) for side in rest))
            in elements
        )

    @staticmethod
    def of(one: IpSet) -> _Set:
        match one.type:
            case "hash:ip":
                return _Set(_hash_ip(one), _versions(one))
            case "hash:net":
                return _Set(_hash_net(one), _versions(one))
            case "hash:ip,port" | "hash:ip,port,ip":
                return _Set(_never, _versions(one), _connections(one))
            case "bitmap:port":
                return _Set(_bitmap(one), (4, 6))
            case _:
                raise Refused(f"{one.name}: {one.type}")


def _never(_packet: Packet, _is_source: bool) -> bool:
    return False


def _connections(one: IpSet) -> frozenset[tuple[object, ...]]:
    return frozenset(_connection(one, text.split(",")) for text in one.elements)


def _connection(one: IpSet, parts: list[str]) -> tuple[object, ...]:
    first, ports, *rest = parts
    if len(parts) != one.type.count(",") + 1:
        raise Refused(f"{one.name}: {parts}")
    protocol, _, port = ports.partition(":")
    return ip_address(first), PROTOCOLS[protocol], int(port), *map(ip_address, rest)


@cache
def _masked(text: str) -> tuple[int, int]:
    """An address and its mask, which need not be a prefix."""
    address, _, mask = text.partition("/")
    if mask and not mask.isdigit():
        return int(ip_address(address)), int(ip_address(mask))
    network = ip_network(text)
    return int(network.network_address), int(network.netmask)


def _versions(one: IpSet) -> tuple[int, ...]:
    return (6,) if "family inet6" in one.options else (4,)


def _hash_ip(one: IpSet) -> Callable[[Packet, bool], bool]:
    addresses = set(map(ip_address, one.elements))
    return lambda packet, is_source: _end(packet, is_source) in addresses


def _hash_net(one: IpSet) -> Callable[[Packet, bool], bool]:
    """The longest network that an address is in counts, `nomatch` or not."""
    networks = {ip_network(text): word for text, _, word in (line.partition(" ") for line in one.elements)}
    if any(network.prefixlen == 0 for network in networks):
        raise Refused(f"{one.name}: no prefix of length 0")
    ordered = sorted(networks.items(), key=lambda item: -item[0].prefixlen)

    def has(packet: Packet, is_source: bool) -> bool:
        address = _end(packet, is_source)
        return next((word != "nomatch" for network, word in ordered if address in network), False)

    return has


def _bitmap(one: IpSet) -> Callable[[Packet, bool], bool]:
    pieces = [_ports(text, "-") for text in one.elements]

    def has(packet: Packet, is_source: bool) -> bool:
        if is_source:
            raise Refused(f"{one.name}: source ports are nobody's business")
        # "TCP or UDP port numbers" (ipset(8)): a packet of SCTP has no port here
        return packet.protocol in (6, 17) and any(low <= packet.port <= high for low, high in pieces)

    return has
