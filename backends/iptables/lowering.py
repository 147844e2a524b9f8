"""From a plan to iptables chains and ipset sets.

The layout: one chain per built-in hook returns what is established, then asks egress, then ingress.
Each is a search tree over the isolated addresses that ends in the chain of a class. Everything behind
the first jump is a `goto`, so that RETURN, wherever it stands, means "allowed here": after egress the
hook asks ingress (P3), after ingress the packet goes on to the host's other rules. What no rule
allows meets the exceptions (A1, A2) and is denied.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from npc.backends.base import Deny, Options, OwnNode
from npc.backends.iptables.matches import LONGEST_COMMENT, Matches, address_option, protocol_name
from npc.backends.iptables.names import Names
from npc.backends.iptables.ruleset import Chain, Rule, Ruleset, Table
from npc.backends.iptables.tree import ARITY, Leaf, address_tree, depth, port_text, port_tree
from npc.backends.naming import shortened
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, cidrs, format_address, format_cidr
from npc.compiler.algebra.intervals import Range
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import Peers, members
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, did_you_mean
from npc.compiler.frontend.syntax import Direction
from npc.compiler.optimize.cover import Arm, by_peers, by_traffic
from npc.compiler.plan import Class, Plan

SETTINGS = {"ipset": "`no` for hosts without ipset: exact, merely larger (default: yes)"}

MOST_ARMS = 8
"""Overlapping arms that are tried in turn; beyond, the packet's port picks one of disjoint ones."""
DEEPEST = 14
"""Chains below each other: iptables-nft follows 15 from the built-in one on."""
ARITIES = (ARITY, 2 * ARITY, 4 * ARITY, 8 * ARITY, 1 << 32)
"""Rules a chain of a search tree, to be tried until no path is too deep."""
MOST_RULES = 24
"""Rules that a class tries in turn."""
_NEIGHBOUR_DISCOVERY = range(133, 138)
"""ICMPv6 types: router and neighbour solicitation and advertisement, redirect (RFC 4861, section 4)."""
_RETURN = "-j RETURN"


def lower(plan: Plan, options: Options) -> Ruleset:
    """All artifacts that enforce a plan; InputError for options that iptables cannot use."""
    prefix, use_sets = _check(options)
    heading = _heading(plan)
    matches, v4, v6 = next(
        built
        for arity in ARITIES
        if (built := _tables(plan, options, Matches(Names(prefix), use_sets), heading, arity)) is not None
    )
    policed = options.own_node is OwnNode.POLICED
    own_node = tuple((hook, f"{prefix}-{hook}") for hook in ("INPUT", "OUTPUT"))
    hooks = (("FORWARD", f"{prefix}-FORWARD"), *(own_node if policed else ()))
    used = {
        name for table in (v4, v6) for chain in table.chains for rule in chain.rules for name in rule.sets()
    }
    sets = tuple(matches.sets[name] for name in sorted(used))
    return Ruleset(prefix, heading, sets, v4, v6, hooks, () if policed else own_node)


def _check(options: Options) -> tuple[str, bool]:
    """The prefix of all names, and whether sets may be used."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,7}", options.table):
        raise _unusable(
            f"{options.table!r} cannot be the prefix of iptables chains",
            "up to 8 letters and digits, beginning with a letter",
        )
    if options.hook_priority:
        raise _unusable("iptables' chains have no hook priority", "leave --hook-priority out")
    use = options.settings.get("ipset", "yes")
    if use not in ("yes", "no"):
        raise _unusable(f"the setting ipset={use!r} is neither yes nor no", did_you_mean(use, ("yes", "no")))
    # Always in npc's own namespace: others sweep what begins with KUBE- or DOCKER-, and so would we.
    prefix = "NPC" if options.table == "npc" else f"NPC{options.table.upper()}"
    return prefix, use == "yes"


def _unusable(message: str, help: str) -> InputError:
    return InputError([Diagnostic(codes.OPTION, message, help=help)])


def _tables(
    plan: Plan, options: Options, matches: Matches, heading: tuple[str, ...], arity: int
) -> tuple[Matches, Table, Table] | None:
    """The tables of both families; None where chains are too deep with search trees of this arity."""
    chains = {
        family: tuple(_FamilyLowering(plan, options, family, matches, arity).chains()) for family in Family
    }
    if max(map(depth, chains.values())) > DEEPEST:
        return None
    return matches, Table(heading, chains[Family.V4]), Table(heading, chains[Family.V6])


def _heading(plan: Plan) -> tuple[str, ...]:
    return (
        f"Compiled by npc for iptables: {plan.scope}.",
        "Load with load.sh, or in this order: npc.ipset, npc.v4.rules and npc.v6.rules, the jumps.",
    )


@dataclass(slots=True)
class _FamilyLowering:
    """The chains of one family."""

    plan: Plan
    options: Options
    family: Family
    matches: Matches
    arity: int
    _shared: dict[str, list[Chain]] = field(default_factory=dict)
    """Chains that several classes use, by their names, each with the tree below it."""

    def chains(self) -> list[Chain]:
        """All chains, hooks first."""
        classes: list[Chain] = []
        leaves: dict[Direction, list[Leaf]] = {direction: [] for direction in Direction}
        for one in self.plan.classes:
            addresses = [
                address
                for subject in one.subjects
                for address in subject.addresses
                if Family.of(address) is self.family
            ]
            if addresses:
                name = self.matches.names.chain(one.direction.value[0].upper(), one.key)
                classes += self._class(name, one)
                option = address_option(one.direction, peer=False)
                for address in addresses:
                    rule = Rule((option, format_address(address)), f"-g {name}")
                    leaves[one.direction].append((address, rule))
        trees = [
            chain
            for direction, found in leaves.items()
            if found
            for chain in address_tree(
                self._entry(direction),
                address_option(direction, peer=False),
                sorted(found, key=_address),
                self._tree_name,
                arity=self.arity,
            )
        ]
        shared = [chain for name in sorted(self._shared) for chain in self._shared[name]]
        ends = self._ends({address for found in leaves.values() for address, _ in found})
        return [*self._hooks(leaves), *trees, *classes, *shared, *ends]

    def _entry(self, direction: Direction) -> str:
        return f"{self.matches.names.prefix}-{direction.name}"

    def _tree_name(self, text: str) -> str:
        return self.matches.names.chain("T", text)

    def _hooks(self, leaves: dict[Direction, list[Leaf]]) -> list[Chain]:
        """The chains that the built-in ones jump to."""
        asked = {direction: self._ask(direction, found) for direction, found in leaves.items()}
        egress, ingress = asked[Direction.EGRESS], asked[Direction.INGRESS]
        hooks = {"FORWARD": egress + ingress}
        if self.options.own_node is OwnNode.POLICED:
            hooks |= {"INPUT": egress, "OUTPUT": ingress}
        established = Rule(("-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"), _RETURN)
        return [
            Chain(f"{self.matches.names.prefix}-{hook}", (established, *rules) if rules else ())
            for hook, rules in hooks.items()
        ]

    def _ask(self, direction: Direction, leaves: list[Leaf]) -> tuple[Rule, ...]:
        """Look for the class of a packet's subject; a set spares most packets the search."""
        if not leaves:
            return ()
        jump = f"-j {self._entry(direction)}"
        if not self.matches.use_sets:
            return (Rule((), jump),)
        name = f"{self.matches.names.prefix.lower()}-{direction.value}{self.family.value}"
        addresses = tuple(format_address(address) for address, _ in sorted(leaves, key=_address))
        self.matches.add_hash(name, self.family, addresses, [f"isolated for {direction.value}"])
        side = "src" if address_option(direction, peer=False) == "-s" else "dst"
        return (Rule(("-m", "set", "--match-set", name, side), jump),)

    def _ends(self, subjects: set[int]) -> list[Chain]:
        """The exceptions, and the end of what is denied."""
        if not subjects:
            return []
        prefix = self.matches.names.prefix
        exceptions = []
        if self.family is Family.V6:
            exceptions = [
                Rule(("-p", "icmpv6", "--icmpv6-type", str(one)), "-j ACCEPT") for one in _NEIGHBOUR_DISCOVERY
            ]
        itself = [
            (one, Rule(("-s", format_address(one), "-d", format_address(one)), "-j ACCEPT"))
            for one in sorted(subjects)
        ]
        always = Chain(
            f"{prefix}-ALWAYS",
            (*exceptions, Rule((), f"-j {prefix}-SELF")),
            "what passes although no rule allows it",
        )
        asked = [] if self.options.log_denied else [Rule((), f"-j {prefix}-ALWAYS")]
        deny = Chain(f"{prefix}-DENY", (*asked, *self._deny()))
        return [
            deny,
            always,
            *address_tree(f"{prefix}-SELF", "-d", itself, self._tree_name, arity=self.arity),
        ]

    def _deny(self) -> list[Rule]:
        if self.options.deny_with is Deny.DROP:
            return [Rule((), "-j DROP")]
        prohibited = "icmp-admin-prohibited" if self.family is Family.V4 else "icmp6-adm-prohibited"
        return [
            Rule(("-p", "tcp"), "-j REJECT --reject-with tcp-reset"),
            Rule((), f"-j REJECT --reject-with {prohibited}"),
        ]

    def _class(self, name: str, one: Class) -> list[Chain]:
        """The chains of a class: its rules in turn where they are few, else picked by port."""
        end, logging = self._end(one)
        comment = shortened(one.policies, LONGEST_COMMENT)
        arms = by_peers(one.decision)
        rules = self._in_turn(arms, one.direction)
        if rules is not None:
            return [Chain(name, (*rules, Rule((), f"-g {end}")), comment), *logging]
        # Whom everything is exchanged with comes first, not again with every port.
        rules = self._in_turn([arm for arm in arms if arm.traffic == traffic.ANY], one.direction)
        if rules is None:
            rules, rest = [], one.decision
        else:
            rest = PacketSet.of((arm.traffic, arm.peers) for arm in arms if arm.traffic != traffic.ANY)
        first, *trees = self._picked(name, by_traffic(rest), one.direction, end)
        return [Chain(name, (*rules, *first.rules), comment), *trees, *logging]

    def _in_turn(self, arms: Sequence[Arm], direction: Direction) -> list[Rule] | None:
        """The rules of arms that are tried in turn; None where they would be too many."""
        sizes = [len(members(arm.peers.groups, self.family)) for arm in arms]
        if len(arms) > MOST_ARMS or (not self.matches.use_sets and sum(sizes) > MOST_RULES):
            return None
        rules = [
            Rule((*left, *right), _RETURN)
            for arm in arms
            for left in self.matches.traffic(arm.traffic)
            for right in self.matches.peers(arm.peers, direction, self.family)
        ]
        return rules if len(rules) <= MOST_RULES else None

    def _end(self, one: Class) -> tuple[str, list[Chain]]:
        """Where a class sends what it does not allow."""
        deny = f"{self.matches.names.prefix}-DENY"
        if not self.options.log_denied:
            return deny, []
        name = self.matches.names.chain("L", one.key)
        prefix = f'"npc {one.direction.value} {name.rpartition("-")[2]} "'
        limit = ("-m", "limit", "--limit", "10/second", "--limit-burst", "20")
        rules = (
            Rule((), f"-j {self.matches.names.prefix}-ALWAYS"),
            Rule(limit, f"-j LOG --log-prefix {prefix}"),
            Rule((), f"-g {deny}"),
        )
        return name, [Chain(name, rules)]

    def _picked(self, name: str, arms: tuple[Arm, ...], direction: Direction, end: str) -> list[Chain]:
        """Arms with disjoint traffic: a tree over the ports of each protocol that has any."""
        by_port: dict[int, list[tuple[Range, str]]] = {}
        whole: dict[str, list[int]] = {}
        for arm in arms:
            goto = f"-g {self._peers(arm.peers, direction, end)}"
            for protocol, ranges in traffic.by_protocol(arm.traffic).items():
                if ranges == ((0, traffic.LAST_PORT),):
                    whole.setdefault(goto, []).append(protocol)
                else:
                    by_port.setdefault(protocol, []).extend((piece, goto) for piece in ranges)
        last = (Rule((), f"-g {end}"),)
        rules: list[Rule] = []
        trees: list[Chain] = []
        complete = len(by_port) + sum(map(len, whole.values())) > traffic.LAST_PROTOCOL
        for protocol, found in sorted(by_port.items()):
            word = protocol_name(protocol)
            if len(found) == 1 and not complete:
                ((ports, goto),) = found
                rules.append(Rule(("-p", word, "--dport", port_text(ports)), goto))
                continue
            root = self._tree_name(f"{name} {word}")
            rules.append(Rule(("-p", word), f"-g {root}"))
            trees += port_tree(root, word, sorted(found), self._tree_name, last, self.arity)
        # Where every protocol is decided, the commonest action needs no match: the others come first.
        ordered = sorted(whole.items(), key=lambda item: (len(item[1]), item[0]))
        for goto, protocols in ordered[:-1] if complete and ordered else ordered:
            rules += [Rule(("-p", protocol_name(one)), goto) for one in protocols]
        if complete and ordered:
            last = (Rule((), ordered[-1][0]),)
        return [Chain(name, (*rules, *last)), *trees]

    def _peers(self, peers: Peers, direction: Direction, end: str) -> str:
        """The chain that allows some peers and denies all others; equal peers share it."""
        keys = [group.key for group in sorted(peers.groups)]
        keys += [format_cidr(block) for piece in peers.blocks.ranges for block in cidrs(piece)]
        name = self.matches.names.chain("P", "\n".join([direction.value, end, *keys]))
        if name in self._shared:
            return name
        option = address_option(direction, peer=True)
        last = (Rule((), f"-g {end}"),)
        addresses = members(peers.groups, self.family)
        if self.matches.use_sets or len(addresses) <= ARITY or self.family.every <= peers.blocks:
            found = self.matches.peers(peers, direction, self.family)
            rules = tuple(Rule(match, _RETURN) for match in found)
            ends = () if () in found else last
            self._shared[name] = [Chain(name, (*rules, *ends), shortened(keys, LONGEST_COMMENT))]
        else:
            blocks = self.matches.peers(Peers(blocks=peers.blocks), direction, self.family)
            root = self._tree_name(name)
            rules = (*(Rule(match, _RETURN) for match in blocks), Rule((), f"-g {root}"))
            leaves = [(one, Rule((option, format_address(one)), _RETURN)) for one in addresses]
            self._shared[name] = [
                Chain(name, rules, shortened(keys, LONGEST_COMMENT)),
                *address_tree(root, option, leaves, self._tree_name, last, self.arity),
            ]
        return name


def _address(leaf: Leaf) -> int:
    return leaf[0]
