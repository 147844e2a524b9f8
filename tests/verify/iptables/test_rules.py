"""What rules match, packet by packet, and which are refused."""

from __future__ import annotations

import pytest

from npc.compiler.verify.program import CONTINUE, Malformed, Unsupported
from tests.verify.iptables.asking import of_rules, passes

SETS = """
create ips hash:ip family inet
add ips 10.0.0.1
create ips6 hash:ip family inet6
add ips6 fd00::1
create pairs hash:ip,port,ip
add pairs 10.0.0.1,tcp:80,10.0.0.2
create ports bitmap:port range 0-65535
add ports 80-90
"""

V4 = [
    # (a match, packets that it holds of, packets that it does not hold of)
    ("", ["1.1.1.1 > 2.2.2.2 tcp/1"], []),
    ("-s 10.0.0.0/8", ["10.1.2.3 > 1.1.1.1 tcp/1"], ["11.0.0.0 > 10.0.0.1 tcp/1"]),
    ("! -s 10.0.0.0/8 -d 10.0.0.1", ["11.0.0.0 > 10.0.0.1 tcp/1"], ["10.1.2.3 > 10.0.0.1 tcp/1"]),
    ("-s 10.0.0.1,10.0.0.3", ["10.0.0.3 > 1.1.1.1 tcp/1"], ["10.0.0.2 > 1.1.1.1 tcp/1"]),
    ("-d 10.0.0.0/255.0.255.0", ["1.1.1.1 > 10.7.0.9 udp/1"], ["1.1.1.1 > 10.7.1.9 udp/1"]),
    ("-s 0.0.0.0/0", ["10.0.0.3 > 1.1.1.1 tcp/1"], []),
    ("-p tcp", ["1.1.1.1 > 2.2.2.2 tcp/1"], ["1.1.1.1 > 2.2.2.2 udp/1"]),
    ("-p 47", ["1.1.1.1 > 2.2.2.2 gre/0"], ["1.1.1.1 > 2.2.2.2 udp/1"]),
    ("! -p tcp", ["1.1.1.1 > 2.2.2.2 udp/1"], ["1.1.1.1 > 2.2.2.2 tcp/1"]),
    ("-p all", ["1.1.1.1 > 2.2.2.2 gre/0"], []),
    ("-p tcp --dport 80:90", ["1.1.1.1 > 2.2.2.2 tcp/90"], ["1.1.1.1 > 2.2.2.2 udp/80"]),
    ("-p udp -m udp ! --dport 80", ["1.1.1.1 > 2.2.2.2 udp/81"], ["1.1.1.1 > 2.2.2.2 tcp/81"]),
    ("-p sctp --dport :9", ["1.1.1.1 > 2.2.2.2 sctp/0"], ["1.1.1.1 > 2.2.2.2 sctp/10"]),
    ("-p tcp --dport 9:", ["1.1.1.1 > 2.2.2.2 tcp/65535"], ["1.1.1.1 > 2.2.2.2 tcp/8"]),
    ("-m tcp --dport 80 -p tcp", ["1.1.1.1 > 2.2.2.2 tcp/80"], ["1.1.1.1 > 2.2.2.2 tcp/81"]),
    (
        "-p tcp -m multiport --dports 1,5:7",
        ["1.1.1.1 > 2.2.2.2 tcp/6", "1.1.1.1 > 2.2.2.2 tcp/1"],
        ["1.1.1.1 > 2.2.2.2 tcp/2", "1.1.1.1 > 2.2.2.2 udp/6"],
    ),
    (
        "-p udp -m multiport ! --dports 1,5:7",
        ["1.1.1.1 > 2.2.2.2 udp/2"],
        ["1.1.1.1 > 2.2.2.2 udp/5", "1.1.1.1 > 2.2.2.2 tcp/2"],
    ),
    ("-p icmp --icmp-type 8", ["1.1.1.1 > 2.2.2.2 icmp/8.3"], ["1.1.1.1 > 2.2.2.2 icmp/0.0"]),
    ("-p icmp --icmp-type echo-request", ["1.1.1.1 > 2.2.2.2 icmp/8.3"], ["1.1.1.1 > 2.2.2.2 icmp/9.0"]),
    ("-p icmp --icmp-type 3/1", ["1.1.1.1 > 2.2.2.2 icmp/3.1"], ["1.1.1.1 > 2.2.2.2 icmp/3.2"]),
    ("-p icmp --icmp-type host-unreachable", ["1.1.1.1 > 2.2.2.2 icmp/3.1"], ["1.1.1.1 > 2.2.2.2 icmp/3.2"]),
    ("-p icmp --icmp-type any", ["1.1.1.1 > 2.2.2.2 icmp/77.3"], ["1.1.1.1 > 2.2.2.2 tcp/1"]),
    ("-p icmp --icmp-type 255/3", ["1.1.1.1 > 2.2.2.2 icmp/77.9"], ["1.1.1.1 > 2.2.2.2 tcp/1"]),
    ("-p icmp ! --icmp-type 255", [], ["1.1.1.1 > 2.2.2.2 icmp/77.9"]),
    (
        "-p icmp -m icmp ! --icmp-type 8 -m icmp ! --icmp-type 0",
        ["1.1.1.1 > 2.2.2.2 icmp/9.0"],
        ["1.1.1.1 > 2.2.2.2 icmp/8.0", "1.1.1.1 > 2.2.2.2 icmp/0.0"],
    ),
    (
        "-m iprange --src-range 10.0.0.3-10.0.0.5 ! --dst-range 10.0.0.1-10.0.0.9",
        ["10.0.0.4 > 10.0.0.10 tcp/1"],
        ["10.0.0.4 > 10.0.0.9 tcp/1", "10.0.0.6 > 10.0.0.10 tcp/1"],
    ),
    ("-m iprange --src-range 10.0.0.5-10.0.0.3", [], ["10.0.0.4 > 10.0.0.10 tcp/1"]),
    ("-m conntrack --ctstate NEW,INVALID", ["1.1.1.1 > 2.2.2.2 tcp/1"], []),
    ("-m conntrack ! --ctstate NEW", [], ["1.1.1.1 > 2.2.2.2 tcp/1"]),
    ("-m state --state RELATED", [], ["1.1.1.1 > 2.2.2.2 tcp/1"]),
    ("-m set --match-set ips src", ["10.0.0.1 > 2.2.2.2 tcp/1"], ["2.2.2.2 > 10.0.0.1 tcp/1"]),
    ("-m set ! --match-set ips dst", ["10.0.0.1 > 2.2.2.2 tcp/1"], ["2.2.2.2 > 10.0.0.1 tcp/1"]),
    ("-m set --match-set ips dst,src,dst", ["2.2.2.2 > 10.0.0.1 tcp/1"], ["10.0.0.1 > 2.2.2.2 tcp/1"]),
    (
        "-m set --match-set pairs src,dst,dst",
        ["10.0.0.1 > 10.0.0.2 tcp/80"],
        ["10.0.0.1 > 10.0.0.2 tcp/81", "10.0.0.1 > 10.0.0.2 udp/80", "10.0.0.2 > 10.0.0.1 tcp/80"],
    ),
    (
        "-m set ! --match-set pairs src,dst,dst",
        ["10.0.0.1 > 10.0.0.2 udp/80"],
        ["10.0.0.1 > 10.0.0.2 tcp/80"],
    ),
    ("-m set --match-set pairs src,dst", [], ["10.0.0.1 > 10.0.0.2 tcp/80"]),
    (
        "-m set --match-set ports dst",
        ["1.1.1.1 > 2.2.2.2 tcp/80", "1.1.1.1 > 2.2.2.2 udp/90"],
        ["1.1.1.1 > 2.2.2.2 sctp/80", "1.1.1.1 > 2.2.2.2 tcp/91"],
    ),
    ("-m set --match-set ips src ! --update-counters", ["10.0.0.1 > 2.2.2.2 tcp/1"], []),
    ('-m comment --comment "-j ACCEPT \\"x\\""', ["10.0.0.1 > 2.2.2.2 tcp/1"], []),
    ("--source 10.0.0.1 --protocol tcp --match tcp --destination-port 80", ["10.0.0.1 > 2.2.2.2 tcp/80"], []),
]

V6 = [
    ("-s fd00::/16", ["fd00::1 > fd01::1 tcp/1"], ["fe00::1 > fd00::1 tcp/1"]),
    ("-p icmpv6 -m icmp6 --icmpv6-type 128", ["fd00::1 > fd01::1 icmpv6/128.3"], ["fd00::1 > fd01::1 tcp/1"]),
    ("-p ipv6-icmp --icmpv6-type 255", ["fd00::1 > fd01::1 icmpv6/255.0"], ["fd00::1 > fd01::1 icmpv6/1.0"]),
    ("-p icmpv6 --icmpv6-type no-route", ["fd00::1 > fd01::1 icmpv6/1.0"], ["fd00::1 > fd01::1 icmpv6/1.1"]),
    ("-p icmp", ["fd00::1 > fd01::1 icmp/8.0"], ["fd00::1 > fd01::1 icmpv6/8.0"]),
    ("-m set --match-set ips6 src", ["fd00::1 > fd01::1 tcp/1"], ["fd01::1 > fd00::1 tcp/1"]),
]


@pytest.mark.parametrize("target", ["DROP", "REJECT"])
@pytest.mark.parametrize(
    ("version", "match", "found", "missed"),
    [(4, *one) for one in V4] + [(6, *one) for one in V6],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_match(version: int, match: str, found: list[str], missed: list[str], target: str) -> None:
    read = of_rules(f"{match} -j {target}", version=version, sets=SETS)
    assert [text for text in found if passes(read, text)] == []
    assert [text for text in missed if not passes(read, text)] == []


UNSUPPORTED = [
    # (a rule, the construct that is named)
    ("-i eth0 -j DROP", "the match `-i eth0`"),
    ("! -o eth0 -j ACCEPT", "the match `-o eth0`"),
    ("-f -j DROP", "the match `-f`"),
    ("-p tcp --sport 80 -j DROP", "the match `--sport 80`"),
    ("-p tcp --tcp-flags SYN,ACK SYN -j DROP", "the match `--tcp-flags SYN,ACK SYN`"),
    ("-p tcp --syn -j DROP", "the match `--syn`"),
    ("-p tcp -m multiport --ports 80 -j DROP", "the match `--ports 80`"),
    ("-p tcp -m tcp --dport 1 -m tcp --dport 2 -j DROP", "the match `-m tcp` a second time"),
    ("-m mark --mark 0x1 -j DROP", "the match `--mark 0x1`"),
    ("-m limit --limit 1/s -j ACCEPT", "the match `limit`"),
    ("-m limit --limit 1/s -g D", "the match `limit`"),
    ("-m recent --name x -j DROP", "the match `-m recent`"),
    ("-m conntrack --ctstate DNAT -j DROP", "the state `dnat`"),
    ("-m conntrack --ctorigdst 10.0.0.1 -j DROP", "the match `--ctorigdst 10.0.0.1`"),
    ("-m set --match-set pairs src,src,dst -j DROP", "the source ports of the set `pairs`"),
    ("-m set --match-set ips src --return-nomatch -j DROP", "the match `--return-nomatch`"),
    ("-j NFQUEUE --queue-num 3", "the target `NFQUEUE`"),
    ("-s example.org -j DROP", "the address `example.org`"),
    ("-s 010.0.0.1 -j DROP", "the address `010.0.0.1`"),
    ("-s 10.1/16 -j DROP", "the address `10.1`"),
    ("-s 10.0.0.1/0.0.0.3 -j DROP", "the mask in `-s 0.0.0.1/0.0.0.3`"),
    ("! -s 10.0.0.1/0.0.0.3 -j DROP", "the mask in `10.0.0.1/0.0.0.3`, negated or in a list,"),
    ("-p tcp --dport http -j DROP", "the port `http`"),
    ("-p tcp --dport 0x50 -j DROP", "the port `0x50`"),
    ("-p tcp --dport 010 -j DROP", "the port `010`"),
    ("-p nosuch -j DROP", "the protocol `nosuch`"),
    ("-p icmp --icmp-type nosuch -j DROP", "the ICMP type `nosuch`"),
]

MALFORMED = [
    ("-j NOWHERE", "the chain `NOWHERE`"),
    ("-g ACCEPT", "`-g ACCEPT`"),
    ("-j FORWARD", "the chain `FORWARD`"),
    ("--dport 80 -p tcp -j DROP", "the option `--dport`"),
    ("-m tcp --dport 80 -j DROP", "the match `tcp`"),
    ("! -p tcp -m tcp --dport 80 -j DROP", "the match `tcp`"),
    ("-p tcp -m udp --dport 80 -j DROP", "the match `udp`"),
    ("-p tcp --dport 80 --dport 81 -j DROP", "`--dport` a second time"),
    ("-p tcp --dport 90:80 -j DROP", "the ports `90:80`"),
    ("-p tcp --dport 65536 -j DROP", "the port `65536`"),
    ("-p tcp --dport", "the end of the rule in place of what follows --dport"),
    ("-p 256 -j DROP", "the protocol `256`"),
    ("! -p all -j DROP", "`! -p all`"),
    ("-p tcp -p udp -j DROP", "`-p` a second time"),
    ("-s 10.0.0.1 -s 10.0.0.2 -j DROP", "`-s` a second time"),
    ("! -s 10.0.0.1,10.0.0.2 -j DROP", "`! 10.0.0.1,10.0.0.2`"),
    ("-s fd00::1 -j DROP", "the address `fd00::1`"),
    ("-s 10.0.0.1/33 -j DROP", "the prefix length `33`"),
    ("-j ACCEPT -j DROP", "`-j` a second time"),
    ("-j DROP -g D", "`-j` a second time"),
    ("! -j DROP", "`! -j`"),
    ("-m multiport --dports 80 -j DROP", "the match `multiport`"),
    ("-m multiport --dports 80 -p tcp -j DROP", "the match `multiport`"),
    ("-p icmp -m multiport --dports 80 -j DROP", "the match `multiport`"),
    ("-p tcp -m multiport -j DROP", "the match `-m multiport` without an option"),
    (f"-p tcp -m multiport --dports {','.join(map(str, range(1, 17)))} -j DROP", "the ports `1,2,3"),
    ("-p icmp -m icmp -j DROP", "the match `-m icmp` without an option"),
    ("-p icmp -m icmp6 --icmpv6-type 8 -j DROP", "the match `-m icmp6`"),
    ("-m icmp --icmp-type 8 -j DROP", "the match `icmp`"),
    ("-p icmp --icmp-type 256 -j DROP", "the ICMP type `256`"),
    ("-m set --match-set nosuch src -j DROP", "the set `nosuch`, which is not there,"),
    ("-m set --match-set ips6 src -j DROP", "the set `ips6`"),
    ("-m set --match-set ips up -j DROP", "the flags `up`"),
    ("-m set --match-set ips src --match-set ips dst -j DROP", "`--match-set` a second time"),
    ("-j REJECT --reject-with tcp-reset", "the answer `tcp-reset`"),
    ("-j REJECT --reject-with icmp6-no-route", "the answer `icmp6-no-route`"),
    ("-j ACCEPT --log-prefix x", "the option `--log-prefix`"),
    ('-m comment --comment "x -j DROP', "a quotation without an end"),
    ("-j", "the end of the rule in place of what follows -j"),
    ("10.0.0.1 -j DROP", "the option `10.0.0.1`"),
]


@pytest.mark.parametrize(
    ("rule", "construct", "kind"),
    [(*one, Unsupported) for one in UNSUPPORTED] + [(*one, Malformed) for one in MALFORMED],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused_is_named(rule: str, construct: str, kind: type[Unsupported]) -> None:
    with pytest.raises(Unsupported) as caught:
        of_rules(rule, sets=SETS, chains=("D",))
    assert caught.value.construct.startswith(construct)
    assert type(caught.value) is kind
    assert str(caught.value.line) == "npc.v4.rules:4"


LOGS = [
    "-j LOG",
    '-m limit --limit 10/sec --limit-burst 20 -j LOG --log-prefix "npc \\"x\\" " --log-level 7 --log-uid',
    "-i eth0 -p tcp --syn -j NFLOG --nflog-group 3 --nflog-prefix x",
    "-s 10.0.0.1/0.0.0.3 -j LOG",
    "-p tcp -m tcp --sport 80",
    "-m addrtype --dst-type LOCAL -m comment --comment x",
]


@pytest.mark.parametrize("rule", LOGS)
def test_what_only_logs_may_match_anything(rule: str) -> None:
    read = of_rules(rule, "-j DROP")
    first, _ = read.chains["iptables NPC-FORWARD"].rules
    assert first.action == CONTINUE
    assert not passes(read, "1.1.1.1 > 2.2.2.2 tcp/1")


def test_a_jump_to_chains_that_only_log_may_match_anything() -> None:
    read = of_rules(
        "-m limit --limit 1/s -j L",
        "-j DROP",
        "-A L -p tcp -g M",
        "-A M -j LOG",
        "-A M -j RETURN",
        chains=("L", "M"),
    )
    assert not passes(read, "1.1.1.1 > 2.2.2.2 tcp/1")


def test_goto_comes_back_to_the_rule_after_the_jump() -> None:
    read = of_rules(
        "-j A",
        "-p tcp -j DROP",
        "-A A -p tcp -g B",
        "-A A -j ACCEPT",
        "-A B -p tcp --dport 80 -j RETURN",
        "-A B -s 10.0.0.1 -j DROP",
        chains=("A", "B"),
    )
    assert not passes(read, "1.1.1.1 > 2.2.2.2 tcp/80")
    assert not passes(read, "1.1.1.1 > 2.2.2.2 tcp/81")
    assert passes(read, "10.0.0.1 > 2.2.2.2 udp/81")


BITS = [f"-s 0.0.0.{one}/0.0.0.3 -d 0.0.0.{one}/0.0.0.3 -g T" for one in range(4)]
TREE = ["-A T -s 10.0.0.6 -d 10.0.0.6 -j DROP", "-A T -d 10.1.0.0/30 -g U", "-A U -s 10.1.0.5 -j DROP"]


def test_masks_are_of_the_addresses_that_are_decided_about() -> None:
    read = of_rules(*BITS, *TREE, chains=("T", "U"))
    assert not passes(read, "10.0.0.6 > 10.0.0.6 tcp/1")
    assert passes(read, "10.0.0.7 > 10.0.0.7 tcp/1")
    assert not passes(read, "10.1.0.5 > 10.1.0.1 tcp/1")
    assert passes(read, "10.1.0.5 > 10.1.0.2 tcp/1"), "other bits"
    assert passes(read, "10.1.0.6 > 10.1.0.2 tcp/1")


def test_masks_before_rules_that_may_decide_too_are_refused() -> None:
    with pytest.raises(Unsupported, match="mask in"):
        of_rules(*BITS, "-d 10.9.0.0/16 -j DROP", *TREE, chains=("T", "U"))
