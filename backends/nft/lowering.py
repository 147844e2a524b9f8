"""From a plan to an nftables table.

The layout: packets of established connections leave first; the source's address picks its egress
class by a verdict map, the destination's picks its ingress class; a class is a chain that compares
the traffic first and the peer second. A packet that egress allows goes on to ingress, so both are
asked (P3); only ingress accepts. What no rule allows meets the exceptions (A1, A2) and is denied.
Names stand for the class or the selectors, so members come and go as elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from npc.backends.base import Deny, Options, OwnNode
from npc.backends.naming import content_names
from npc.backends.nft.keywords import KEYWORDS
from npc.backends.nft.layout import MEASURED, Layout
from npc.backends.nft.matches import (
    address_field,
    address_range_text,
    block_matches,
    range_text,
    traffic_matches,
)
from npc.backends.nft.ruleset import Chain, Dispatch, Element, Match, Rule, Set, Table
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Group, Peers
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.syntax import Direction
from npc.compiler.optimize.cover import Arm, by_peers, by_traffic
from npc.compiler.plan import Class, Plan

_LONGEST_COMMENT = 128
_CONNTRACK_PRIORITY = -200
_NEIGHBOUR_DISCOVERY = Match("icmpv6 type", ("133-137",))
"""Router and neighbour solicitation and advertisement, redirect (RFC 4861, section 4)."""

_PeerSet = tuple[Family, frozenset[Group]]


def lower(plan: Plan, options: Options, layout: Layout = MEASURED) -> Table:
    """The table that enforces a plan; InputError for options that nftables cannot use."""
    _check(options)
    lowering = _Lowering(plan, options, layout)
    chains = [chain for one in plan.classes for chain in lowering.class_chains(one)]
    families = [family for family in Family if lowering.subjects_of(family)]
    base = _base_chains(lowering, options, families)
    sets = [*lowering.maps(), *lowering.self_sets(families), *lowering.sets()]
    return Table(
        options.table,
        tuple(sets),
        (*base, *sorted(chains, key=_name_of), *sorted(lowering.arm_chains.values(), key=_name_of)),
        _heading(plan, options),
    )


def _name_of(chain: Chain) -> str:
    return chain.name


def _check(options: Options) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", options.table) or options.table in KEYWORDS:
        raise InputError(
            [
                Diagnostic(
                    codes.OPTION,
                    f"{options.table!r} cannot be the name of an nftables table",
                    help="letters, digits and '_', beginning with a letter, and no word of nft's own",
                )
            ]
        )
    if not _CONNTRACK_PRIORITY < options.hook_priority <= 2**31 - 1:
        raise InputError(
            [
                Diagnostic(
                    codes.OPTION,
                    f"the hook priority {options.hook_priority} cannot be used",
                    help=f"above {_CONNTRACK_PRIORITY}, where connection tracking has seen the packet",
                )
            ]
        )


def _heading(plan: Plan, options: Options) -> tuple[str, ...]:
    counts = []
    for direction in Direction:
        classes = [one for one in plan.classes if one.direction is direction]
        subjects = sum(len(one.subjects) for one in classes)
        counts.append(f"{direction.value}: isolated endpoints {subjects:,}, classes {len(classes):,}")
    where = f"node {plan.node}" if plan.node is not None else "all endpoints of the inventory"
    return (
        f"Compiled by npc for nftables: {where}.",
        "; ".join(counts).capitalize() + ".",
        f"Load with `nft -f FILE`: it replaces the table inet {options.table} in one transaction.",
    )


def _base_chains(lowering: _Lowering, options: Options, families: list[Family]) -> list[Chain]:
    """Where packets come in, the way to ingress, the exceptions, and the end of what is denied."""
    by_direction = {
        direction: [
            Dispatch(address_field(family, direction, peer=False), _map_name(direction, family))
            for family in Family
            if lowering.members[direction, family]
        ]
        for direction in Direction
    }
    established = Rule((Match("ct state", ("established,related",)),), "accept")
    egress, ingress = by_direction[Direction.EGRESS], by_direction[Direction.INGRESS]
    hooks = {"forward": egress}
    if options.own_node is OwnNode.POLICED:
        hooks |= {"input": egress, "output": []}
    chains = [
        Chain(hook, (established, *dispatches, Rule((), "goto ingress")), hook=_hook(hook, options))
        for hook, dispatches in hooks.items()
    ]
    chains.append(Chain("ingress", (*ingress, Rule((), "accept"))))
    always = [Rule((_NEIGHBOUR_DISCOVERY,), "accept")] if Family.V6 in families else []
    for family in families:
        word = "ip" if family is Family.V4 else "ip6"
        match = Match(f"{word} saddr . {word} daddr", (f"@self{family.value}",))
        always.append(Rule((match,), "accept"))
    chains.append(Chain("always", tuple(always), comment="neighbour discovery; an endpoint to itself"))
    chains.append(Chain("deny", _deny(options)))
    return chains


def _hook(hook: str, options: Options) -> str:
    priority = "filter" if options.hook_priority == 0 else str(options.hook_priority)
    return f"type filter hook {hook} priority {priority}; policy accept;"


def _deny(options: Options) -> tuple[Rule, ...]:
    if options.deny_with is Deny.DROP:
        return (Rule((), "drop"),)
    return (
        Rule((Match("meta l4proto", ("tcp",)),), "reject with tcp reset"),
        Rule((), "reject with icmpx admin-prohibited"),
    )


def _map_name(direction: Direction, family: Family) -> str:
    return f"{direction.value}{family.value}"


def _comment(words: Iterable[str]) -> str:
    """Words joined, as many as a comment may hold."""
    listed = list(words)
    text = ", ".join(listed)
    shown = len(listed)
    while len(text) > _LONGEST_COMMENT - 1 and shown > 1:
        shown -= 1
        text = ", ".join(listed[:shown]) + f" and {len(listed) - shown} more"
    return text if len(text) < _LONGEST_COMMENT else text[: _LONGEST_COMMENT - 4] + "..."


@dataclass(slots=True)
class _Lowering:
    """The names of a plan's classes and peers, and the sets and chains that they are found to need."""

    plan: Plan
    options: Options
    layout: Layout
    members: dict[tuple[Direction, Family], dict[int, Class]] = field(init=False)
    """The class of each subject's address."""
    arm_chains: dict[str, Chain] = field(default_factory=dict)
    _arms: dict[int, tuple[Arm, ...]] = field(default_factory=dict)
    _class_names: dict[str, str] = field(init=False)
    _peer_names: dict[str, str] = field(init=False)
    _inline: frozenset[_PeerSet] = frozenset()
    _lists: bool = True
    _group_sets: dict[str, _PeerSet] = field(default_factory=dict)
    _block_sets: dict[str, Intervals] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.members = {(direction, family): {} for direction in Direction for family in Family}
        for one in self.plan.classes:
            for subject in one.subjects:
                for address in subject.addresses:
                    self.members[one.direction, Family.of(address)][address] = one
            arms = by_peers(one.decision)
            self._arms[id(one)] = arms if len(arms) <= self.layout.most_arms else by_traffic(one.decision)
        self._class_names = content_names(one.key for one in self.plan.classes)
        every_peers = {arm.peers for arms in self._arms.values() for arm in arms}
        self._peer_names = content_names(
            text
            for one in every_peers
            for text in (_groups_text(one.groups), _blocks_text(one.blocks), _peers_text(one))
        )
        self._keep_to_budget()

    def _keep_to_budget(self) -> None:
        """Too many sets load too slowly: give up lists and sets of blocks, and the smallest sets of peers."""
        groups: set[_PeerSet] = set()
        blocks: set[tuple[Family, Intervals]] = set()
        lists = 0
        for one in self.plan.classes:
            families = {Family.of(address) for subject in one.subjects for address in subject.addresses}
            for arm in self._arms[id(one)]:
                groups |= {(family, arm.peers.groups) for family in families if arm.peers.groups}
                blocks |= {
                    (family, arm.peers.blocks) for family in families if len(arm.peers.blocks.ranges) > 1
                }
                lists += len(families) * (len(arm.traffic.ranges) > 1)
        if len(groups) + len(blocks) + lists <= self.layout.set_budget:
            return
        self._lists = False
        by_size = sorted(groups, key=lambda one: (len(_members(one)), _groups_text(one[1]), one[0].value))
        excess = max(0, len(groups) - self.layout.set_budget)
        self._inline = frozenset(
            one for one in by_size[:excess] if len(_members(one)) <= self.layout.inline_peers
        )

    def subjects_of(self, family: Family) -> set[int]:
        """The addresses of all subjects of a family."""
        return {address for direction in Direction for address in self.members[direction, family]}

    def maps(self) -> list[Set]:
        """The verdict maps: from a subject's address to its class."""
        return [
            Set(
                _map_name(direction, family),
                f"{_type(family)} : verdict",
                tuple(
                    Element(
                        f"{format_address(address)} : goto {self._class_name(one, family)}",
                        self.plan.names[address],
                    )
                    for address, one in sorted(found.items())
                ),
            )
            for (direction, family), found in self.members.items()
            if found
        ]

    def self_sets(self, families: list[Family]) -> list[Set]:
        """Each subject's address twice, for packets from an endpoint to itself (A2)."""
        return [
            Set(
                f"self{family.value}",
                f"{_type(family)} . {_type(family)}",
                tuple(
                    Element(f"{format_address(one)} . {format_address(one)}", self.plan.names[one])
                    for one in sorted(self.subjects_of(family))
                ),
            )
            for family in families
        ]

    def sets(self) -> list[Set]:
        """The sets of peers that the rules refer to."""
        groups = [
            Set(
                name,
                _type(one[0]),
                tuple(Element(format_address(member), self.plan.names[member]) for member in _members(one)),
                comment=_comment(group.key for group in sorted(one[1])),
            )
            for name, one in sorted(self._group_sets.items())
        ]
        blocks = [
            Set(
                name,
                _type(Family.of(one.ranges[0][0])),
                tuple(Element(address_range_text(piece)) for piece in one.ranges),
                interval=True,
            )
            for name, one in sorted(self._block_sets.items())
        ]
        return groups + blocks

    def class_chains(self, one: Class) -> list[Chain]:
        """A class's chain for each family that it has subjects of."""
        families = {Family.of(address) for subject in one.subjects for address in subject.addresses}
        return [
            Chain(
                self._class_name(one, family),
                (*self._arm_rules(one, family), *self._last_rules(one)),
                comment=_comment(one.policies),
            )
            for family in sorted(families, key=lambda family: family.value)
        ]

    def _class_name(self, one: Class, family: Family) -> str:
        return f"{one.direction.value[0]}{family.value}_{self._class_names[one.key]}"

    def _last_rules(self, one: Class) -> list[Rule]:
        rules = [Rule((), "jump always")]
        if self.options.log_denied:
            prefix = f"npc {one.direction.value} denied {self._class_names[one.key]} "
            rules.append(Rule((), f'limit rate 10/second burst 20 packets log prefix "{prefix}"'))
        return [*rules, Rule((), "goto deny")]

    def _arm_rules(self, one: Class, family: Family) -> list[Rule | Dispatch]:
        arms = self._arms[id(one)]
        if len(arms) > self.layout.most_arms:
            return self._port_maps(one, arms, family)
        rules: list[Rule | Dispatch] = []
        for arm in arms:
            traffics = traffic_matches(arm.traffic, lists=self._lists)
            peers = self._peer_matches(arm.peers, one.direction, family)
            if len(peers) <= 1 or len(traffics) * len(peers) <= self.layout.most_rules:
                verdict = _allowed(one.direction)
                rules += [Rule((*left, *right), verdict) for left in traffics for right in peers]
            else:
                jump = self._jump(arm.peers, one.direction, family)
                rules += [Rule(left, jump) for left in traffics]
        return rules

    def _port_maps(self, one: Class, arms: tuple[Arm, ...], family: Family) -> list[Rule | Dispatch]:
        """Disjoint arms picked by port in one look-up, however many there are."""
        rules: list[Rule | Dispatch] = []
        entries: dict[int, list[tuple[tuple[int, int], str]]] = {}
        for arm in arms:
            if not self._peer_matches(arm.peers, one.direction, family):
                continue
            jump = self._jump(arm.peers, one.direction, family)
            whole = Intervals()
            for protocol, ranges in traffic.by_protocol(arm.traffic).items():
                if ranges == ((0, traffic.LAST_PORT),):
                    whole |= traffic.every(protocol)
                else:
                    entries.setdefault(protocol, []).extend((piece, jump) for piece in ranges)
            if whole:
                rules += [Rule(match, jump) for match in traffic_matches(whole, lists=self._lists)]
        for protocol, found in sorted(entries.items()):
            texts = tuple((range_text(piece), jump) for piece, jump in sorted(found))
            rules.append(Dispatch(f"{traffic.NAMES[protocol]} dport", entries=texts))
        return rules

    def _jump(self, peers: Peers, direction: Direction, family: Family) -> str:
        """A jump to a chain of rules that allow some peers; equal peers share it."""
        name = f"{direction.value[0]}{family.value}_to_{self._peer_names[_peers_text(peers)]}"
        matches = self._peer_matches(peers, direction, family)
        self.arm_chains[name] = Chain(
            name,
            tuple(Rule(match, _allowed(direction)) for match in matches),
            comment=_comment(_words(peers)),
        )
        return f"jump {name}"

    def _peer_matches(self, peers: Peers, direction: Direction, family: Family) -> list[tuple[Match, ...]]:
        """Alternatives that match exactly the peers of a family; one empty alternative matches all."""
        blocks = peers.blocks & family.every
        if blocks == family.every:
            return [()]
        address = address_field(family, direction, peer=True)
        matches: list[tuple[Match, ...]] = []
        if peers.groups:
            one = family, peers.groups
            if one in self._inline:
                matches += [(Match(address, (format_address(member),)),) for member in _members(one)]
            else:
                name = f"p{family.value}_{self._peer_names[_groups_text(peers.groups)]}"
                self._group_sets[name] = one
                matches.append((Match(address, (f"@{name}",)),))
        if blocks:
            inline = block_matches(blocks, address)
            if len(inline) <= self.layout.blocks_inline or not self._lists:
                matches += inline
            else:
                name = f"b{family.value}_{self._peer_names[_blocks_text(peers.blocks)]}"
                self._block_sets[name] = blocks
                matches.append((Match(address, (f"@{name}",)),))
        return matches


def _allowed(direction: Direction) -> str:
    """What allows: egress hands over to ingress, ingress lets pass (P3)."""
    return "accept" if direction is Direction.INGRESS else "goto ingress"


def _type(family: Family) -> str:
    return "ipv4_addr" if family is Family.V4 else "ipv6_addr"


def _members(one: _PeerSet) -> list[int]:
    """The addresses of some groups in a family, sorted."""
    family, groups = one
    return sorted({member for group in groups for member in group.members if Family.of(member) is family})


def _groups_text(groups: frozenset[Group]) -> str:
    return "\n".join(sorted(group.key for group in groups))


def _blocks_text(blocks: Intervals) -> str:
    return " ".join(map(address_range_text, blocks.ranges))


def _peers_text(peers: Peers) -> str:
    """The peers' identity: the groups' keys, and the blocks' addresses."""
    return f"{_groups_text(peers.groups)}\n\n{_blocks_text(peers.blocks)}"


def _words(peers: Peers) -> list[str]:
    """The peers in words, for a comment."""
    return [group.key for group in sorted(peers.groups)] + list(map(address_range_text, peers.blocks.ranges))
