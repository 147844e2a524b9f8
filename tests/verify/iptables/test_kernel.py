"""The kernel's own counters say which packets a rule matches: those that the reader says."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator

import pytest

from npc.backends.iptables.reader.rules import Around, read_rule
from npc.backends.iptables.reader.sets import parse_sets
from npc.compiler.algebra.addresses import Family
from npc.compiler.verify.program import Chain, Line, Scenario
from npc.compiler.verify.trace import trace
from tests.dataplane.iptables import VARIANTS
from tests.dataplane.namespace import Namespace
from tests.verify.iptables.asking import packet
from tests.verify.iptables.test_rules import SETS, V4, V6
from tests.verify.iptables.test_sets import HOLDS

PROGRAMS = {Family.V4: "iptables", Family.V6: "ip6tables"}
MATCHED = re.compile(r'^\[([0-9]+):[0-9]+\] -A OUTPUT .*--comment "?n([0-9]+)"?', re.MULTILINE)


def _sets() -> str:
    """All sets of the tables of tests, each with names of its own."""
    texts = [SETS]
    for number, (type, commands, *_) in enumerate(HOLDS):
        text = f"create x {type}\n{commands}\n"
        texts.append(re.sub(r"(?<= )([xyz])(?= |$)", rf"t{number}\1", text, flags=re.MULTILINE))
    return "".join(texts)


def _matches(family: Family) -> list[str]:
    """All matches of the tables of tests, but for the states of connections: probes are no connections."""
    matches = [match for match, *_ in (V4 if family is Family.V4 else V6) if "state" not in match]
    if family is Family.V4:
        matches += [
            f"-m set --match-set t{number}x {flags}" for number, (_, _, flags, _, _) in enumerate(HOLDS)
        ]
    return matches


def _packets(family: Family) -> list[str]:
    tables = [(*found, *missed) for *_, found, missed in (V4 if family is Family.V4 else V6)]
    tables += [(*found, *missed) for *_, found, missed in HOLDS] if family is Family.V4 else []
    return sorted({text for texts in tables for text in texts})


def _bytes(text: str) -> bytes:
    """A packet with its header, of the length that its protocol needs."""
    one = packet(text)
    protocol, number = one.traffic >> 16, one.traffic & 0xFFFF
    match protocol:
        case 1 | 58:
            body = struct.pack("!HHHH", number, 0, 7, 7) + bytes(40)
        case 6:
            body = struct.pack("!HHIIBBHHH", 1000, number, 0, 0, 0x50, 2, 100, 0, 0)
        case _:
            body = struct.pack("!HHHH", 1000, number, 20, 0) + bytes(12)
    if Family.of(one.source) is Family.V4:
        start = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 7, 0, 64, protocol, 0)
        return start + struct.pack("!II", one.source, one.destination) + body
    ends = b"".join((end & ((1 << 128) - 1)).to_bytes(16, "big") for end in (one.source, one.destination))
    return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + ends + body


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """Where everything goes out by a device that swallows it."""
    made = Namespace.create("kernel")
    try:
        made.run(["ip", "link", "add", "sink", "type", "veth", "peer", "name", "drain"])
        for device in ("drain", "sink"):  # without ARP or neighbour discovery nobody there is spoken to
            made.run(["ip", "link", "set", device, "arp", "off", "addrgenmode", "none", "up"])
        made.run(["ip", "address", "add", "fd99::1/128", "dev", "sink", "nodad"])
        made.run(["ip", "address", "add", "198.18.0.1/32", "dev", "sink"])
        for family in ("-4", "-6"):
            made.run(["ip", family, "route", "add", "default", "dev", "sink"])
        yield made
    finally:
        made.close()


@pytest.mark.dataplane("iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy", "ipset")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("family", Family)
def test_the_kernel_matches_what_the_reader_says(family: Family, variant: str, namespace: Namespace) -> None:
    sets, matches = _sets(), _matches(family)
    namespace.run(["ipset", "restore", "-exist"], sets)
    lines = [f"-A OUTPUT {match} -m comment --comment n{number}" for number, match in enumerate(matches)]
    program = f"{PROGRAMS[family]}-{variant}"
    namespace.run([f"{program}-restore"], "\n".join(["*filter", *lines, "COMMIT\n"]))
    around = Around(family, frozenset(), parse_sets("sets", sets))
    rules = [
        read_rule(f"{match} -j DROP", around, Line("rules", place)).rule
        for place, match in enumerate(matches)
    ]
    kind = socket.AF_INET if family is Family.V4 else socket.AF_INET6
    wrong = []
    with namespace.socket(kind, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for text in _packets(family):
            namespace.run([program, "-Z", "OUTPUT"])
            raw.sendto(_bytes(text), (text.split()[2], 0))
            counted = {
                int(number)
                for packets, number in MATCHED.findall(namespace.run([f"{program}-save", "-c"]))
                if packets != "0"
            }
            said = {
                number
                for number, rule in enumerate(rules)
                if not trace({"c": Chain("c", (rule,))}, Scenario("", "c"), packet(text)).passes
            }
            wrong += [f"{text}: {matches[number]}: {number in counted}" for number in counted ^ said]
    assert wrong == []
