"""What single rules mean: packets that a rule is about, and others that it is not about.

The rules are ones that nft takes, and lists with the same meaning: see test_listings.
"""

from __future__ import annotations

import pytest

from tests.verify.nft.rulesets import passes, read, table

NAMED = """
	set pods { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 }
	}
	set none { type ipv4_addr; }
	set blocks6 { type ipv6_addr; flags interval; elements = { fd00::/64, fd01::1-fd01::5 }
	}
	set pairs { type ipv4_addr . inet_proto . inet_service . ipv4_addr
		elements = { 10.0.0.1 . tcp . 80 . 10.0.0.9, 10.0.0.1 . udp . 53 . 10.0.0.9,
			10.0.0.2 . tcp . 80 . 10.0.0.9 }
	}
	set wide { type ipv4_addr . inet_service; flags interval; elements = { 10.1.0.0/16 . 80-90 }
	}
	set of { typeof ip saddr . tcp dport; elements = { 10.0.0.1 . 22 }
	}
	set types { type icmp_type; elements = { echo-request }
	}
	map classes { type ipv4_addr : verdict
		elements = { 10.0.0.1 : jump yes, 10.0.0.2 : goto yes, 10.0.0.3 : drop, 10.0.0.4 : return }
	}
	chain yes {
		tcp dport 80 accept
	}
"""

MEANINGS = [
    # (the rule, packets that it accepts, packets that it does not)
    ("accept", "10.0.0.1 10.0.0.9 tcp/1, v6 47", ""),
    ("ip saddr 10.0.0.1 accept", "10.0.0.1 10.0.0.9 47", "10.0.0.2 10.0.0.9 47, v6 47"),
    ("ip saddr != 10.0.0.1 accept", "10.0.0.2 10.0.0.9 47", "10.0.0.1 10.0.0.9 47, v6 47"),
    ("ip daddr 10.0.0.0/30 accept", "1.1.1.1 10.0.0.3 47", "1.1.1.1 10.0.0.4 47"),
    ("ip daddr 10.0.0.5/30 accept", "1.1.1.1 10.0.0.4 47", "1.1.1.1 10.0.0.8 47"),
    ("ip saddr 10.0.0.3-10.0.0.5 accept", "10.0.0.5 47", "10.0.0.6 47"),
    ("ip saddr { 10.0.0.1, 10.1.0.0/16 } accept", "10.1.2.3 47", "10.0.0.2 47"),
    ("ip saddr != { 10.0.0.1, 10.1.0.0/16 } accept", "10.0.0.2 47", "10.1.2.3 47"),
    ("ip saddr > 10.0.0.1 accept", "10.0.0.2 47", "10.0.0.1 47, v6 47"),
    ("ip6 daddr != fd00::/64 accept", "fd01::1 fd01::2 47", "v6 47, 10.0.0.1 10.0.0.2 47"),
    ("ip saddr @pods accept", "10.0.0.2 47", "10.0.0.3 47"),
    ("ip saddr != @pods accept", "10.0.0.3 47", "10.0.0.2 47, v6 47"),
    ("ip saddr @none accept", "", "10.0.0.1 47"),
    ("ip saddr != @none accept", "10.0.0.1 47", "v6 47"),
    ("ip6 saddr @blocks6 accept", "fd01::5 47, fd00::7 47", "fd01::6 47"),
    ("tcp dport 80 accept", "10.0.0.1 10.0.0.9 tcp/80, v6 tcp/80", "10.0.0.1 10.0.0.9 udp/80"),
    ("tcp dport != 80 accept", "10.0.0.1 10.0.0.9 tcp/81", "10.0.0.1 10.0.0.9 tcp/80, udp/9"),
    ("udp dport { 53, 80-90 } accept", "udp/85", "udp/91"),
    ("sctp dport >= 80 accept", "sctp/80", "sctp/79"),
    ("tcp dport lt 80 accept", "tcp/79", "tcp/80"),
    ("tcp dport < 0 accept", "", "tcp/0"),
    ("tcp dport 80 - 90 accept", "tcp/90", "tcp/91"),
    ("meta l4proto { tcp, udp } th dport 53 accept", "udp/53", "sctp/53"),
    ("th dport != 53 meta l4proto tcp accept", "tcp/54", "udp/54"),
    ("meta l4proto != tcp accept", "47, v6 icmp/8.0", "tcp/9"),
    ("meta l4proto { 6, gre, 200-210 } accept", "47, 205", "50"),
    ("meta l4proto ipv6-icmp accept", "icmpv6/1.1", "icmp/1.1"),
    ("ip protocol { tcp, icmp } accept", "icmp/8.0", "v6 tcp/80"),
    ("meta nfproto ipv6 accept", "v6 tcp/80", "tcp/80"),
    ("meta nfproto != ipv6 accept", "tcp/80", "v6 tcp/80"),
    ("icmp type echo-request accept", "icmp/8.3", "icmp/9.0, v6 icmp/8.0"),
    ("icmp type 3-5 accept", "icmp/4.0", "icmp/6.0"),
    ("icmp type != 3-5 accept", "icmp/6.0", "icmp/4.0, tcp/9"),
    ("icmp type 3 icmp code { 1, port-unreachable } accept", "icmp/3.3", "icmp/3.2, icmp/4.3"),
    ("icmp type . icmp code { 3 . 1 } accept", "icmp/3.1", "icmp/3.2"),
    ("icmp type @types accept", "icmp/8.0", "icmp/0.0"),
    ("icmpv6 type 133-137 accept", "v6 icmpv6/137.0", "v6 icmpv6/138.0"),
    ("icmpv6 type packet-too-big icmpv6 code no-route accept", "v6 icmpv6/2.0", "v6 icmpv6/2.1, icmpv6/2.0"),
    (
        "ip saddr . meta l4proto . th dport . ip daddr @pairs accept",
        "10.0.0.1 10.0.0.9 udp/53, 10.0.0.2 10.0.0.9 tcp/80",
        "10.0.0.2 10.0.0.9 udp/53, 10.0.0.1 10.0.0.8 tcp/80",
    ),
    ("ip saddr . tcp dport @wide accept", "10.1.2.3 tcp/85", "10.1.2.3 udp/85, 10.2.0.0 tcp/85"),
    (
        "ip saddr . tcp dport != @wide accept",
        "10.2.0.0 tcp/85, 10.1.2.3 tcp/91",
        "10.1.2.3 tcp/85, 10.1.2.3 udp/85, v6 tcp/1",
    ),
    ("ip saddr . tcp dport @of accept", "10.0.0.1 tcp/22", "10.0.0.1 tcp/23"),
    ("ip saddr . ip daddr { 10.0.0.1 . 10.0.0.1 } accept", "10.0.0.1 10.0.0.1 47", "10.0.0.1 10.0.0.2 47"),
    ("ip saddr { 10.0.0.1, * } accept", "9.9.9.9 47", "v6 47"),
    ("ip saddr vmap { 10.0.0.1 : drop, * : accept }", "9.9.9.9 47", "10.0.0.1 47"),
    (
        "tcp dport vmap { 22 : accept, 80-90 : jump yes, 443 : continue }; tcp dport 443 accept",
        "tcp/22, tcp/80, tcp/443",
        "tcp/81, udp/22",
    ),
    ("tcp dport vmap {22:accept, 23: drop}", "tcp/22", "tcp/23"),
    (
        "ip saddr vmap @classes; accept",
        "10.0.0.1 tcp/81, 10.0.0.2 tcp/80, 10.0.0.5 tcp/1",
        "10.0.0.2 tcp/81, 10.0.0.3 tcp/80, 10.0.0.4 tcp/80",
    ),
    ("return; accept", "", "tcp/22"),
    ("tcp dport 9 drop; accept", "tcp/8", "tcp/9"),
    ("reject with tcp reset; accept", "udp/8", "tcp/9"),
    ("reject with icmp type port-unreachable; accept", "v6 udp/8", "udp/9"),
    ("reject with icmpv6 no-route; accept", "udp/8", "v6 udp/9"),
    ("reject with icmpx admin-prohibited; accept", "", "udp/8, v6 udp/9"),
    ("reject; accept", "", "udp/8"),
    ("continue counter accept", "udp/8", ""),
    (
        'ip saddr 10.0.0.1 counter packets 5 bytes 7 log prefix "a } #" level info accept comment "b"',
        "10.0.0.1 udp/8",
        "10.0.0.2 udp/8",
    ),
    ("limit rate 10/second burst 20 packets log; accept", "udp/8", ""),
    ("tcp flags & (fin | syn) == syn counter; tcp flags syn / syn,ack log; accept", "tcp/8", ""),
    ('iifname "eth0" counter; meta nftrace set 1; meta mark 5 log group 3 snaplen 2; accept', "tcp/8", ""),
]


@pytest.mark.parametrize(("rule", "accepted", "others"), MEANINGS, ids=[one[0] for one in MEANINGS])
def test_rules_accept(rule: str, accepted: str, others: str) -> None:
    program = read(table(*rule.split("; "), more=NAMED))
    assert [text for text in accepted.split(", ") if text and not passes(program, text)] == []
    assert [text for text in others.split(", ") if text and passes(program, text)] == []


STATES = ["new", "established", "related", "invalid", "untracked"]


@pytest.mark.parametrize(
    ("rule", "accepted"),
    [
        ("ct state established,related accept", ["established", "related"]),
        ("ct state established accept", ["established"]),
        ("ct state { new, untracked } accept", ["new", "untracked"]),
        ("ct state != established accept", ["new", "related", "invalid", "untracked"]),
        ("ct state != { established, related } accept", ["new", "invalid", "untracked"]),
        (
            "ct state vmap { established : accept, new : drop, invalid : jump yes }",
            ["established", "invalid"],
        ),
        ("ct state vmap @states", ["related"]),
    ],
)
def test_states_of_connections(rule: str, accepted: list[str]) -> None:
    more = "map states { type ct_state : verdict; elements = { related : accept }\n}\nchain yes {\naccept\n}"
    program = read(table(rule, more=more))
    assert [one for one in STATES if passes(program, "1.1.1.1 2.2.2.2 tcp/80", one)] == accepted


def test_a_rule_tells_its_line() -> None:
    program = read(table("accept", "ip saddr 10.0.0.1 drop"))
    assert [str(rule.line) for rule in program.chains["forward"].rules] == ["npc.nft:5", "npc.nft:6"]
