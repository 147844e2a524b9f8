"""The words of nftables as its manual (nft(8), version 1.0) has them: values, headers and their fields."""

from __future__ import annotations

from collections.abc import Mapping

PROTOCOLS: Mapping[str, int] = {
    "ip": 0,
    "hopopt": 0,
    "icmp": 1,
    "igmp": 2,
    "ggp": 3,
    "ipencap": 4,
    "ipv4": 4,
    "st": 5,
    "tcp": 6,
    "egp": 8,
    "igp": 9,
    "pup": 12,
    "udp": 17,
    "hmp": 20,
    "xns-idp": 22,
    "rdp": 27,
    "iso-tp4": 29,
    "dccp": 33,
    "xtp": 36,
    "ddp": 37,
    "idpr-cmtp": 38,
    "ipv6": 41,
    "ipv6-route": 43,
    "ipv6-frag": 44,
    "idrp": 45,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "skip": 57,
    "ipv6-icmp": 58,
    "icmpv6": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "rspf": 73,
    "vmtp": 81,
    "eigrp": 88,
    "ospf": 89,
    "ospfigp": 89,
    "ax.25": 93,
    "ipip": 94,
    "etherip": 97,
    "encap": 98,
    "pim": 103,
    "ipcomp": 108,
    "comp": 108,
    "vrrp": 112,
    "l2tp": 115,
    "isis": 124,
    "sctp": 132,
    "fc": 133,
    "mobility-header": 135,
    "udplite": 136,
    "mpls-in-ip": 137,
    "manet": 138,
    "hip": 139,
    "shim6": 140,
    "wesp": 141,
    "rohc": 142,
    "ethernet": 143,
}
"""As /etc/protocols has them, whose names nft prints (IANA, protocol numbers)."""

ICMP_TYPES: Mapping[str, int] = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "source-quench": 4,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicitation": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
    "timestamp-request": 13,
    "timestamp-reply": 14,
    "info-request": 15,
    "info-reply": 16,
    "address-mask-request": 17,
    "address-mask-reply": 18,
}
ICMP_CODES: Mapping[str, int] = {
    "net-unreachable": 0,
    "host-unreachable": 1,
    "prot-unreachable": 2,
    "port-unreachable": 3,
    "frag-needed": 4,
    "net-prohibited": 9,
    "host-prohibited": 10,
    "admin-prohibited": 13,
}
ICMPV6_TYPES: Mapping[str, int] = {
    "destination-unreachable": 1,
    "packet-too-big": 2,
    "time-exceeded": 3,
    "parameter-problem": 4,
    "echo-request": 128,
    "echo-reply": 129,
    "mld-listener-query": 130,
    "mld-listener-report": 131,
    "mld-listener-done": 132,
    "mld-listener-reduction": 132,
    "nd-router-solicit": 133,
    "nd-router-advert": 134,
    "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136,
    "nd-redirect": 137,
    "router-renumbering": 138,
    "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142,
    "mld2-listener-report": 143,
}
ICMPV6_CODES: Mapping[str, int] = {
    "no-route": 0,
    "admin-prohibited": 1,
    "addr-unreachable": 3,
    "port-unreachable": 4,
    "policy-fail": 5,
    "reject-route": 6,
}
FAMILIES: Mapping[str, int] = {"ipv4": 2, "ipv6": 10}
"""Values of `meta nfproto`."""

CT_STATES: Mapping[str, int] = {"new": 8, "established": 2, "related": 4, "invalid": 1, "untracked": 64}
"""Each packet has exactly one of them; the numbers are their bits."""

PRIORITIES: Mapping[str, int] = {
    "raw": -300,
    "mangle": -150,
    "dstnat": -100,
    "filter": 0,
    "security": 50,
    "srcnat": 100,
}
"""Names of hook priorities in the families ip, ip6 and inet."""

OPERATORS: Mapping[str, str] = {
    "==": "==",
    "eq": "==",
    "!=": "!=",
    "ne": "!=",
    "<": "<",
    "lt": "<",
    ">": ">",
    "gt": ">",
    "<=": "<=",
    "le": "<=",
    ">=": ">=",
    "ge": ">=",
}

_OF_HEADERS: Mapping[str, str] = {
    "ip": "version hdrlength dscp ecn length id frag-off ttl protocol checksum saddr daddr",
    "ip6": "version dscp ecn flowlabel length nexthdr hoplimit saddr daddr",
    "tcp": "sport dport sequence ackseq doff reserved flags window checksum urgptr",
    "udp": "sport dport length checksum",
    "udplite": "sport dport checksum",
    "sctp": "sport dport vtag checksum",
    "dccp": "sport dport type",
    "th": "sport dport",
    "icmp": "type code checksum id sequence gateway mtu",
    "icmpv6": "type code checksum parameter-problem packet-too-big id sequence max-delay",
    "meta": "iif iifname iiftype iifgroup oif oifname oiftype oifgroup ibrname obrname length protocol"
    " nfproto l4proto priority mark skuid skgid pkttype cpu cgroup rtclassid time day hour",
    "ct": "state direction status mark expiration helper label zone id",
}
FIELDS: Mapping[str, frozenset[str]] = {name: frozenset(all.split()) for name, all in _OF_HEADERS.items()}
"""The fields that a match may name after each header."""
BARE = FIELDS["meta"] - {"length", "protocol", "nfproto", "l4proto", "priority"}
"""Fields of `meta` that may stand without that word."""

LOG_OPTIONS = frozenset({"prefix", "level", "group", "snaplen", "queue-threshold"})
"""Of the statement `log`, each with one word after it; `flags` is apart."""
REJECTIONS: Mapping[str, str] = {"icmp": "ip", "icmpv6": "ip6", "icmpx": "", "tcp": "tcp"}
"""What `reject with` answers, and the header that nft then asks for."""
