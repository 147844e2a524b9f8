"""The names that iptables(8), iptables-extensions(8) and ipset(8) know, with what they stand for."""

from __future__ import annotations

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family

_PROTOCOLS = """
    icmp 1  igmp 2  ggp 3  ipencap 4  st 5  tcp 6  egp 8  igp 9  pup 12  udp 17  hmp 20  xns-idp 22  rdp 27
    iso-tp4 29  dccp 33  xtp 36  ddp 37  idpr-cmtp 38  ipv6 41  ipv6-route 43  ipv6-frag 44  idrp 45  rsvp 46
    gre 47  esp 50  ah 51  skip 57  ipv6-icmp 58  icmpv6 58  ipv6-nonxt 59  ipv6-opts 60  rspf 73  vmtp 81
    eigrp 88  ospf 89  ax.25 93  ipip 94  etherip 97  encap 98  pim 103  ipcomp 108  vrrp 112  l2tp 115
    isis 124  sctp 132  fc 133  mobility-header 135  ipv6-mh 135  mh 135  udplite 136  mpls-in-ip 137
    manet 138  hip 139  shim6 140  wesp 141  rohc 142  ethernet 143
"""
PROTOCOLS = {name: int(text) for name, text in zip(*[iter(_PROTOCOLS.split())] * 2, strict=True)}
"""Numbers of protocols by the names in /etc/protocols, which listings use."""

DCCP, UDPLITE = PROTOCOLS["dccp"], PROTOCOLS["udplite"]

PORT_MODULES = {"tcp": traffic.TCP, "udp": traffic.UDP, "sctp": traffic.SCTP, "dccp": DCCP}
"""Modules that compare ports, each with the one protocol that it can be used with."""
MULTIPORT_PROTOCOLS = frozenset({traffic.TCP, traffic.UDP, traffic.SCTP, DCCP, UDPLITE})
ICMP_MODULES = {
    (Family.V4, "icmp"): traffic.ICMP,
    (Family.V6, "icmp6"): traffic.ICMPV6,
    (Family.V6, "icmpv6"): traffic.ICMPV6,
    (Family.V6, "ipv6-icmp"): traffic.ICMPV6,
}
"""Each family has one for its own ICMP alone."""

MODULES: dict[str, dict[str, int]] = {
    "tcp": {"--dport": 1, "--sport": 1, "--tcp-flags": 2, "--syn": 0, "--tcp-option": 1},
    "udp": {"--dport": 1, "--sport": 1},
    "sctp": {"--dport": 1, "--sport": 1},
    "dccp": {"--dport": 1, "--sport": 1, "--dccp-types": 1, "--dccp-option": 1},
    "icmp": {"--icmp-type": 1},
    "icmp6": {"--icmpv6-type": 1},
    "multiport": {"--dports": 1, "--sports": 1, "--ports": 1},
    "iprange": {"--src-range": 1, "--dst-range": 1},
    "conntrack": {
        **dict.fromkeys(["--ctstate", "--ctproto", "--ctorigsrc", "--ctorigdst", "--ctreplsrc"], 1),
        **dict.fromkeys(["--ctrepldst", "--ctorigsrcport", "--ctorigdstport", "--ctstatus"], 1),
        **dict.fromkeys(["--ctreplsrcport", "--ctrepldstport", "--ctexpire", "--ctdir"], 1),
    },
    "state": {"--state": 1},
    "set": {
        "--match-set": 2,
        "--return-nomatch": 0,
        "--update-counters": 0,
        "--update-subcounters": 0,
        **dict.fromkeys(["--packets-eq", "--packets-lt", "--packets-gt"], 1),
        **dict.fromkeys(["--bytes-eq", "--bytes-lt", "--bytes-gt"], 1),
    },
    "comment": {"--comment": 1},
    "limit": {"--limit": 1, "--limit-burst": 1},
    "hashlimit": {
        **dict.fromkeys(["--hashlimit-upto", "--hashlimit-above", "--hashlimit-burst"], 1),
        **dict.fromkeys(["--hashlimit-mode", "--hashlimit-srcmask", "--hashlimit-dstmask"], 1),
        **dict.fromkeys(["--hashlimit-name", "--hashlimit-htable-size", "--hashlimit-htable-max"], 1),
        **dict.fromkeys(["--hashlimit-htable-expire", "--hashlimit-htable-gcinterval"], 1),
    },
    "mark": {"--mark": 1},
    "connmark": {"--mark": 1},
    "mac": {"--mac-source": 1},
    "addrtype": {"--src-type": 1, "--dst-type": 1, "--limit-iface-in": 0, "--limit-iface-out": 0},
    "physdev": {
        "--physdev-in": 1,
        "--physdev-out": 1,
        "--physdev-is-in": 0,
        "--physdev-is-out": 0,
        "--physdev-is-bridged": 0,
    },
    "pkttype": {"--pkt-type": 1},
    "statistic": {"--mode": 1, "--probability": 1, "--every": 1, "--packet": 1},
    "length": {"--length": 1},
}
"""The options of each module, with the number of words after them."""

ALIASES = {
    "--source": "-s",
    "--src": "-s",
    "--destination": "-d",
    "--dst": "-d",
    "--protocol": "-p",
    "--proto": "-p",
    "--match": "-m",
    "--jump": "-j",
    "--goto": "-g",
    "--in-interface": "-i",
    "--out-interface": "-o",
    "--fragment": "-f",
    "--destination-port": "--dport",
    "--source-port": "--sport",
    "--destination-ports": "--dports",
    "--source-ports": "--sports",
}

TARGETS: dict[str, dict[str, int]] = {
    "LOG": {
        "--log-prefix": 1,
        "--log-level": 1,
        "--log-tcp-sequence": 0,
        "--log-tcp-options": 0,
        "--log-ip-options": 0,
        "--log-uid": 0,
        "--log-macdecode": 0,
    },
    "NFLOG": {
        "--nflog-group": 1,
        "--nflog-prefix": 1,
        "--nflog-range": 1,
        "--nflog-size": 1,
        "--nflog-threshold": 1,
    },
    "REJECT": {"--reject-with": 1},
}
"""The options of targets beside ACCEPT, DROP and RETURN, with the number of words after them."""
_OTHER_TARGETS = """
    AUDIT CHECKSUM CLASSIFY CLUSTERIP CONNMARK CONNSECMARK CT DNAT DSCP ECN HL HMARK IDLETIMER LED MARK
    MASQUERADE NETMAP NFQUEUE NOTRACK QUEUE RATEEST REDIRECT SECMARK SET SNAT SYNPROXY TCPMSS TCPOPTSTRIP TEE
    TOS TPROXY TRACE TTL ULOG
"""
OTHER_TARGETS = frozenset(_OTHER_TARGETS.split())

_REJECTS_V4 = """
    icmp-net-unreachable net-unreach icmp-host-unreachable host-unreach icmp-proto-unreachable proto-unreach
    icmp-port-unreachable port-unreach icmp-net-prohibited net-prohib icmp-host-prohibited host-prohib
    tcp-reset tcp-rst icmp-admin-prohibited admin-prohib
"""
_REJECTS_V6 = """
    icmp6-no-route no-route icmp6-adm-prohibited adm-prohibited icmp6-addr-unreachable addr-unreach
    icmp6-port-unreachable port-unreach tcp-reset icmp6-policy-fail policy-fail icmp6-reject-route
    reject-route
"""
REJECTS = {Family.V4: frozenset(_REJECTS_V4.split()), Family.V6: frozenset(_REJECTS_V6.split())}
TCP_RESETS = frozenset({"tcp-reset", "tcp-rst"})

CT_STATES = ("new", "established", "related", "invalid", "untracked")
"""What connection tracking finds of any packet: one of these."""

_CODES_V4 = (
    "network-unreachable host-unreachable protocol-unreachable port-unreachable fragmentation-needed "
    "source-route-failed network-unknown host-unknown - network-prohibited host-prohibited "
    "TOS-network-unreachable TOS-host-unreachable communication-prohibited host-precedence-violation "
    "precedence-cutoff"
)
_REDIRECTS_V4 = "network-redirect host-redirect TOS-network-redirect TOS-host-redirect"
_CODES_V6 = (
    "no-route communication-prohibited beyond-scope address-unreachable port-unreachable failed-policy "
    "reject-route"
)
_TIME_CODES = "ttl-zero-during-transit ttl-zero-during-reassembly"


def _codes(kind: int, names: str) -> dict[str, tuple[int, int]]:
    return {name: (kind, code) for code, name in enumerate(names.split()) if name != "-"}


TYPE_CODES: dict[Family, dict[str, tuple[int, int]]] = {
    Family.V4: {
        **_codes(3, _CODES_V4),
        **_codes(5, _REDIRECTS_V4),
        **_codes(11, _TIME_CODES),
        **_codes(12, "ip-header-bad required-option-missing"),
    },
    Family.V6: {
        **_codes(1, _CODES_V6),
        **_codes(3, _TIME_CODES),
        **_codes(4, "bad-header unknown-header-type unknown-option"),
    },
}
"""Names that mean one code of a type, to iptables and to ipset."""

TYPES: dict[Family, dict[str, int]] = {
    Family.V4: {
        "echo-reply": 0,
        "pong": 0,
        "destination-unreachable": 3,
        "source-quench": 4,
        "redirect": 5,
        "echo-request": 8,
        "ping": 8,
        "router-advertisement": 9,
        "router-solicitation": 10,
        "time-exceeded": 11,
        "ttl-exceeded": 11,
        "parameter-problem": 12,
        "timestamp-request": 13,
        "timestamp-reply": 14,
        "address-mask-request": 17,
        "address-mask-reply": 18,
    },
    Family.V6: {
        "destination-unreachable": 1,
        "packet-too-big": 2,
        "time-exceeded": 3,
        "ttl-exceeded": 3,
        "parameter-problem": 4,
        "echo-request": 128,
        "ping": 128,
        "echo-reply": 129,
        "pong": 129,
        "router-solicitation": 133,
        "router-advertisement": 134,
        "redirect": 137,
        **dict.fromkeys(["neighbour-solicitation", "neighbor-solicitation"], 135),
        **dict.fromkeys(["neighbour-advertisement", "neighbor-advertisement"], 136),
    },
}
"""Names of whole types, to iptables; to ipset they mean code 0 of the type."""
