"""What sets hold after the commands of a text, and which texts are refused."""

from __future__ import annotations

import pytest

from npc.compiler.verify.program import Malformed, Unsupported
from tests.verify.iptables.asking import of_rules, passes

HOLDS = [
    # (type, commands, flags, packets that the set x matches, packets that it does not match)
    (
        "hash:ip",
        "add x 10.0.0.1\nadd x 10.0.0.4/30",
        "src",
        ["10.0.0.7 > 9.0.0.1 tcp/1"],
        ["10.0.0.8 > 9.0.0.1 tcp/1"],
    ),
    (
        "hash:ip netmask 24",
        "add x 10.0.1.7",
        "dst",
        ["9.0.0.1 > 10.0.1.9 tcp/1"],
        ["9.0.0.1 > 10.0.2.7 tcp/1"],
    ),
    ("bitmap:ip range 10.0.0.0/24", "add x 10.0.0.0-10.0.0.3", "dst", ["9.0.0.1 > 10.0.0.0 tcp/1"], []),
    (
        "hash:net",
        "add x 10.0.0.0/8\nadd x 10.1.0.0/16 nomatch\nadd x 10.1.2.0/24\nadd x 10.1.2.3 nomatch",
        "dst",
        ["9.0.0.1 > 10.0.0.1 tcp/1", "9.0.0.1 > 10.1.2.4 tcp/1"],
        ["9.0.0.1 > 10.1.0.1 tcp/1", "9.0.0.1 > 10.1.2.3 tcp/1", "9.0.0.1 > 11.0.0.1 tcp/1"],
    ),
    ("hash:net", "add x 10.0.0.0/8 nomatch\nadd x 10.0.0.0/8", "dst", ["9.0.0.1 > 10.0.0.1 tcp/1"], []),
    ("hash:net", "add x 10.0.0.0/8\nadd x 10.0.0.0/8 nomatch", "dst", [], ["9.0.0.1 > 10.0.0.1 tcp/1"]),
    ("hash:net", "add x 10.0.0.9/8", "dst", ["9.0.0.1 > 10.9.9.9 tcp/1"], []),
    (
        "hash:ip,port",
        "add x 10.0.0.1,tcp:80-82\nadd x 10.0.0.1,53\nadd x 10.0.0.1,icmp:echo-request\nadd x 10.0.0.1,47:0",
        "dst,dst",
        ["9.0.0.1 > 10.0.0.1 tcp/81", "9.0.0.1 > 10.0.0.1 tcp/53", "9.0.0.1 > 10.0.0.1 gre/7"],
        ["9.0.0.1 > 10.0.0.1 udp/53", "9.0.0.1 > 10.0.0.1 icmp/8.1", "10.0.0.1 > 9.0.0.1 tcp/80"],
    ),
    (
        "hash:net,port",
        "add x 10.0.0.0/8,tcp:1-9\nadd x 10.1.0.0/16,tcp:5 nomatch\nadd x 10.1.0.0/16,udp:5",
        "src,dst",
        ["10.1.0.1 > 9.0.0.1 tcp/4", "10.1.0.1 > 9.0.0.1 udp/5", "10.2.0.1 > 9.0.0.1 tcp/5"],
        ["10.1.0.1 > 9.0.0.1 tcp/5", "10.2.0.1 > 9.0.0.1 udp/5"],
    ),
    (
        "hash:ip,port,ip",
        "add x 10.0.0.1,tcp:80,10.0.0.2\nadd x 10.0.0.3,tcp:80,10.0.0.2\nadd x 10.0.0.1,udp:53,10.0.0.4",
        "src,dst,dst",
        ["10.0.0.3 > 10.0.0.2 tcp/80", "10.0.0.1 > 10.0.0.4 udp/53"],
        ["10.0.0.3 > 10.0.0.4 udp/53", "10.0.0.2 > 10.0.0.1 tcp/80"],
    ),
    (
        "hash:ip,port,net",
        "add x 10.0.0.1,tcp:80,11.0.0.0/8\nadd x 10.0.0.1,tcp:80,11.1.0.0/16 nomatch",
        "src,dst,dst",
        ["10.0.0.1 > 11.0.0.1 tcp/80"],
        ["10.0.0.1 > 11.1.0.1 tcp/80", "10.0.0.2 > 11.0.0.1 tcp/80"],
    ),
    (
        "list:set",
        "create y hash:ip\nadd y 10.0.0.1\ncreate z hash:ip,port\nadd z 10.0.0.2,tcp:80\nadd x y\nadd x z",
        "dst,dst",
        ["9.0.0.1 > 10.0.0.1 udp/1", "9.0.0.1 > 10.0.0.2 tcp/80"],
        ["9.0.0.1 > 10.0.0.2 tcp/81"],
    ),
    (
        "hash:ip comment counters timeout 0",
        'add x 10.0.0.1 timeout 0 packets 3 bytes 4 comment "a b"',
        "src",
        ["10.0.0.1 > 9.0.0.1 tcp/1"],
        [],
    ),
    (
        "hash:ip",
        "# add x 10.0.0.1\n\nadd x 10.0.0.2",
        "src",
        [],
        ["10.0.0.1 > 9.0.0.1 tcp/1"],
    ),
    ("hash:ip", "add x 10.0.0.1\nflush x\nadd x 10.0.0.2", "src", [], ["10.0.0.1 > 9.0.0.1 tcp/1"]),
    (
        "hash:ip",
        "add x 10.0.0.1\ncreate y hash:ip\nadd y 10.0.0.2\ncreate x hash:ip family inet\nswap y x\ndestroy y",
        "src",
        ["10.0.0.2 > 9.0.0.1 tcp/1"],
        ["10.0.0.1 > 9.0.0.1 tcp/1"],
    ),
    (
        "hash:ip",
        "destroy x\ncreate y hash:ip\nadd y 10.0.0.2\nrename y x",
        "src",
        ["10.0.0.2 > 9.0.0.1 tcp/1"],
        [],
    ),
]


@pytest.mark.parametrize(("type", "commands", "flags", "found", "missed"), HOLDS)
def test_what_a_set_holds(type: str, commands: str, flags: str, found: list[str], missed: list[str]) -> None:
    sets = f"create x {type}\n{commands}\n"
    read = of_rules(f"-m set --match-set x {flags} -j DROP", sets=sets)
    assert [text for text in found if passes(read, text)] == []
    assert [text for text in missed if not passes(read, text)] == []


def test_sets_that_a_host_lists() -> None:
    sets = """Name: x
Type: hash:net
Revision: 7
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x32f5224b
Size in memory: 696
References: 0
Number of entries: 2
Members:
10.1.0.0/16 nomatch
10.0.0.0/8

Name: y
Type: list:set
Revision: 3
Header: size 8
Size in memory: 176
References: 0
Number of entries: 1
Members:
x
"""
    read = of_rules("-m set --match-set y src -j DROP", sets=sets)
    assert not passes(read, "10.0.0.1 > 9.0.0.1 tcp/1")
    assert passes(read, "10.1.0.1 > 9.0.0.1 tcp/1")


REFUSED = [
    # (commands, the construct that is named, its line, whether ipset refuses it, too)
    ("create x hash:mac", "a set of the type `hash:mac`", 1, False),
    (
        "create x hash:ip\nadd x 10.0.0.0/8\ncreate y hash:ip\ndel x 10.0.0.1",
        "the ipset command `del`",
        4,
        False,
    ),
    ("create x hash:ip\nadd y 10.0.0.1", "the set `y`, which is not there,", 2, True),
    ("create x hash:ip\nswap x y", "the set `y`, which is not there,", 2, True),
    ("create x hash:ip\ncreate y hash:net\nswap x y", "`swap x y`", 3, True),
    ("create x hash:ip\ncreate y hash:ip\nrename x y", "`rename x y`", 3, True),
    ("create x hash:ip\ncreate x hash:net", "the set `x`", 2, True),
    ("create x hash:ip\ncreate x hash:ip family inet6", "the set `x`", 2, True),
    ("create x hash:ip\ndestroy x", "the set `x`, which is not there,", 3, True),
    ("create x hash:ip family ipv6", "the family `ipv6`", 1, True),
    ("create x hash:ip bitmask 255.0.0.0", "the option `bitmask` of a set", 1, False),
    ("create x hash:ip maxelem", "the option `maxelem` without a value", 1, True),
    ("create x hash:ip maxelem 2\nadd x 10.0.0.4/30", "the set `x`", 1, True),
    ("create x hash:ip\nadd x fd00::1", "the address `fd00::1`", 2, True),
    ("create x hash:ip\nadd x 0.0.0.0", "the element `0.0.0.0`", 2, True),
    ("create x hash:ip\nadd x 10.0.0.1 nomatch", "`nomatch` for `10.0.0.1`", 2, True),
    ("create x hash:ip timeout 9\nadd x 10.0.0.1", "an element that times out", 2, False),
    ("create x hash:ip timeout 0\nadd x 10.0.0.1 timeout 9", "an element that times out", 2, False),
    ("create x hash:ip\nadd x 10.0.0.9-10.0.0.1", "the element `10.0.0.9-10.0.0.1`", 2, False),
    ("create x hash:ip\nadd x 10.0.0.1,80", "the element `10.0.0.1,80`", 2, True),
    ("create x hash:ip\nadd x example.org", "the address `example.org`", 2, False),
    ("create x hash:net\nadd x 0.0.0.0/0", "the element `0.0.0.0/0`", 2, True),
    ("create x hash:net\nadd x 10.0.0.0/33", "the prefix length `33`", 2, True),
    ("create x hash:ip,port\nadd x 10.0.0.1", "the element `10.0.0.1`", 2, True),
    ("create x hash:ip,port\nadd x 10.0.0.1,gre:3", "the element `gre:3`", 2, True),
    ("create x hash:ip,port\nadd x 10.0.0.1,0:0", "the element `0:0`", 2, True),
    ("create x hash:ip,port\nadd x 10.0.0.1,icmpv6:1/1", "the element `icmpv6:1/1`", 2, True),
    ("create x hash:ip,port\nadd x 10.0.0.1,http", "the port `http`", 2, False),
    ("create x hash:ip,port\nadd x 10.0.0.1,tcp:90-80", "the ports `90-80`", 2, False),
    ("create x hash:ip,port,ip\nadd x 10.0.0.1,tcp:80,10.0.0.0/30", "the address `10.0.0.0/30`", 2, False),
    ("create x bitmap:port range 10-20\nadd x 30", "the element `30`", 2, True),
    ("create x bitmap:ip range 10.0.0.0/24\nadd x 10.0.1.0", "the element `10.0.1.0`", 2, True),
    ("create x list:set\nadd x y", "the set `y` in a list of sets", 1, True),
]


@pytest.mark.parametrize(("commands", "construct", "line", "is_malformed"), REFUSED)
def test_what_is_refused_is_named(commands: str, construct: str, line: int, is_malformed: bool) -> None:
    with pytest.raises(Unsupported) as caught:
        of_rules("-m set --match-set x src -j DROP", sets=f"{commands}\n")
    assert caught.value.construct == construct
    assert (caught.value.line.number, type(caught.value) is Malformed) == (line, is_malformed)


def test_sets_that_nobody_asks_for_may_hold_anything() -> None:
    sets = "create x hash:mac\nadd x 01:02:03:04:05:06\ncreate y hash:ip\nadd y 10.0.0.1\n"
    assert not passes(of_rules("-m set --match-set y src -j DROP", sets=sets), "10.0.0.1 > 9.9.9.9 tcp/1")
