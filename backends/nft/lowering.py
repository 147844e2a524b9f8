"""From a plan to an nftables table.

The layout: packets of established connections leave first; the source's address picks its egress
class by a verdict map, the destination's picks its ingress class; a class is a chain that compares
the traffic first and the peer second. A packet that egress allows goes on to ingress, so both are
asked (P3); only ingress accepts. What no rule allows meets the exceptions (A1, A2) and is denied.
Names stand for the class or the selectors, so members come and go as elements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from npc.backends.base import Deny, Options, OwnNode
from npc.backends.naming import content_names, shortened
from npc.backends.nft.keywords import KEYWORDS
from npc.backends.nft.layout import MEASURED, Layout
from npc.backends.nft.matches import address_field, range_text, traffic_matches
from npc.backends.nft.peersets import LONGEST_COMMENT, PeerSets, address_type, words
from npc.backends.nft.ruleset import Chain, Dispatch, Element, Match, Rule, Set, Table
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import Peers
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.syntax import Direction
from npc.compiler.optimize.cover import Arm, by_peers, by_traffic
from npc.compiler.plan import Class, Plan

_CONNTRACK_PRIORITY = -200
_OUTPUT_NAT_PRIORITY = -100
"""Where the node's own packets get the address of the pod behind a Service."""
_NEIGHBOUR_DISCOVERY = Match("icmpv6 type", ("133-137",))
"""Router and neighbour solicitation and advertisement, redirect (RFC 4861, section 4)."""


def lower(plan: Plan, options: Options, layout: Layout = MEASURED) -> Table:
    """The table that enforces a plan; InputError for options that nftables cannot use."""
    _check(options)
    forms = [_Form.of(one, layout) for one in plan.classes]
    arms = [(form.families, arm) for form in forms for arm in form.tried + form.picked]
    lowering = _Lowering(options, layout, PeerSets.of(arms, plan.names, layout))
    names = content_names(one.key for one in plan.classes)
    members: dict[tuple[Direction, Family], dict[int, str]] = {}
    chains: list[Chain] = []
    for form in forms:
        name = names[form.subject.key]
        for family in sorted(form.families, key=lambda family: family.value):
            chain = lowering.class_chain(form, family, name)
            chains.append(chain)
            for address in form.addresses(family):
                members.setdefault((form.subject.direction, family), {})[address] = chain.name
    sets = [*_verdict_maps(members, plan), *_self_sets(members, plan), *lowering.peers.sets()]
    shared = lowering.shared_chains.values()
    every_chain = (*_base_chains(members, options), *sorted(chains, key=_name), *sorted(shared, key=_name))
    return Table(options.table, tuple(sets), every_chain, _heading(plan, options))


_Members = dict[tuple[Direction, Family], dict[int, str]]
"""The class chain of each subject's address."""


def _name(chain: Chain) -> str:
    return chain.name


def _check(options: Options) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", options.table) or options.table in KEYWORDS:
        raise _unusable(
            f"{options.table!r} cannot be the name of an nftables table",
            "letters, digits and '_', beginning with a letter, and no word of nft's own",
        )
    policed = options.own_node is OwnNode.POLICED
    above = _OUTPUT_NAT_PRIORITY if policed else _CONNTRACK_PRIORITY
    if not above < options.hook_priority < 2**31:
        why = "the output hook knows the pod behind a Service" if policed else "connections are tracked"
        raise _unusable(
            f"the hook priority {options.hook_priority} cannot be used",
            f"above {above}, from where on {why}, and at most {2**31 - 1}",
        )


def _unusable(message: str, help: str) -> InputError:
    return InputError([Diagnostic(codes.OPTION, message, help=help)])


def _heading(plan: Plan, options: Options) -> tuple[str, ...]:
    return (
        f"Compiled by npc for nftables: {plan.scope}.",
        plan.counts,
        f"Load with `nft -f FILE`: it replaces the table inet {options.table} in one transaction.",
    )


def _base_chains(members: _Members, options: Options) -> list[Chain]:
    """Where packets come in, the way to ingress, the exceptions, and the end of what is denied."""
    dispatches = {
        direction: [
            Dispatch(address_field(family, direction, peer=False), _map_name(direction, family))
            for family in Family
            if (direction, family) in members
        ]
        for direction in Direction
    }
    established = Rule((Match("ct state", ("established,related",)),), "accept")
    egress = dispatches[Direction.EGRESS]
    hooks = {"forward": egress}
    if options.own_node is OwnNode.POLICED:
        hooks |= {"input": egress, "output": []}
    chains = [
        Chain(hook, (established, *asked, Rule((), "goto ingress")), hook=_hook(hook, options))
        for hook, asked in hooks.items()
    ]
    chains.append(Chain("ingress", (*dispatches[Direction.INGRESS], Rule((), "accept"))))
    if members:
        chains += [_exceptions({family for _, family in members}), Chain("deny", _deny(options))]
    return chains


def _hook(hook: str, options: Options) -> str:
    priority = "filter" if options.hook_priority == 0 else str(options.hook_priority)
    return f"type filter hook {hook} priority {priority}; policy accept;"


def _exceptions(families: set[Family]) -> Chain:
    """What passes although no rule allows it (A1, A2)."""
    rules = []
    if Family.V6 in families:
        rules.append(Rule((_NEIGHBOUR_DISCOVERY,), "accept"))
    for family in Family:
        if family in families:
            word = "ip" if family is Family.V4 else "ip6"
            rules.append(Rule((Match(f"{word} saddr . {word} daddr", (f"@self{family.value}",)),), "accept"))
    return Chain("always", tuple(rules), comment="what passes although no rule allows it")


def _deny(options: Options) -> tuple[Rule, ...]:
    if options.deny_with is Deny.DROP:
        return (Rule((), "drop"),)
    return (
        Rule((Match("meta l4proto", ("tcp",)),), "reject with tcp reset"),
        Rule((), "reject with icmpx admin-prohibited"),
    )


def _map_name(direction: Direction, family: Family) -> str:
    return f"{direction.value}{family.value}"


def _verdict_maps(members: _Members, plan: Plan) -> list[Set]:
    """From a subject's address to the chain of its class."""
    return [
        Set(
            _map_name(direction, family),
            f"{address_type(family)} : verdict",
            tuple(
                Element(f"{format_address(address)} : goto {chain}", plan.names[address])
                for address, chain in sorted(found.items())
            ),
        )
        for direction in Direction
        for family in Family
        if (found := members.get((direction, family)))
    ]


def _self_sets(members: _Members, plan: Plan) -> list[Set]:
    """Each subject's address twice, for packets from an endpoint to itself (A2)."""
    sets = []
    for family in Family:
        addresses = {one for (_, of), found in members.items() if of is family for one in found}
        if addresses:
            elements = (
                Element(f"{format_address(one)} . {format_address(one)}", plan.names[one])
                for one in sorted(addresses)
            )
            kind = address_type(family)
            sets.append(Set(f"self{family.value}", f"{kind} . {kind}", tuple(elements)))
    return sets


@dataclass(frozen=True, slots=True)
class _Form:
    """A class as rules: arms that are tried in turn, then arms of which the packet's port picks one."""

    subject: Class
    tried: tuple[Arm, ...]
    picked: tuple[Arm, ...]
    families: frozenset[Family]
    """Those that the class has subjects of."""

    @staticmethod
    def of(one: Class, layout: Layout) -> _Form:
        families = frozenset(Family.of(address) for subject in one.subjects for address in subject.addresses)
        arms = by_peers(one.decision)
        if len(arms) <= layout.most_arms:
            return _Form(one, arms, (), families)
        for_anything = tuple(arm for arm in arms if arm.traffic == traffic.ANY)
        rest = PacketSet.of((arm.traffic, arm.peers) for arm in arms if arm.traffic != traffic.ANY)
        return _Form(one, for_anything, by_traffic(rest), families)

    def addresses(self, family: Family) -> list[int]:
        """The subjects' addresses of a family."""
        return [
            one for subject in self.subject.subjects for one in subject.addresses if Family.of(one) is family
        ]


_Rules = list[Rule | Dispatch]


@dataclass(slots=True)
class _Lowering:
    """Classes to chains; the chains of rules that they share, and the sets that they need, are collected."""

    options: Options
    layout: Layout
    peers: PeerSets
    shared_chains: dict[str, Chain] = field(default_factory=dict)

    def class_chain(self, form: _Form, family: Family, name: str) -> Chain:
        """The chain of a class for its subjects of one family."""
        direction = form.subject.direction
        rules: _Rules = []
        for arm in form.tried:
            rules += self._tried(arm, direction, family)
        rules += self._picked(form.picked, direction, family)
        rules.append(Rule((), "jump always"))
        if self.options.log_denied:
            prefix = f"npc {direction.value} denied {name} "
            rules.append(Rule((), f'limit rate 10/second burst 20 packets log prefix "{prefix}"'))
        rules.append(Rule((), "goto deny"))
        title = f"{direction.value[0]}{family.value}_{name}"
        return Chain(title, tuple(rules), comment=shortened(form.subject.policies, LONGEST_COMMENT))

    def _tried(self, arm: Arm, direction: Direction, family: Family) -> _Rules:
        traffics = traffic_matches(arm.traffic, lists=self.peers.lists)
        peers = self.peers.matches(arm.peers, direction, family)
        if len(peers) <= 1 or len(traffics) * len(peers) <= self.layout.most_rules:
            return [Rule((*left, *right), _allowed(direction)) for left in traffics for right in peers]
        jump = self._jump(arm.peers, direction, family)
        return [Rule(left, jump) for left in traffics]

    def _picked(self, arms: tuple[Arm, ...], direction: Direction, family: Family) -> _Rules:
        """Arms with disjoint traffic: a map by port for each protocol, however many there are."""
        rules: _Rules = []
        by_port: dict[int, list[tuple[Range, str]]] = {}
        for arm in arms:
            if not self.peers.matches(arm.peers, direction, family):
                continue
            jump = self._jump(arm.peers, direction, family)
            whole = Intervals()
            for protocol, ranges in traffic.by_protocol(arm.traffic).items():
                if ranges == ((0, traffic.LAST_PORT),):
                    whole |= traffic.every(protocol)
                else:
                    by_port.setdefault(protocol, []).extend((piece, jump) for piece in ranges)
            if whole:
                rules += [Rule(match, jump) for match in traffic_matches(whole, lists=self.peers.lists)]
        for protocol, found in sorted(by_port.items()):
            entries = tuple((range_text(piece), jump) for piece, jump in sorted(found))
            rules.append(Dispatch(f"{traffic.NAMES[protocol]} dport", entries=entries))
        return rules

    def _jump(self, peers: Peers, direction: Direction, family: Family) -> str:
        """A jump to a chain of rules that allow some peers; equal peers share it."""
        name = f"{direction.value[0]}{family.value}_to_{self.peers.name(peers)}"
        if name not in self.shared_chains:
            matches = self.peers.matches(peers, direction, family)
            rules = tuple(Rule(match, _allowed(direction)) for match in matches)
            self.shared_chains[name] = Chain(name, rules, comment=shortened(words(peers), LONGEST_COMMENT))
        return f"jump {name}"


def _allowed(direction: Direction) -> str:
    """What allows: egress hands over to ingress, ingress lets pass (P3)."""
    return "accept" if direction is Direction.INGRESS else "goto ingress"
