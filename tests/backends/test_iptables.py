"""iptables and ipset artifacts keep to the limits of the programs that load them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.backends.base import Options
from npc.backends.iptables.layout import MEASURED, Layout
from npc.backends.iptables.lowering import lower
from npc.backends.iptables.matches import SLOTS, Matches, port_matches
from npc.backends.iptables.names import Names
from npc.backends.iptables.ruleset import Chain, Rule, Ruleset
from npc.backends.iptables.tree import address_tree, depth, port_tree
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_V4, Family, parse_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Peers
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.frontend.syntax import Direction
from tests.conformance.compiling import compile_documents
from tests.dataplane.test_large import documents as large_cluster
from tests.reference.manifests import Document
from tests.strategies import clusters

LONGEST_CHAIN, LONGEST_SET = 28, 31
DEEPEST = 15
ARITY = MEASURED.arity
"""Chains that iptables-nft follows."""


def _ruleset(documents: list[Document], **settings: str) -> Ruleset:
    return lower(compile_documents(documents).plan, Options(settings=settings))


def _check_references(ruleset: Ruleset) -> None:
    """Every name fits, is declared once, and is used; nothing refers to what is not there."""
    sets = [one.name for one in ruleset.sets]
    used_sets: set[str] = set()
    assert len(set(sets)) == len(sets)
    assert [one.temporary for one in ruleset.sets if len(one.temporary) > LONGEST_SET] == []
    for table in (ruleset.v4, ruleset.v6):
        names = [chain.name for chain in table.chains]
        assert len(set(names)) == len(names)
        assert [name for name in names if len(name) > LONGEST_CHAIN] == []
        targets = {target for chain in table.chains for target in _targets(chain)}
        hooks = {own for _, own in ruleset.hooks}
        assert targets <= set(names)
        assert set(names) <= targets | hooks
        used_sets |= {name for chain in table.chains for rule in chain.rules for name in _sets_of(rule)}
        assert depth(table.chains) < DEEPEST
    assert used_sets == set(sets)


def _targets(chain: Chain) -> Iterator[str]:
    for rule in chain.rules:
        target = rule.action.split()[1]
        if target not in ("RETURN", "ACCEPT", "DROP", "REJECT", "LOG"):
            yield target


def _sets_of(rule: Rule) -> Iterator[str]:
    for option, value in pairwise(rule.matches):
        if option == "--match-set":
            yield value


@pytest.mark.parametrize("ipset", ["yes", "no"])
@given(clusters())
def test_references_of_random_clusters(ipset: str, documents: list[Document]) -> None:
    if any(one["kind"] == "Pod" for one in documents):
        _check_references(_ruleset(documents, ipset=ipset))


@pytest.mark.parametrize("ipset", ["yes", "no"])
def test_references_of_a_large_cluster(ipset: str) -> None:
    ruleset = _ruleset(large_cluster(), ipset=ipset)
    _check_references(ruleset)
    types = {one.type for one in ruleset.sets}
    hashes = {"hash:ip", "hash:net", "hash:ip,port", "hash:ip,port,ip"}
    assert types == (hashes | {"bitmap:port"} if ipset == "yes" else set())


@given(st.sets(st.integers(0, 2**32 - 1), min_size=1, max_size=300))
def test_address_tree_finds_every_address_and_no_other(addresses: set[int]) -> None:
    leaves = [(one, Rule(("-d", str(ip_address(one))), f"-j {one}")) for one in sorted(addresses)]
    chains = {
        chain.name: chain for chain in address_tree("root", "-d", leaves, lambda text: text, arity=ARITY)
    }
    assert max(len(chain.rules) for chain in chains.values()) <= ARITY
    for address in {one + step for one in addresses for step in (-1, 0, 1) if 0 <= one + step < 2**32}:
        assert _search(chains, address) == (f"-j {address}" if address in addresses else None)


def _search(chains: dict[str, Chain], address: int) -> str | None:
    """What the first matching rule does, chain after chain."""
    name = "root"
    while True:
        for rule in chains[name].rules:
            low, high = _block(rule.matches[1])
            if low <= address <= high:
                break
        else:
            return None
        if rule.action.startswith("-j"):
            return rule.action
        name = rule.action.removeprefix("-g ")


def _block(text: str) -> tuple[int, int]:
    return parse_cidr(text if "/" in text else f"{text}/32").block.range


@given(st.sets(st.integers(0, 200), min_size=2, max_size=120))
def test_port_tree_finds_the_range(cuts: set[int]) -> None:
    ordered = sorted(cuts)
    leaves = [((low, high - 1), f"-j {low}") for low, high in pairwise(ordered) if low % 3]
    last = (Rule((), "-j LAST"),)
    chains = {
        chain.name: chain for chain in port_tree("root", "tcp", leaves, lambda text: text, last, arity=ARITY)
    }
    for port in range(202):
        expected = next((action for (low, high), action in leaves if low <= port <= high), "-j LAST")
        assert _port_search(chains, port) == expected


def _port_search(chains: dict[str, Chain], port: int) -> str:
    name = "root"
    while True:
        for rule in chains[name].rules:
            low, _, high = rule.matches[-1].partition(":") if rule.matches else ("0", "", "65535")
            if int(low) <= port <= int(high or low):
                break
        if rule.action.startswith("-j"):
            return rule.action
        name = rule.action.removeprefix("-g ")


PACKS = [
    ("one port", [(80, 80)], ["-p tcp --dport 80"]),
    ("one range", [(80, 90)], ["-p tcp --dport 80:90"]),
    ("two", [(80, 80), (90, 95)], ["-p tcp -m multiport --dports 80,90:95"]),
    (
        "sixteen ports",
        [(port, port) for port in range(2, 34, 2)],
        [
            "-p tcp -m multiport --dports 2,4,6,8,10,12,14,16,18,20,22,24,26,28,30",
            "-p tcp --dport 32",
        ],
    ),
    (
        "eight ranges, which take two slots each",
        [(port, port + 1) for port in range(10, 90, 10)],
        [
            "-p tcp -m multiport --dports 10:11,20:21,30:31,40:41,50:51,60:61,70:71",
            "-p tcp --dport 80:81",
        ],
    ),
    (
        "a single port for each slot that ranges leave",
        [*((port, port + 2) for port in range(10, 150, 10)), (500, 500), (600, 600)],
        [
            "-p tcp -m multiport --dports 10:12,20:22,30:32,40:42,50:52,60:62,70:72,500",
            "-p tcp -m multiport --dports 80:82,90:92,100:102,110:112,120:122,130:132,140:142,600",
        ],
    ),
    (
        "two ports side by side may part",
        [*((port, port + 2) for port in range(10, 150, 10)), (500, 501)],
        [
            "-p tcp -m multiport --dports 10:12,20:22,30:32,40:42,50:52,60:62,70:72,500",
            "-p tcp -m multiport --dports 80:82,90:92,100:102,110:112,120:122,130:132,140:142,501",
        ],
    ),
    ("all but one", [(0, 79), (81, 65535)], ["-p tcp ! --dport 80"]),
    (
        "all but fifteen",
        [(0, 0), *((port, port) for port in range(2, 30, 2)), (30, 65535)],
        ["-p tcp -m multiport ! --dports 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29"],
    ),
    ("from one port up", [(1024, 65535)], ["-p tcp --dport 1024:65535"]),
]


@pytest.mark.parametrize(("ports", "expected"), [row[1:] for row in PACKS], ids=[row[0] for row in PACKS])
def test_ports(ports: list[tuple[int, int]], expected: list[str]) -> None:
    wanted = Intervals.union(traffic.of(traffic.TCP, low, high) for low, high in ports)
    assert [
        " ".join(one)
        for one in Matches(Names("NPC"), use_sets=False, layout=MEASURED).traffic(wanted, Family.V4)
    ] == expected


PORT_SETS = st.lists(st.tuples(st.integers(0, 65535), st.sampled_from((0, 0, 1, 2, 50))), max_size=40).map(
    lambda found: Intervals.of(*((low, min(low + more, 65535)) for low, more in found))
)


@given(PORT_SETS, st.booleans())
def test_ports_are_matched_once_in_the_fewest_rules(listed: Intervals, is_but: bool) -> None:
    """No way to fill the packs is better than as many slots, and as many ranges, as fit."""
    wanted = Intervals.of((0, 65535)) - listed if is_but else listed
    found = port_matches(traffic.TCP, wanted.ranges)
    asked = {end + step for piece in wanted.ranges for end in piece for step in (-1, 0, 1)} & {*range(65536)}
    for port in asked:
        assert sum(_matches_port(one, port) for one in found) == (port in wanted)
    single = sum(low == high for low, high in wanted.ranges)
    double = sum(high == low + 1 for low, high in wanted.ranges)
    longer = len(wanted.ranges) - single - double
    fewest = max(-(-(single + 2 * double + 2 * longer) // SLOTS), -(-longer // (SLOTS // 2)))
    assert len(found) == fewest or (len(found) == 1 and "!" in found[0])


def _matches_port(match: tuple[str, ...], port: int) -> bool:
    pieces = [piece.partition(":") for piece in match[-1].split(",")]
    assert sum(1 + bool(dash) for _, dash, _ in pieces) <= SLOTS
    inside = any(int(low) <= port <= int(high or low) for low, _, high in pieces)
    return inside != ("!" in match)


ICMP_TYPES = [
    ("a type", Family.V4, (0x0800, 0x08FF), ["-p icmp -m icmp --icmp-type 8"]),
    ("a code", Family.V4, (0x0301, 0x0301), ["-p icmp -m icmp --icmp-type 3/1"]),
    ("of IPv6", Family.V6, (0x8000, 0x80FF), ["-p icmpv6 -m icmp6 --icmpv6-type 128"]),
    (
        "from a code to a type",
        Family.V4,
        (0x03FE, 0x04FF),
        [f"-p icmp -m icmp --icmp-type {part}" for part in ("3/254", "3/255", "4")],
    ),
    (
        "all but two types are two negations",
        Family.V4,
        (0x0200, 0xFFFF),
        ["-p icmp -m icmp ! --icmp-type 0 -m icmp ! --icmp-type 1"],
    ),
    ("255 over IPv4 would be every type", Family.V4, (0xFF00, 0xFFFF), []),
    (
        "without 255 over IPv4, no negation",
        Family.V4,
        (0, 0xFEFF),
        [f"-p icmp -m icmp --icmp-type {kind}" for kind in range(255)],
    ),
    ("255 over IPv6", Family.V6, (0xFF00, 0xFFFF), ["-p icmpv6 -m icmp6 --icmpv6-type 255"]),
    ("without 255 over IPv6", Family.V6, (0, 0xFEFF), ["-p icmpv6 -m icmp6 ! --icmpv6-type 255"]),
]


@pytest.mark.parametrize(
    ("family", "numbers", "expected"), [row[1:] for row in ICMP_TYPES], ids=[row[0] for row in ICMP_TYPES]
)
def test_icmp_types(family: Family, numbers: tuple[int, int], expected: list[str]) -> None:
    wanted = traffic.of(traffic.ICMP if family is Family.V4 else traffic.ICMPV6, *numbers)
    assert [
        " ".join(one) for one in Matches(Names("NPC"), use_sets=True, layout=MEASURED).traffic(wanted, family)
    ] == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(traffic.of(traffic.ICMPV6, 0x8000, 0x80FF), []), (traffic.every(traffic.ICMPV6), ["-p icmpv6"])],
    ids=["types of the other family are no packet's", "its protocol number is one"],
)
def test_icmp_of_the_other_family(wanted: Intervals, expected: list[str]) -> None:
    matches = Matches(Names("NPC"), use_sets=True, layout=MEASURED)
    assert [" ".join(one) for one in matches.traffic(wanted, Family.V4)] == expected


def test_more_ports_than_two_packs_are_a_set() -> None:
    wanted = Intervals.union(traffic.of(traffic.TCP, port, port) for port in range(0, 100, 2))
    matches = Matches(Names("NPC"), use_sets=True, layout=MEASURED)
    ((*_, name, side),) = matches.traffic(wanted, Family.V6)
    assert (matches.sets[name].type, side) == ("bitmap:port", "dst")
    assert len(matches.sets[name].elements) == 50
    of_sctp = Intervals.union(traffic.of(traffic.SCTP, port, port) for port in range(0, 100, 2))
    assert all("multiport" in one for one in matches.traffic(of_sctp, Family.V6)), "no bitmap knows them"
    without = Matches(Names("NPC"), use_sets=False, layout=MEASURED)
    assert all(len(one[-1].split(",")) <= SLOTS for one in without.traffic(wanted, Family.V4))


BLOCKS = [
    ("subtraction", ["10.0.0.0/9", "172.16.0.0/12"], ["10.0.0.0/9", "172.16.0.0/12"]),
    (
        "all but one address",
        ["0.0.0.0/0", "-10.0.0.7/32"],
        ["0.0.0.0/1", "128.0.0.0/1", "10.0.0.7/32 nomatch"],
    ),
    ("a block with a hole", ["10.0.0.0/8", "-10.1.2.0/24"], ["10.0.0.0/8", "10.1.2.0/24 nomatch"]),
]


@pytest.mark.parametrize(("written", "expected"), [row[1:] for row in BLOCKS], ids=[row[0] for row in BLOCKS])
def test_sets_of_blocks(written: list[str], expected: list[str]) -> None:
    """hash:net takes no prefix of length 0, and holes where that is shorter."""
    blocks = Intervals()
    for text in written:
        block = Intervals.of(parse_cidr(text.removeprefix("-")).block.range)
        blocks = blocks - block if text.startswith("-") else blocks | block
    assert blocks != EVERY_V4
    matches = Matches(Names("NPC"), use_sets=True, layout=Layout(blocks_inline=0))
    matches.peers(Peers(blocks=blocks), Direction.INGRESS, Family.V4)
    (made,) = matches.sets.values()
    assert made.type == "hash:net"
    assert sorted(made.elements) == sorted(expected)


REFUSED = [
    (Options(table="no_underscore"), "prefix of iptables chains"),
    (Options(table="longerthan8"), "prefix of iptables chains"),
    (Options(hook_priority=5), "no hook priority"),
    (Options(settings={"ipset": "maybe"}), "neither yes nor no"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_options_that_iptables_cannot_use(options: Options, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        lower(compile_documents(large_cluster()).plan, options)


def test_names_never_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npc.backends.iptables.names._DIGITS", 1)
    names = Names("NPC")
    texts = [f"text {number}" for number in range(12)]
    given = {text: names.chain("E", text) for text in texts}
    assert len(set(given.values())) == len(texts)
    assert {text: names.chain("E", text) for text in texts} == given
