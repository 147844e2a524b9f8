"""Traffic and peers as iptables options and ipset sets."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from npc.backends import icmp
from npc.backends.iptables.kept import Alternative, Kept
from npc.backends.iptables.layout import Layout
from npc.backends.iptables.names import Names
from npc.backends.iptables.ruleset import IpSet
from npc.backends.iptables.tree import port_text
from npc.backends.naming import shortened
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, as_cidr, format_address, format_cidr
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.algebra.peers import Group, Peers, members
from npc.compiler.frontend.syntax import Direction
from npc.compiler.optimize.blocks import hulls
from npc.compiler.optimize.prefixes import match_table

_ANY_TYPE = 255
"""iptables takes this ICMP type, which is reserved, for every type; ip6tables takes it for itself."""
_TYPES = {
    Family.V4: (("-p", "icmp"), ("-m", "icmp"), "--icmp-type"),
    Family.V6: (("-p", "icmpv6"), ("-m", "icmp6"), "--icmpv6-type"),
}

_IN_BITMAPS = (traffic.TCP, traffic.UDP)
"""Protocols whose ports the kernel looks up in a bitmap:port (ipset(8)); of any other it finds none."""
SLOTS = 15
"""Ports that one multiport match takes; a range takes two."""
LONGEST_COMMENT = 200
"""Characters: ipset reads lines of 1,023 bytes, comments too."""
MOST_NEGATED = 15
"""Negated ICMP types in one rule: iptables-restore takes 255 words a line."""
MAXELEM = 1 << 22
"""Elements that a set may hold, the same for all: a set cannot be created again with another number."""


def address_option(direction: Direction, *, peer: bool) -> str:
    """-s or -d: the side of the subject, or of its peer."""
    return "-s" if peer == (direction is Direction.INGRESS) else "-d"


def address_match(option: str, piece: Range) -> Alternative:
    """One range of addresses: an address, a block, or first-last."""
    if piece[0] == piece[1]:
        return option, format_address(piece[0])
    block = as_cidr(piece)
    return (option, format_cidr(block)) if block is not None else _in_range(option, piece)


def block_matches(blocks: Intervals, option: str, family: Family) -> list[Alternative]:
    """Alternatives that match exactly some addresses of a family: blocks, and their holes negated."""
    found: list[Alternative] = []
    for hull, holes in hulls(blocks):
        match = list[str]() if (hull,) == family.every.ranges else [*address_match(option, hull)]
        for hole in holes:
            if not match and as_cidr(hole) is not None:  # a rule has room for one -s or -d
                match += ["!", *address_match(option, hole)]
            else:
                match += _in_range(option, hole, negated=True)
        found.append(tuple(match))
    return found


def _in_range(option: str, piece: Range, *, negated: bool = False) -> Alternative:
    side = "--src-range" if option == "-s" else "--dst-range"
    text = f"{format_address(piece[0])}-{format_address(piece[1])}"
    return ("-m", "iprange", *(["!"] if negated else []), side, text)


@dataclass(slots=True)
class Matches:
    """Makes matches, and collects the sets that they refer to."""

    names: Names
    use_sets: bool
    layout: Layout
    kept: Kept = field(default_factory=Kept)
    sets: dict[str, IpSet] = field(default_factory=dict)

    def traffic(self, wanted: Intervals, family: Family) -> list[Alternative]:
        """Alternatives that match exactly some traffic of a family; one empty alternative matches all.

        No packet matches two of them.
        """
        if wanted == traffic.ANY:
            return [()]
        found: list[Alternative] = []
        for protocol, ranges in traffic.by_protocol(icmp.own_types(wanted, family)).items():
            if ranges == ((0, traffic.LAST_PORT),):
                found.append(("-p", protocol_name(protocol)))
            elif protocol in icmp.PROTOCOLS:
                found += icmp_types(ranges, family)
            else:
                found += self._ports(protocol, ranges)
        return found

    def _ports(self, protocol: int, ranges: tuple[Range, ...]) -> list[Alternative]:
        name = protocol_name(protocol)
        found = port_matches(protocol, ranges)
        if len(found) > self.layout.most_port_rules and self.use_sets and protocol in _IN_BITMAPS:
            texts = tuple(port_text(one).replace(":", "-") for one in ranges)
            set_name = self.names.set("o", None, " ".join(texts))
            self.sets[set_name] = IpSet(set_name, "bitmap:port", "range 0-65535", texts)
            return [("-p", name, "-m", "set", "--match-set", set_name, "dst")]
        return found

    def peers(self, peers: Peers, direction: Direction, family: Family) -> list[Alternative]:
        """Alternatives that match exactly the peers of a family; one empty alternative matches all."""
        blocks = peers.blocks & family.every
        option = address_option(direction, peer=True)
        outside: Alternative = ()
        if blocks and (taken := members(peers.holes, family)):
            if self.use_sets:
                outside = in_set(self.group_set(peers.holes, family), option, negated=True)
            else:
                blocks -= Intervals.of(*((one, one) for one in taken))
        if blocks == family.every and not outside:
            return [()]
        found: list[Alternative] = []
        if peers.groups:
            if self.use_sets:
                found.append(in_set(self.group_set(peers.groups, family), option))
            else:
                found += [(option, format_address(one)) for one in members(peers.groups, family)]
        if blocks:
            inline = self._block_matches(blocks, option, family)
            ranges = sum(one.count("iprange") for one in inline)
            few = len(inline) <= self.layout.blocks_inline and ranges <= self.layout.ranges_inline
            if self.use_sets and not few:
                inline = [in_set(self._block_set(blocks, family), option)]
            found += [(*match, *outside) for match in inline]
        return found

    def group_set(self, groups: frozenset[Group], family: Family) -> str:
        """The name of the set of some groups' addresses."""
        keys = sorted(group.key for group in groups)
        name = self.names.set("p", family, "\n".join(keys))
        if name not in self.sets:
            known = self.kept.sets.get((name, groups, family))
            if known is None:
                addresses = tuple(map(self.kept.texts.__getitem__, members(groups, family)))
                about = shortened(keys, LONGEST_COMMENT)
                known = IpSet(name, "hash:ip", hash_options(family), addresses, about)
                self.kept.sets[name, groups, family] = known
            self.sets[name] = known
        return name

    def _block_matches(self, blocks: Intervals, option: str, family: Family) -> list[Alternative]:
        known = self.kept.blocks.get((blocks, option, family))
        if known is None:
            known = self.kept.blocks[blocks, option, family] = block_matches(blocks, option, family)
        return known

    def add_hash(self, name: str, family: Family, elements: tuple[str, ...], comment: Iterable[str]) -> None:
        """An exact set of addresses."""
        about = shortened(comment, LONGEST_COMMENT)
        self.sets[name] = IpSet(name, "hash:ip", hash_options(family), elements, about)

    def _block_set(self, blocks: Intervals, family: Family) -> str:
        # hash:net takes no prefix of length 0.
        table = match_table(blocks, family, whole=False)
        texts = tuple(format_cidr(block) + ("" if matches else " nomatch") for block, matches in table)
        name = self.names.set("b", family, " ".join(texts))
        self.sets[name] = IpSet(name, "hash:net", hash_options(family), texts)
        return name


def protocol_name(protocol: int) -> str:
    """As iptables knows it; a number where it has no name."""
    return {**traffic.NAMES, traffic.ICMPV6: "icmpv6"}.get(protocol, str(protocol))


def icmp_types(ranges: tuple[Range, ...], family: Family) -> list[Alternative]:
    """Alternatives that match exactly some types and codes of a family's own ICMP.

    Type 255 over IPv4 is left out where it could not be said by leaving out others.
    """
    protocol, module, option = _TYPES[family]
    unusable = _ANY_TYPE if family is Family.V4 else None
    others = (Intervals(((0, traffic.LAST_PORT),)) - Intervals(ranges)).ranges
    few_others = list(islice(icmp.parts(others), MOST_NEGATED + 1))
    wanted = list(islice(icmp.parts(ranges), len(few_others) + 1))
    negatable = len(few_others) <= MOST_NEGATED and all(part.kind != unusable for part in few_others)
    if negatable and (len(few_others) < len(wanted) or any(part.kind == unusable for part in wanted)):
        return [(*protocol, *(word for part in few_others for word in (*module, "!", option, str(part))))]
    return [(*protocol, *module, option, str(part)) for part in icmp.parts(ranges) if part.kind != unusable]


def in_set(name: str, option: str, *, negated: bool = False) -> Alternative:
    """Whether the address that -s or -d stands for is in a set."""
    side = "src" if option == "-s" else "dst"
    return "-m", "set", *(["!"] if negated else []), "--match-set", name, side


def hash_options(family: Family) -> str:
    """How sets of a family's addresses are created."""
    return f"family {'inet' if family is Family.V4 else 'inet6'} maxelem {MAXELEM}"


def port_matches(protocol: int, ranges: tuple[Range, ...]) -> list[Alternative]:
    """The fewest alternatives that match exactly some ports of a protocol; no packet matches two of them.

    What is not wanted may be one negated alternative. Of equally many those that name fewer ports are taken.
    """
    wanted, others = _packs(ranges), _packs((Intervals(((0, traffic.LAST_PORT),)) - Intervals(ranges)).ranges)
    negated = len(others) == 1 and (1, _slots(others[0])) < (len(wanted), sum(map(_slots, wanted)))
    start = ("-p", protocol_name(protocol))
    return [(*start, *_dports(pack, negated=negated)) for pack in (others if negated else wanted)]


def _dports(pack: tuple[Range, ...], *, negated: bool) -> Alternative:
    sign = ("!",) if negated else ()
    if len(pack) == 1:
        return *sign, "--dport", port_text(pack[0])
    return "-m", "multiport", *sign, "--dports", ",".join(map(port_text, pack))


def _packs(ranges: tuple[Range, ...]) -> list[tuple[Range, ...]]:
    """Ports in as few packs as multiport takes.

    A range takes two slots, so that seven leave one for a single port; two ports side by side are as good as
    two single ones, and are parted where that saves a pack.
    """
    if _slots(ranges) <= SLOTS:
        return [ranges] if ranges else []
    parted = [part for piece in ranges for part in (_ends(piece) if piece[1] == piece[0] + 1 else (piece,))]
    return min(_filled(ranges), _filled(parted), key=len)


def _ends(piece: Range) -> tuple[Range, Range]:
    low, high = piece
    return (low, low), (high, high)


def _filled(ranges: Iterable[Range]) -> list[tuple[Range, ...]]:
    """Packs with ranges first: a slot is wasted only where no single port is left."""
    longer, singles = deque[Range](), deque[Range]()
    for piece in ranges:
        (singles if piece[0] == piece[1] else longer).append(piece)
    packs = []
    while longer or singles:
        pack = [longer.popleft() for _ in range(min(len(longer), SLOTS // 2))]
        pack += [singles.popleft() for _ in range(min(len(singles), SLOTS - 2 * len(pack)))]
        packs.append(Intervals.of(*pack).ranges)
    return packs


def _slots(pack: tuple[Range, ...]) -> int:
    return sum(1 if low == high else 2 for low, high in pack)
