"""The line with a packet's own address, where a rule asks a set, or stands for several flows."""

from __future__ import annotations

import pytest

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import parse_address
from npc.compiler.verify.program import Line
from npc.compiler.verify.trace import Packet
from npc.verifying.elements import element, own_flow
from npc.verifying.pages import Pages

NFT = """\
table inet npc {
	set other { type ipv4_addr; elements = { 10.0.0.1 } }
	set peers {
		type ipv4_addr
		elements = {
			10.0.0.7, # shop/a
			10.0.0.1 comment "b, 10.0.0.9", # shop/b
			10.1.0.0/16, 10.2.0.4-10.2.0.8,
		}
	}
	map pods {
		type ipv4_addr : verdict
		elements = { 10.0.0.5 : goto i4_x,
				10.0.0.2 : goto i4_y }
	}
	set pairs {
		type ipv4_addr . inet_proto . inet_service . ipv4_addr
		elements = {
			10.0.0.1 . tcp . 81 . 10.0.0.2,
			10.0.0.1 . udp . 80 . 10.0.0.2,
			10.0.0.2 . tcp . 80 . 10.0.0.1,
			10.0.0.1 . tcp . 80 . 10.0.0.2,
		}
	}
	chain forward {
		ip saddr @peers accept
		ip daddr vmap @pods
		ip saddr . meta l4proto . th dport . ip daddr @pairs accept
		ip saddr != @peers drop
		ip saddr @absent accept
		tcp dport 80 accept
	}
}
"""
IPSET = """\
create one hash:ip family inet
add one-n 10.0.0.3
add one-n 10.0.0.1
add many 10.0.0.1,tcp:80,10.0.0.9
add many 10.0.0.1,udp:80,10.0.0.2
add many 10.0.0.1,tcp:79-81,10.0.0.2
Name: listed
Type: hash:ip
Header: family inet hashsize 1024
Size in memory: 456
Members:
10.0.0.4
10.0.0.1
-A NPC-A -m set --match-set one src -j RETURN
-A NPC-A -m set --match-set many src,dst,dst -j RETURN
-A NPC-A -m set --match-set listed src -j RETURN
-A NPC-A -m set ! --match-set one src -j RETURN
"""

PACKET = ("10.0.0.1", "10.0.0.2")
CASES = [
    # (name, text, the rule, source and destination, the element or nothing)
    ("a set", NFT, "ip saddr @peers accept", PACKET, "10.0.0.1 comment"),
    ("a block", NFT, "ip saddr @peers accept", ("10.1.2.3", "10.0.0.2"), "10.1.0.0/16"),
    ("a range", NFT, "ip saddr @peers accept", ("10.2.0.8", "10.0.0.2"), "10.2.0.4-10.2.0.8"),
    ("in a comment", NFT, "ip saddr @peers accept", ("10.0.0.9", "10.0.0.2"), ""),
    ("a map", NFT, "ip daddr vmap @pods", PACKET, "10.0.0.2 : goto i4_y"),
    ("the first of a map", NFT, "ip daddr vmap @pods", ("10.0.0.1", "10.0.0.5"), "10.0.0.5 : goto i4_x"),
    ("several fields", NFT, "@pairs accept", PACKET, "10.0.0.1 . tcp . 80 . 10.0.0.2"),
    ("not in the set", NFT, "ip saddr != @peers drop", PACKET, ""),
    ("no such set", NFT, "ip saddr @absent accept", PACKET, ""),
    ("no set at all", NFT, "tcp dport 80 accept", PACKET, ""),
    ("a set that is swapped", IPSET, "-A NPC-A -m set --match-set one src", PACKET, "add one-n 10.0.0.1"),
    ("of several parts", IPSET, "--match-set many", PACKET, "10.0.0.1,tcp:79-81,10.0.0.2"),
    ("a list", IPSET, "--match-set listed", PACKET, "10.0.0.1"),
    ("not in a set of ipset", IPSET, "! --match-set one", PACKET, ""),
]


@pytest.mark.parametrize(
    ("text", "rule", "ends", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_element(text: str, rule: str, ends: tuple[str, str], expected: str) -> None:
    pages = Pages({"rules": text})
    found = element(pages, _line(text, rule), _packet(*ends))
    assert (found is None) is (expected == "")
    assert found is None or pages.line(found).strip().startswith(expected) or expected in pages.line(found)


FLOWS = """\
cookie=0x6e7063,table=2,priority=100,ip,nw_src=10.0.0.9,actions=set_field:0x1->reg0,goto_table:3 # shop/a
cookie=0x6e7063,table=2,priority=90,ip,nw_src=10.0.0.1,actions=set_field:0x2->reg0,goto_table:3 # shop/b
 cookie=0x6e7063, duration=7.1s, table=2, n_packets=4, priority=100,tcp,nw_src=10.0.0.8/31 actions=drop
 cookie=0x6e7063, duration=7.2s, table=2, n_bytes=0, priority=100,tcp,nw_src=10.0.0.0/31 actions=drop
cookie=0x6e7063,table=3,priority=100,ip,nw_src=10.0.0.1,actions=set_field:0x1->reg0,goto_table:4 # shop/c
cookie=0x6e7063,table=2,priority=100,ip,nw_src=10.0.0.1,actions=set_field:0x3->reg0,goto_table:3 # shop/c
"""


@pytest.mark.parametrize(
    ("source", "number", "expected"),
    [("10.0.0.1", 1, 6), ("10.0.0.9", 1, 1), ("10.0.0.7", 1, 1), ("10.0.0.1", 2, 2), ("10.0.0.1", 3, 4)],
)
def test_own_flow(source: str, number: int, expected: int) -> None:
    pages = Pages({"flows": FLOWS})
    assert own_flow(pages, Line("flows", number), _packet(source, "10.0.0.2")) == Line("flows", expected)


def test_a_listing_in_json_has_no_elements() -> None:
    assert element(Pages({"rules": '{"nftables": []}'}), Line("rules", 1), _packet(*PACKET)) is None


def _line(text: str, rule: str) -> Line:
    return Line("rules", next(number for number, one in enumerate(text.split("\n"), 1) if rule in one))


def _packet(source: str, destination: str) -> Packet:
    return Packet(parse_address(source), parse_address(destination), traffic.TCP << 16 | 80)
