"""From a plan to iptables chains and ipset sets.

The layout: one chain per built-in hook returns what is established, then asks egress, then ingress.
Each is a search tree over the isolated addresses that ends in the chain of a class. Everything behind
the first jump is a `goto`, so that RETURN, wherever it stands, means "allowed here": after egress the
hook asks ingress (P3), after ingress the packet goes on to the host's other rules. What no rule
allows meets the exceptions (A1, A2) and is denied. Endpoints that may not send everything to themselves
(C6) are asked about first. Rules that log (X2) do so before their class decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from npc.backends.base import Deny, Options, OwnNode
from npc.backends.iptables.decisions import RETURN, Decisions, Ends
from npc.backends.iptables.kept import Kept
from npc.backends.iptables.layout import MEASURED, Layout
from npc.backends.iptables.logs import check_prefixes, log_action, printable
from npc.backends.iptables.matches import LONGEST_COMMENT, Matches, address_option, in_set
from npc.backends.iptables.names import Names
from npc.backends.iptables.pairs import pair_rules, unasked
from npc.backends.iptables.ruleset import Chain, Rule, Ruleset, Table
from npc.backends.iptables.tree import Leaf, address_tree, depth, same_bits
from npc.backends.naming import shortened
from npc.backends.pairs import Split, split
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.arms import Arm, by_peers
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, did_you_mean
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Class, LoggedRule, Plan, describe

SETTINGS = {"ipset": "`no` for hosts without ipset: exact, merely larger (default: yes)"}

DEEPEST = 14
"""Chains below each other: iptables-nft follows 15 from the built-in one on."""
FLATTER = (1, 2, 4, 8, 1 << 32)
"""What the arity of search trees is multiplied by, one after the other, until no path is too deep."""
SAME_DIGITS = 2
"""Pairs of bits in which source and destination are compared before an exact search."""
_NEIGHBOUR_DISCOVERY = range(133, 138)
"""ICMPv6 types: router and neighbour solicitation and advertisement, redirect (RFC 4861, section 4)."""


def lower(plan: Plan, options: Options, layout: Layout = MEASURED) -> Ruleset:
    """All artifacts that enforce a plan; InputError for options that iptables cannot use."""
    return series(options, layout)(plan)


def series(options: Options, layout: Layout = MEASURED) -> Callable[[Plan], Ruleset]:
    """As `lower`, for plans of one cluster: what several of them have is made once."""
    _check(options)
    return partial(_lowered, options=options, layout=layout, kept=Kept())


def _lowered(plan: Plan, options: Options, layout: Layout, kept: Kept) -> Ruleset:
    prefix, use_sets = _check(options)
    check_prefixes(plan)
    listed = split(plan, layout.pairs) if use_sets else Split((), plan, ())
    matches, v4, v6 = next(
        built
        for factor in FLATTER
        if (built := _tables(plan, listed, options, Matches(Names(prefix), use_sets, layout, kept), factor))
        is not None
    )
    policed = options.own_node is OwnNode.POLICED
    own_node = tuple((hook, f"{prefix}-{hook}") for hook in ("INPUT", "OUTPUT"))
    hooks = (("FORWARD", f"{prefix}-FORWARD"), *(own_node if policed else ()))
    used = {
        name for table in (v4, v6) for chain in table.chains for rule in chain.rules for name in rule.sets()
    }
    sets = tuple(matches.sets[name] for name in sorted(used))
    return Ruleset(prefix, _heading(plan), sets, v4, v6, hooks, () if policed else own_node)


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
    plan: Plan, listed: Split, options: Options, matches: Matches, factor: int
) -> tuple[Matches, Table, Table] | None:
    """The tables of both families; None where chains are too deep, with trees of so many times the arity."""
    arity = matches.layout.arity * factor
    chains = {
        family: tuple(_FamilyLowering(plan, listed, options, family, matches, arity).chains())
        for family in Family
    }
    if max(map(depth, chains.values())) > DEEPEST:
        return None
    heading = _heading(plan)
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
    listed: Split
    options: Options
    family: Family
    matches: Matches
    arity: int
    decisions: Decisions = field(init=False)

    def __post_init__(self) -> None:
        self.decisions = Decisions(self.family, self.matches, self.arity)

    def chains(self) -> list[Chain]:
        """All chains, hooks first."""
        classes: list[Chain] = []
        leaves: dict[Direction, list[Leaf]] = {direction: [] for direction in Direction}
        isolated: dict[Direction, set[int]] = {direction: set() for direction in Direction}
        asked: dict[Direction, list[Class]] = {direction: [] for direction in Direction}
        allow = pair_rules(self.listed, self.family, self.matches, RETURN)
        # A class that logs what is denied is looked for, even where it has nothing to allow.
        is_short = bool(allow) and not self.options.log_denied
        for one in self.listed.rest.classes:
            addresses = [
                address
                for subject in one.subjects
                for address in subject.addresses
                if Family.of(address) is self.family
            ]
            isolated[one.direction].update(addresses)
            if addresses and (one.decision or one.logs or not is_short):
                asked[one.direction].append(one)
                name = self.matches.names.chain(one.direction.value[0].upper(), one.key)
                classes += self._class(name, one)
                option = address_option(one.direction, peer=False)
                for address in addresses:
                    rule = Rule((option, format_address(address)), f"-g {name}")
                    leaves[one.direction].append((address, rule))
        trees = []
        for direction in Direction:
            if isolated[direction]:
                first, *below = self._search(direction, leaves[direction])
                deny = self._deny_unasked(asked[direction], direction) if is_short else ()
                trees += [Chain(first.name, (*deny, *first.rules)), *below]
        shared = [chain for name in sorted(self.decisions.shared) for chain in self.decisions.shared[name]]
        subjects = {address for found in isolated.values() for address in found}
        hairpins, from_themselves = self._hairpins()
        ends = self._ends(subjects - from_themselves) if subjects or from_themselves else []
        hooks = self._hooks(isolated, allow, from_themselves)
        return [*hooks, *trees, *hairpins, *classes, *shared, *ends]

    def _entry(self, direction: Direction) -> str:
        return f"{self.matches.names.prefix}-{direction.name}"

    def _search(self, direction: Direction, leaves: list[Leaf]) -> Iterator[Chain]:
        """The chains that find the class of an address, the first of which packets enter."""
        option, in_order = address_option(direction, peer=False), sorted(leaves, key=_address)
        return address_tree(
            self._entry(direction), option, in_order, self.decisions.tree_name, arity=self.arity
        )

    def _deny_unasked(self, asked: Sequence[Class], direction: Direction) -> tuple[Rule, ...]:
        deny = f"-g {self.matches.names.prefix}-DENY"
        return (unasked(asked, direction, self.family, self.matches, deny),)

    def _hooks(
        self, isolated: Mapping[Direction, set[int]], allow: tuple[Rule, ...], from_themselves: set[int]
    ) -> list[Chain]:
        """The chains that the built-in ones jump to."""
        asked = {
            direction: self._ask(
                direction.name,
                found,
                (address_option(direction, peer=False),),
                f"isolated for {direction.value}",
            )
            for direction, found in isolated.items()
        }
        before = self._ask("HAIRPIN", from_themselves, ("-s", "-d"), "to themselves not everything may pass")
        egress, ingress = asked[Direction.EGRESS], asked[Direction.INGRESS]
        hooks = {"FORWARD": before + allow + egress + ingress}
        if self.options.own_node is OwnNode.POLICED:
            # No hairpins: the node is no endpoint.
            hooks |= {"INPUT": allow + egress, "OUTPUT": allow + ingress}
        established = Rule(("-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"), RETURN)
        return [
            Chain(f"{self.matches.names.prefix}-{hook}", (established, *rules) if rules else ())
            for hook, rules in hooks.items()
        ]

    def _ask(self, word: str, addresses: set[int], sides: tuple[str, ...], comment: str) -> tuple[Rule, ...]:
        """Search the tree of that name for an address; a set spares most packets the search."""
        if not addresses:
            return ()
        prefix = self.matches.names.prefix
        jump = f"-j {prefix}-{word}"
        if not self.matches.use_sets:
            return (Rule((), jump),)
        name = f"{prefix}-{word}{self.family.value}".lower()
        self.matches.add_hash(name, self.family, tuple(map(format_address, sorted(addresses))), [comment])
        return (Rule(tuple(option for side in sides for option in in_set(name, side)), jump),)

    def _hairpins(self) -> tuple[list[Chain], set[int]]:
        """The endpoints to which not everything may pass from themselves: their chains and addresses (C6)."""
        chains: list[Chain] = []
        leaves: list[Leaf] = []
        for one in self.plan.hairpins:
            addresses = [address for address in one.addresses if Family.of(address) is self.family]
            if addresses:
                key = f"hairpin {traffic.describe(one.traffic)}"
                name = self.matches.names.chain("H", key)
                end, logging = self._end("hairpin", key)
                chains += self.decisions.by_traffic(name, [(one.traffic, "-j ACCEPT")], f"-g {end}")
                chains += logging
                leaves += [(address, Rule(_itself(address), f"-g {name}")) for address in addresses]
        if not leaves:
            return [], set()
        root, tree_name = f"{self.matches.names.prefix}-HAIRPIN", self.decisions.tree_name
        tree = address_tree(root, "-s", sorted(leaves, key=_address), tree_name, arity=self.arity)
        return [*tree, *chains], {address for address, _ in leaves}

    def _ends(self, subjects: set[int]) -> list[Chain]:
        """The exceptions, these endpoints to themselves among them, and the end of what is denied."""
        prefix = self.matches.names.prefix
        exceptions = []
        if self.family is Family.V6:
            exceptions = [
                Rule(("-p", "icmpv6", "--icmpv6-type", str(one)), "-j ACCEPT") for one in _NEIGHBOUR_DISCOVERY
            ]
        itself = [(one, Rule(_itself(one), "-j ACCEPT")) for one in sorted(subjects)]
        if itself:
            exceptions.append(Rule((), f"-j {prefix}-SELF"))
        always = Chain(f"{prefix}-ALWAYS", tuple(exceptions), "what passes although no rule allows it")
        asked = [] if self.options.log_denied else [Rule((), f"-j {prefix}-ALWAYS")]
        deny = Chain(f"{prefix}-DENY", (*asked, *self._deny()))
        return [deny, always, *(self._self_search(itself) if itself else ())]

    def _self_search(self, itself: list[Leaf]) -> Iterator[Chain]:
        """Chains that find out whether source and destination are the same subject.

        Where there are many, few rules that are in the cache tell nearly all packets of which that is not so:
        two bits of the addresses differ, or two others.
        """
        names = [f"{self.matches.names.prefix}-SELF"]
        if len(itself) >= self.matches.layout.same_bits_from:
            names += [self.decisions.tree_name(f"{names[0]} {digit}") for digit in range(SAME_DIGITS)]
        for digit, (name, following) in enumerate(pairwise(names)):
            yield Chain(name, tuple(same_bits(self.family, 2 * digit, f"-g {following}")))
        yield from address_tree(names[-1], "-d", itself, self.decisions.tree_name, arity=self.arity)

    def _deny(self) -> list[Rule]:
        if self.options.deny_with is Deny.DROP:
            return [Rule((), "-j DROP")]
        prohibited = "icmp-admin-prohibited" if self.family is Family.V4 else "icmp6-adm-prohibited"
        return [
            Rule(("-p", "tcp"), "-j REJECT --reject-with tcp-reset"),
            Rule((), f"-j REJECT --reject-with {prohibited}"),
        ]

    def _class(self, name: str, one: Class) -> list[Chain]:
        """The chains of a class, the first of that name."""
        end, logging = self._end(one.direction.value, one.key)
        logs = [rule for logged in one.logs for rule in self._log(logged, one.direction)]
        if logs:  # what always passes comes before every tier (C6), so no rule logs it
            logs.insert(0, Rule((), f"-j {self.matches.names.prefix}-ALWAYS"))
        ends = Ends(RETURN, f"-g {end}")
        first, *below = self.decisions.chains(name, one.arms, one.direction, ends)
        comment = shortened(one.policies, LONGEST_COMMENT)
        return [Chain(name, (*logs, *first.rules), comment), *below, *logging]

    def _log(self, logged: LoggedRule, direction: Direction) -> list[Rule]:
        """Rules after which a packet goes on, and that log it once if the logged rule matches it (X2)."""
        action = log_action(logged)
        arms = by_peers(logged.packets)
        rules = self.decisions.in_turn(arms, direction, action)
        most = self.matches.layout.most_log_rules if self._is_disjoint(arms, direction) else 1
        if rules is not None and len(rules) <= most:
            return rules
        names, shared = self.matches.names, self.decisions.shared
        line = names.chain("G", action)
        shared[line] = [Chain(line, (Rule((), action),))]
        name = names.chain("R", f"{direction.value} {action}\n{describe(logged.packets)}")
        if name not in shared:
            ends = Ends(f"-g {line}", RETURN)
            first, *below = self.decisions.chains(name, arms, direction, ends)
            shared[name] = [
                Chain(name, first.rules, shortened([printable(logged.rule)], LONGEST_COMMENT)),
                *below,
            ]
        return [Rule((), f"-j {name}")]

    def _is_disjoint(self, arms: Sequence[Arm], direction: Direction) -> bool:
        """Whether no packet matches two rules of some arms: arms may overlap, and alternatives of peers."""
        return len(arms) == 1 and len(self.matches.peers(arms[0].peers, direction, self.family)) == 1

    def _end(self, about: str, key: str) -> tuple[str, list[Chain]]:
        """Where what is not allowed goes: the chain's name, and the chain that logs on the way there."""
        deny = f"{self.matches.names.prefix}-DENY"
        if not self.options.log_denied:
            return deny, []
        name = self.matches.names.chain("L", key)
        prefix = f'"npc {about} {name.rpartition("-")[2]} "'
        limit = ("-m", "limit", "--limit", "10/second", "--limit-burst", "20")
        rules = (
            Rule((), f"-j {self.matches.names.prefix}-ALWAYS"),
            Rule(limit, f"-j LOG --log-prefix {prefix}"),
            Rule((), f"-g {deny}"),
        )
        return name, [Chain(name, rules)]


def _address(leaf: Leaf) -> int:
    return leaf[0]


def _itself(address: int) -> tuple[str, ...]:
    text = format_address(address)
    return "-s", text, "-d", text
