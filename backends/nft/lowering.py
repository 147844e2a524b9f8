"""From a plan to an nftables table.

The layout: packets of established connections leave first; the source's address picks its egress
class by a verdict map, the destination's picks its ingress class; a class is a chain that compares
the traffic first and the peer second. A packet that egress allows goes on to ingress, so both are
asked (P3); only ingress accepts. What no rule allows meets the exceptions (A1, A2) and is denied.
Names stand for the class or the selectors, so members come and go as elements. What a rule logs is
logged at the beginning of the class, whatever becomes of it (X2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from npc.backends.base import Deny, Options, OwnNode
from npc.backends.naming import content_names, shortened
from npc.backends.nft.hairpins import both_ends, hairpin_chains, hairpin_dispatches, hairpin_maps, twice
from npc.backends.nft.keywords import KEYWORDS
from npc.backends.nft.layout import MEASURED, Layout
from npc.backends.nft.logs import check_prefixes, denied, log_statement
from npc.backends.nft.matches import (
    NEIGHBOUR_DISCOVERY,
    address_field,
    address_type,
    range_text,
    traffic_matches,
)
from npc.backends.nft.members import Groups, Members
from npc.backends.nft.peersets import LONGEST_COMMENT, Needs, PeerSets, block_set, group_set, words
from npc.backends.nft.ruleset import Chain, Dispatch, Element, Match, Rule, Set, Table
from npc.backends.pairs import Split, split
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.algebra.peers import Peers
from npc.compiler.arms import Arm, Arms, by_traffic, packets
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Class, LoggedRule, Plan, Reason

_CONNTRACK_PRIORITY = -200
_OUTPUT_NAT_PRIORITY = -100
"""Where the node's own packets get the address of the pod behind a Service."""


def lower(plan: Plan, options: Options, layout: Layout = MEASURED) -> Table:
    """The table that enforces a plan; InputError for options and log prefixes that nftables cannot use."""
    return series(options, layout)(plan)


def series(options: Options, layout: Layout = MEASURED) -> Callable[[Plan], Table]:
    """As `lower`, for plans of one cluster: what several of them have is made once."""
    _check(options)
    return _Series(options, layout).table


@dataclass(frozen=True, slots=True)
class _Lowered:
    """The chain of a class, and what it needs beside it."""

    chain: Chain
    shared_chains: Mapping[str, Chain]
    groups: Mapping[str, Groups]
    blocks: Mapping[str, Intervals]
    reasons: tuple[Reason, ...]
    """Whose identity it is known by."""


@dataclass(slots=True)
class _Series:
    """Plans of one cluster to tables; what classes come to is kept for the next plan that has them."""

    options: Options
    layout: Layout
    _members: Members | None = None
    _forms: dict[object, _Form] = field(default_factory=dict)
    _lowered: dict[object, _Lowered] = field(default_factory=dict)
    _sets: dict[tuple[str, Groups | Intervals], Set] = field(default_factory=dict)

    def table(self, plan: Plan) -> Table:
        """The table that enforces a plan; InputError for log prefixes that nftables cannot use."""
        check_prefixes(plan)
        if self._members is None:
            self._members = Members(plan.names, self.layout.named_members)
        listed = split(plan, self.layout.pairs)
        classes = listed.rest.classes
        forms = [self._form(one) for one in classes]
        selves = _self_sets(plan)
        exceptions = _exceptions({family for form in forms for family in form.families}, selves)
        peers = PeerSets.of([form.needs for form in forms], self._members, self.layout)
        names = content_names(one.key for one in classes)
        members: _Members = {}
        chains: list[Chain] = []
        shared: dict[str, Chain] = {}
        wanted: dict[str, Groups | Intervals] = {}
        for one, form in zip(classes, forms, strict=True):
            for family in form.families:
                found = self._class(one, form, family, names[one.key], peers, exceptions)
                chains.append(found.chain)
                shared |= found.shared_chains
                wanted |= found.groups
                wanted |= found.blocks
                belong = members.setdefault((one.direction, family), {})
                belong.update(dict.fromkeys(_addresses(one, family), found.chain.name))
        chains += hairpin_chains(plan, self.options, lists=peers.lists)
        pairs = _pair_sets(listed)
        sets = [
            *pairs.values(),
            *_verdict_maps(members, plan),
            *hairpin_maps(plan),
            *selves.values(),
        ]
        sets += (self._set(name, wanted[name]) for name in sorted(wanted, key=_hash_sets_last))
        in_pairs = [
            Rule((Match(_pair_field(family), (f"@{one.name}",)),), "accept") for family, one in pairs.items()
        ]
        hairpins = hairpin_dispatches(plan)
        base = _base_chains(_dispatches(members), hairpins, in_pairs, exceptions, self.options)
        every_chain = (*base, *sorted(chains, key=_name), *sorted(shared.values(), key=_name))
        return Table(self.options.table, tuple(sets), every_chain, _heading(plan, self.options))

    def _form(self, one: Class) -> _Form:
        families = _families(one)
        key = one.key, one.arms, families
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = _Form.of(one, families, self.layout)
        return form

    def _class(
        self,
        one: Class,
        form: _Form,
        family: Family,
        name: str,
        peers: PeerSets,
        exceptions: tuple[Rule, ...],
    ) -> _Lowered:
        # All that the outcome depends on, but for inline members, which hardly two plans have alike.
        policies = tuple(id(reason.deciders) for reason in one.reasons)
        split = peers.split_in(form.needs)
        key = id(form), family, name, policies, peers.lists, split, bool(exceptions)
        known = self._lowered.get(key)
        if known is None or peers.inline:
            lowering = _Lowering(self.options, self.layout, peers.another(), exceptions)
            chain = lowering.class_chain(one, form, family, name)
            asked = lowering.peers
            known = _Lowered(chain, lowering.shared_chains, asked.groups, asked.blocks, one.reasons)
            if not peers.inline:
                self._lowered[key] = known
        return known

    def _set(self, name: str, wanted: Groups | Intervals) -> Set:
        known = self._sets.get((name, wanted))
        if known is None:
            if isinstance(wanted, Intervals):
                known = block_set(name, wanted)
            else:
                assert self._members is not None
                known = group_set(name, wanted, self._members)
            self._sets[name, wanted] = known
        return known


def _hash_sets_last(name: str) -> tuple[bool, str]:
    return name.startswith("b"), name


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


def _dispatches(members: _Members) -> dict[Direction, list[Dispatch]]:
    """From a packet to the class of its source or its destination."""
    return {
        direction: [
            Dispatch(address_field(family, direction, peer=False), _map_name(direction, family))
            for family in Family
            if (direction, family) in members
        ]
        for direction in Direction
    }


def _base_chains(
    dispatches: dict[Direction, list[Dispatch]],
    hairpins: list[Dispatch],
    pairs: list[Rule],
    exceptions: tuple[Rule, ...],
    options: Options,
) -> list[Chain]:
    """Where packets come in, the way to ingress, the exceptions, and the end of what is denied."""
    established = Rule((Match("ct state", ("established,related",)),), "accept")
    egress: list[Rule | Dispatch] = [*pairs, *dispatches[Direction.EGRESS]]
    hooks: dict[str, list[Rule | Dispatch]] = {"forward": [*hairpins, *egress]}
    if options.own_node is OwnNode.POLICED:
        hooks |= {"input": egress, "output": [*pairs]}
    chains = [
        Chain(hook, (established, *asked, Rule((), "goto ingress")), hook=_hook(hook, options))
        for hook, asked in hooks.items()
    ]
    chains.append(Chain("ingress", (*dispatches[Direction.INGRESS], Rule((), "accept"))))
    if exceptions:
        chains.append(Chain("always", exceptions, comment="what passes although no rule allows it"))
    if hairpins or any(dispatches.values()):
        chains.append(Chain("deny", _deny(options)))
    return chains


def _hook(hook: str, options: Options) -> str:
    priority = "filter" if options.hook_priority == 0 else str(options.hook_priority)
    return f"type filter hook {hook} priority {priority}; policy accept;"


def _exceptions(families: set[Family], selves: Mapping[Family, Set]) -> tuple[Rule, ...]:
    """What passes although no rule allows it (A1, A2), for subjects of some families."""
    discovery = [NEIGHBOUR_DISCOVERY] if Family.V6 in families else []
    to_itself = [Match(both_ends(family), (f"@{one.name}",)) for family, one in selves.items()]
    return tuple(Rule((match,), "accept") for match in (*discovery, *to_itself))


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
        Set.of(
            _map_name(direction, family),
            f"{address_type(family)} : verdict",
            (
                Element(f"{format_address(address)} : goto {chain}", plan.names[address])
                for address, chain in sorted(found.items())
            ),
        )
        for direction in Direction
        for family in Family
        if (found := members.get((direction, family)))
    ]


def _pair_field(family: Family) -> str:
    """The field of a packet's source, traffic and destination."""
    word = "ip" if family is Family.V4 else "ip6"
    return f"{word} saddr . meta l4proto . th dport . {word} daddr"


def _pair_sets(listed: Split) -> dict[Family, Set]:
    """The connections that are allowed by one look-up."""
    sets = {}
    for family in Family:
        elements = tuple(
            Element(
                f"{format_address(source)} . {traffic.NAMES[number >> 16]} . {number & traffic.LAST_PORT}"
                f" . {format_address(destination)}"
            )
            for source, number, destination in listed.of(family)
        )
        if elements:
            kind = address_type(family)
            type = f"{kind} . inet_proto . inet_service . {kind}"
            sets[family] = Set.of(f"allow{family.value}", type, elements)
    return sets


def _self_sets(plan: Plan) -> dict[Family, Set]:
    """Each subject's address twice, for packets from an endpoint to itself (A2), but for what C6 decides."""
    subjects = {address for one in plan.classes for subject in one.subjects for address in subject.addresses}
    addresses = sorted(subjects.difference(*(one.addresses for one in plan.hairpins)))
    sets = {}
    for family in Family:
        elements = tuple(
            Element(twice(one), plan.names[one]) for one in addresses if Family.of(one) is family
        )
        if elements:
            kind = address_type(family)
            sets[family] = Set.of(f"self{family.value}", f"{kind} . {kind}", elements)
    return sets


@dataclass(frozen=True, slots=True)
class _Form:
    """A class as rules: arms that are tried in turn, then arms of which the packet's port picks one."""

    tried: Arms
    picked: Arms
    families: tuple[Family, ...]
    """Those that the class has subjects of."""
    needs: Needs

    @staticmethod
    def of(one: Class, families: tuple[Family, ...], layout: Layout) -> _Form:
        tried, picked = one.arms, Arms()
        if len(one.arms) > layout.most_arms:
            tried = tuple(arm for arm in one.arms if arm.traffic == traffic.ANY)
            picked = by_traffic(packets(arm for arm in one.arms if arm.traffic != traffic.ANY))
        # Every arm whose peers are compared, to allow or to log.
        logs = tuple(arm for logged in one.logs for arm in by_traffic(logged.packets))
        maps = len({protocol for arm in picked for protocol in _picked_ports(arm.traffic)})
        needs = Needs.of((*tried, *picked, *logs), families, maps * len(families))
        return _Form(tried, picked, families, needs)


def _families(one: Class) -> tuple[Family, ...]:
    """Those that a class has subjects of, in order."""
    found = {Family.of(address) for subject in one.subjects for address in subject.addresses}
    return tuple(family for family in Family if family in found)


def _addresses(one: Class, family: Family) -> list[int]:
    """The subjects' addresses of a family."""
    return [
        address for subject in one.subjects for address in subject.addresses if Family.of(address) is family
    ]


def _picked_ports(wanted: Intervals) -> dict[int, tuple[Range, ...]]:
    """The ports that a map by port picks: of protocols that have them, where not all are meant."""
    return {
        protocol: ranges
        for protocol, ranges in traffic.by_protocol(wanted).items()
        if protocol in traffic.NUMBERS.values() and ranges != ((0, traffic.LAST_PORT),)
    }


_Rules = list[Rule | Dispatch]


@dataclass(slots=True)
class _Lowering:
    """Classes to chains; the chains of rules that they share, and the sets that they need, are collected."""

    options: Options
    layout: Layout
    peers: PeerSets
    exceptions: tuple[Rule, ...]
    shared_chains: dict[str, Chain] = field(default_factory=dict)

    def class_chain(self, one: Class, form: _Form, family: Family, name: str) -> Chain:
        """The chain of a class for its subjects of one family."""
        direction = one.direction
        title = f"{direction.value[0]}{family.value}_{name}"
        # What always passes comes before every tier (C6), so no rule logs it.
        exceptions: _Rules = [Rule((), "jump always")] if self.exceptions else []
        rules: _Rules = [*exceptions] if one.logs else []
        for number, logged in enumerate(one.logs, 1):
            rules += self._logged(logged, direction, family, f"{title}_log{number}")
        everything = Rule((), _allowed(direction))
        for arm in form.tried:
            rules += self._tried(arm, direction, family)
            if (
                arm.peers.holes and everything in rules
            ):  # in this family there is nobody whom the decision leaves out
                break
        else:
            rules += self._picked(form.picked, direction, family)
            if not one.logs:
                rules += exceptions
            rules += denied(f"{direction.value} denied {name}", self.options)
        return Chain(title, tuple(rules), comment=shortened(one.policies, LONGEST_COMMENT))

    def _logged(self, logged: LoggedRule, direction: Direction, family: Family, name: str) -> _Rules:
        """Rules that log each packet of a rule once: alternatives that overlap are a chain of their own."""
        statement = log_statement(logged)
        rules: _Rules = []
        for number, arm in enumerate(by_traffic(logged.packets), 1):
            traffics = traffic_matches(arm.traffic, family, lists=self.peers.lists)
            if not traffics:
                continue
            peers = self.peers.matches(arm.peers, direction, family)
            overlap = self.peers.overlap(arm.peers, family)
            few = len(traffics) * len(peers) <= self.layout.most_rules and not overlap
            if len(peers) <= 1 or few:
                rules += [Rule((*left, *right), statement) for left in traffics for right in peers]
            else:
                chain = f"{name}_{number}"
                found = tuple(Rule(match, f"{statement} return") for match in peers)
                comment = shortened(words(arm.peers), LONGEST_COMMENT)
                self.shared_chains[chain] = Chain(chain, found, comment=comment)
                rules += [Rule(left, f"jump {chain}") for left in traffics]
        return rules

    def _tried(self, arm: Arm, direction: Direction, family: Family) -> _Rules:
        traffics = traffic_matches(arm.traffic, family, lists=self.peers.lists)
        if not traffics:
            return []
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
            ports = _picked_ports(arm.traffic)
            rest = arm.traffic - Intervals.union(traffic.every(protocol) for protocol in ports)
            compared = traffic_matches(rest, family, lists=self.peers.lists)
            if not (ports or compared) or not self.peers.matches(arm.peers, direction, family):
                continue
            jump = self._jump(arm.peers, direction, family)
            rules += [Rule(match, jump) for match in compared]
            for protocol, ranges in ports.items():
                by_port.setdefault(protocol, []).extend((piece, jump) for piece in ranges)
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
