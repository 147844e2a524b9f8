"""The mutations of each target's notation, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tests.verify.mutations import (
    ADDRESS_OFF,
    NUMBER,
    PREFIX_CHANGED,
    Mutation,
    added,
    another,
    constant,
    doubled,
    dropped,
    either,
    item_dropped,
    moved,
    moved_elsewhere,
    nothing,
    off_by_one,
    one_of,
    replaced,
    swapped,
    within,
)

# --- nftables -----------------------------------------------------------------------------------------------


def nft_rules(lines: Sequence[str]) -> Mapping[str, list[int]]:
    """The rules of each chain."""
    found: dict[str, list[int]] = {}
    chain = ""
    for number, line in enumerate(lines):
        if opened := re.fullmatch(r"\tchain (\S+) \{", line):
            chain = opened[1]
            found[chain] = []
        elif line == "\t}":
            chain = ""
        elif chain and not re.match(r"\t\t(type|comment) ", line):
            found[chain].append(number)
    return found


def nft_elements(lines: Sequence[str], kind: str = r"set|map") -> Mapping[str, list[int]]:
    """The elements of each set and map."""
    found: dict[str, list[int]] = {}
    name = ""
    for number, line in enumerate(lines):
        if opened := re.fullmatch(rf"\t(?:{kind}) (\S+) \{{", line):
            name = opened[1]
            found[name] = []
        elif line == "\t}":
            name = ""
        elif name and line.startswith("\t\t\t"):
            found[name].append(number)
    return found


def _nft_alike(lines: Sequence[str]) -> Mapping[str, list[int]]:
    """The elements of the sets of peers of one family: any may stand in any."""
    found = nft_elements(lines, "set")
    family = "4" if sum("4_" in name for name in found) >= sum("6_" in name for name in found) else "6"
    return {name: places for name, places in found.items() if re.match(rf"p{family}_", name)}


def _maps(lines: Sequence[str]) -> Mapping[str, list[int]]:
    return nft_elements(lines, "map")


_CHAINS: Final = r"(?:jump|goto) (\w+)"
_NFT: Final[dict[str, Mutation]] = {
    "element dropped": dropped(nft_elements),
    "element added": added(nft_elements, ADDRESS_OFF),
    "element moved to another set": moved_elsewhere(_nft_alike),
    "element's verdict swapped": within(_maps, replaced(another(_CHAINS), _CHAINS)),
    "item of a list dropped": replaced(item_dropped, r"\{ ([^}]*) \}"),
    "port off by one": replaced(off_by_one, r".*dport.*", NUMBER),
    "ICMP type or code off by one": replaced(off_by_one, r"icmp.*", NUMBER),
    "port of a pair off by one": within(
        nft_elements, replaced(off_by_one, r"(?<= \. )\d+(?:-\d+)?(?= \. )", NUMBER)
    ),
    "address off by one": ADDRESS_OFF,
    "prefix length changed": PREFIX_CHANGED,
    "verdict flipped": within(
        nft_rules,
        replaced(one_of("accept", "drop", "return", "continue"), r"\b(accept|drop|return)(?=$| #)"),
    ),
    "policy flipped": replaced(swapped(("accept", "drop")), r"policy (\w+)"),
    "rule moved": moved(nft_rules),
    "rule moved to another chain": moved_elsewhere(nft_rules),
    "rule dropped": dropped(nft_rules),
    "rule doubled": doubled(nft_rules),
    "set swapped": within(nft_rules, replaced(another(r"@(\w+)"), r"@(\w+)")),
    "chain swapped": within(nft_rules, replaced(another(_CHAINS), _CHAINS)),
    "jump for goto": replaced(swapped(("jump", "goto")), r"\b(jump|goto) "),
    "negation removed or added": either(
        replaced(nothing, r"!= "), replaced(constant("addr != "), r"addr (?=[\d@a-f])")
    ),
    "family swapped": within(nft_rules, replaced(swapped(("ip", "ip6")), r"\b(ip6?) [sd]addr")),
    "ends swapped": within(nft_rules, replaced(swapped(("saddr", "daddr")), r"\b([sd]addr)\b")),
    "protocol swapped": replaced(one_of("tcp", "udp", "sctp"), r"\b(tcp|udp|sctp)\b"),
    "connections of another state": replaced(
        one_of("established", "related", "established,related,new", "established,related,invalid", "new"),
        r"ct state (\S+)",
    ),
    "hook swapped": replaced(one_of("forward", "input", "output"), r"hook (\w+)"),
}

# --- iptables and ipset -------------------------------------------------------------------------------------


def ipt_rules(lines: Sequence[str]) -> Mapping[str, list[int]]:
    """The rules of each chain."""
    return _by(r"-A (\S+) ", lines)


def ipt_elements(lines: Sequence[str]) -> Mapping[str, list[int]]:
    """The elements of each set."""
    return _by(r"add (\S+) ", lines)


def _by(pattern: str, lines: Sequence[str]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if match := re.match(pattern, line):
            found.setdefault(match[1], []).append(number)
    return found


def _ipt_alike(lines: Sequence[str]) -> Mapping[str, list[int]]:
    """The elements of the sets of hosts of one family."""
    found = ipt_elements(lines)
    hosts = {
        family: [
            name for name in found if f"create {name} hash:ip family {family} maxelem 4194304" in set(lines)
        ]
        for family in ("inet", "inet6")
    }
    return {name: found[name] for name in max(hosts.values(), key=len)}


def _rename(line: str, old: str, new: str) -> str:
    return line.replace(f" {old} ", f" {new} ", 1)


_TARGET: Final = r"-[jg] (\S+)"
_SET: Final = r"--match-set (\S+)"
_IPTABLES: Final[dict[str, Mutation]] = {
    "element dropped": dropped(ipt_elements),
    "element added": added(ipt_elements, ADDRESS_OFF),
    "element moved to another set": moved_elsewhere(_ipt_alike, _rename),
    "except added or removed": within(
        ipt_elements,
        either(replaced(nothing, r" nomatch$"), replaced(constant(" nomatch"), r"(?<=/\d\d)()$", "")),
    ),
    "port off by one": either(
        replaced(off_by_one, r"--dports? (\S+)", r"\d+"),
        replaced(off_by_one, r"(?:tcp|udp|sctp):(\S+)", r"(?<![.:\d])\d+(?![.:\d])"),
    ),
    "ICMP type or code off by one": replaced(off_by_one, r"--icmp(?:v6)?-type (\S+)", r"\d+"),
    "item of a list dropped": replaced(item_dropped, r"--dports (\S+)"),
    "address off by one": ADDRESS_OFF,
    "prefix length changed": PREFIX_CHANGED,
    "verdict flipped": replaced(one_of("ACCEPT", "DROP", "RETURN"), r"-j (ACCEPT|DROP|RETURN)\b"),
    "rule moved": moved(ipt_rules),
    "rule moved to another chain": moved_elsewhere(ipt_rules, _rename),
    "rule dropped": dropped(ipt_rules),
    "rule doubled": doubled(ipt_rules),
    "set swapped": replaced(another(_SET), _SET),
    "chain swapped": replaced(another(r"-[jg] (\w+-\S+)"), r"-[jg] (\w+-\S+)"),
    "jump for goto": replaced(swapped(("-j", "-g")), r"(-[jg]) \w+-"),
    "negation removed or added": either(
        replaced(nothing, r"! (?=-)"), replaced(constant("! "), r"(?<!! )()(?=-[sdp] |--dport)", "")
    ),
    "ends swapped": either(
        replaced(swapped(("-s", "-d")), r" (-[sd]) "),
        replaced(swapped(("src", "dst")), r" (src|dst) "),
        replaced(
            one_of("src,dst,dst", "dst,src,src", "dst,dst,src"), r" ((?:src|dst),(?:src|dst),(?:src|dst)) "
        ),
    ),
    "protocol swapped": replaced(one_of("tcp", "udp", "sctp"), r"\b(tcp|udp|sctp)\b"),
    "connections of another state": replaced(
        one_of("ESTABLISHED", "RELATED", "RELATED,ESTABLISHED,NEW", "RELATED,ESTABLISHED,INVALID", "NEW"),
        r"--ctstate (\S+)",
    ),
}

# --- Open vSwitch -------------------------------------------------------------------------------------------


def flows(lines: Sequence[str]) -> Mapping[str, list[int]]:
    """The flows of each table."""
    return _by(r"cookie=\S+?,(table=\d+),", lines)


_GOTO: Final = r"goto_table:(\d+)"
_OVS: Final[dict[str, Mutation]] = {
    "flow dropped": dropped(flows),
    "flow added": added(flows, ADDRESS_OFF),
    "flow moved to another table": moved_elsewhere(
        flows, lambda line, old, new: line.replace(f",{old},", f",{new},", 1)
    ),
    "priority changed": replaced(off_by_one, r"priority=(\d+)"),
    "priority of another flow": replaced(another(r"priority=(\d+)"), r"priority=(\d+)"),
    "port off by one": replaced(off_by_one, r"(?:tcp|udp|sctp|tp)_dst=(0x[0-9a-f]+|\d+)"),
    "mask of ports changed": replaced(
        one_of("0xffff", "0xfffe", "0xfffc", "0xff00", "0x7fff"), r"_dst=0x[0-9a-f]+/(0x[0-9a-f]+)"
    ),
    "ICMP type or code off by one": replaced(off_by_one, r"icmp(?:v6)?_(?:type|code)=(\d+)"),
    "protocol number off by one": replaced(off_by_one, r"nw_proto=(\d+)"),
    "address off by one": ADDRESS_OFF,
    "prefix length changed": PREFIX_CHANGED,
    "verdict flipped": either(
        replaced(constant("drop"), r"actions=((?:goto_table:\d+|NORMAL))"),
        replaced(constant("NORMAL"), r"actions=((?:goto_table:\d+|drop))"),
    ),
    "next table swapped": replaced(another(_GOTO), _GOTO),
    "next table off by one": replaced(off_by_one, _GOTO),
    "class swapped": either(
        replaced(another(r"set_field:(0x[0-9a-f]+)"), r"set_field:(0x[0-9a-f]+)"),
        replaced(another(r"reg\d=(0x[0-9a-f]+)"), r"reg\d=(0x[0-9a-f]+)"),
    ),
    "register swapped": replaced(another(r"\b(reg\d)\b"), r"\b(reg\d)\b"),
    "register's condition removed": replaced(nothing, r"reg\d=[^,]+,(?=\w)"),
    "ends swapped": replaced(swapped(("src", "dst")), r"(?:nw|ipv6)_(src|dst)="),
    "protocol swapped": replaced(
        one_of("tcp", "udp", "sctp", "ip", "ipv6", "tcp6", "udp6"), r",(tcp6?|udp6?|ip|ipv6),"
    ),
    "dimension of a conjunction swapped": replaced(one_of("1/2", "2/2"), r"conjunction\(\d+,([12]/2)\)"),
    "conjunction swapped": replaced(another(r"conjunction\((\d+),"), r"conjunction\((\d+),"),
    "conjunction's own flow swapped": replaced(another(r"conj_id=(\d+)"), r"conj_id=(\d+)"),
    "connections of another state": replaced(swapped(("+", "-")), r"ct_state=(\S+?),", r"[+-]"),
    "zone changed": replaced(off_by_one, r"zone=(\d+)"),
    "connections not tracked": replaced(constant(""), r"actions=(ct\(commit,zone=\d+\),)"),
}

MUTATIONS: Final[Mapping[str, Mapping[str, Mutation]]] = {"nft": _NFT, "iptables": _IPTABLES, "ovs": _OVS}
"""By target and name."""
