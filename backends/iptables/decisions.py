"""A decision as chains: which packets it holds of, in few comparisons, and where they and all others go.

Its rules are tried in turn where they are few; else the packet's port picks one of disjoint ones, and its
peers are searched for in a chain of their own. Everything behind a decision's first chain is a `goto`, so
that RETURN, wherever it stands, leaves all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from npc.backends import icmp
from npc.backends.iptables.matches import (
    LONGEST_COMMENT,
    Matches,
    address_option,
    port_matches,
    protocol_name,
)
from npc.backends.iptables.ruleset import Chain, Rule
from npc.backends.iptables.tree import address_tree, port_tree
from npc.backends.naming import shortened
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, cidrs, format_address, format_cidr
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.algebra.peers import Peers, members
from npc.compiler.arms import Arm, Arms, by_traffic, packets
from npc.compiler.frontend.syntax import Direction

RETURN = "-j RETURN"


@dataclass(frozen=True, slots=True)
class Ends:
    """What is done to the packets that a decision holds of, and to all others: actions."""

    hit: str
    miss: str

    @property
    def key(self) -> str:
        """What the names of shared chains stand for, beside the peers."""
        return self.miss.removeprefix("-g ") if self.hit == RETURN else f"{self.hit} {self.miss}"


@dataclass(slots=True)
class Decisions:
    """Makes the chains of one family's decisions."""

    family: Family
    matches: Matches
    arity: int
    """Rules a chain of a search tree."""
    shared: dict[str, list[Chain]] = field(default_factory=dict)
    """Chains that several decisions use, by their names, each with the tree below it."""

    def chains(self, name: str, arms: Arms, direction: Direction, ends: Ends) -> list[Chain]:
        """The chain of that name, in which a decision begins, and those below it."""
        rules = self.in_turn(arms, direction, ends.hit)
        if rules is not None:
            everything = Rule((), ends.hit)
            if everything in rules and any(
                arm.peers.holes for arm in arms
            ):  # in this family there is nobody whom the decision leaves out
                return [Chain(name, tuple(rules[: rules.index(everything) + 1]))]
            return [Chain(name, (*rules, Rule((), ends.miss)))]
        # Whom everything is exchanged with comes first, not again with every port.
        rules = self.in_turn([arm for arm in arms if arm.traffic == traffic.ANY], direction, ends.hit)
        if rules is None:
            rules, rest = [], packets(arms)
        else:
            rest = packets(arm for arm in arms if arm.traffic != traffic.ANY)
        picked = [(arm.traffic, f"-g {self._peers(arm.peers, direction, ends)}") for arm in by_traffic(rest)]
        first, *trees = self.by_traffic(name, picked, ends.miss)
        return [Chain(name, (*rules, *first.rules)), *trees]

    def in_turn(self, arms: Sequence[Arm], direction: Direction, hit: str) -> list[Rule] | None:
        """The rules of arms that are tried in turn; None where they would be too many."""
        layout = self.matches.layout
        if len(arms) > layout.most_arms:
            return None
        if not self.matches.use_sets:
            sizes = (len(members(arm.peers.groups | arm.peers.holes, self.family)) for arm in arms)
            if sum(sizes) > layout.most_rules:
                return None
        rules = [
            Rule((*left, *right), hit)
            for arm in arms
            for left in self.matches.traffic(arm.traffic, self.family)
            for right in self.matches.peers(arm.peers, direction, self.family)
        ]
        return rules if len(rules) <= layout.most_rules else None

    def by_traffic(self, name: str, actions: Sequence[tuple[Intervals, str]], miss: str) -> list[Chain]:
        """Chains that take the action of the traffic that a packet is of, the first of that name.

        The traffic of any two actions is disjoint. The ports of each protocol that has any are a tree.
        """
        in_part: dict[int, list[tuple[Range, str]]] = {}
        whole: dict[str, list[int]] = {}
        for wanted, action in actions:
            for protocol, ranges in traffic.by_protocol(icmp.own_types(wanted, self.family)).items():
                if ranges == ((0, traffic.LAST_PORT),):
                    whole.setdefault(action, []).append(protocol)
                else:
                    in_part.setdefault(protocol, []).extend((piece, action) for piece in ranges)
        listed = {*in_part, *(protocol for protocols in whole.values() for protocol in protocols)}
        others = [one for one in range(traffic.LAST_PROTOCOL + 1) if one not in listed]
        complete = not others
        if max(map(len, whole.values()), default=0) > len(others) > 0:
            # Fewer rules say what is missed than what is hit.
            whole.setdefault(miss, []).extend(others)
            complete = True
        last = (Rule((), miss),)
        rules: list[Rule] = []
        trees: list[Chain] = []
        for protocol, found in sorted(in_part.items()):
            alone = self._alone(protocol, found)
            if len(alone) == 1 and not complete:
                rules += alone
                continue
            word = protocol_name(protocol)
            root = self.tree_name(f"{name} {word}")
            rules.append(Rule(("-p", word), f"-g {root}"))
            if protocol in icmp.PROTOCOLS or len(alone) <= self.arity:
                trees.append(Chain(root, (*alone, *last)))
            else:
                trees += port_tree(root, word, sorted(found), self.tree_name, last, arity=self.arity)
        # Where every protocol is decided, the commonest action needs no match: the others come first.
        ordered = sorted(whole.items(), key=lambda item: (len(item[1]), item[0]))
        for action, protocols in ordered[:-1] if complete and ordered else ordered:
            rules += [Rule(("-p", protocol_name(one)), action) for one in protocols]
        if complete and ordered:
            last = (Rule((), ordered[-1][0]),)
        return [Chain(name, (*rules, *last)), *trees]

    def _alone(self, protocol: int, found: Sequence[tuple[Range, str]]) -> list[Rule]:
        """The fewest rules for each part of a protocol's traffic, of which a packet matches one at most."""
        if protocol not in icmp.PROTOCOLS:
            by_action: dict[str, list[Range]] = {}
            for ports, action in found:
                by_action.setdefault(action, []).append(ports)
            return [
                Rule(match, action)
                for action, ranges in by_action.items()
                for match in port_matches(protocol, Intervals.of(*ranges).ranges)
            ]
        types: dict[str, Intervals] = {}
        for (low, high), action in found:
            piece = traffic.of(protocol, low, high)
            types[action] = types.get(action, Intervals()) | piece
        return [
            Rule(match, action)
            for action, wanted in types.items()
            for match in self.matches.traffic(wanted, self.family)
        ]

    def _peers(self, peers: Peers, direction: Direction, ends: Ends) -> str:
        """The chain that hits some peers and misses all others; equal peers share it."""
        keys = [group.key for group in sorted(peers.groups)]
        keys += [format_cidr(block) for piece in peers.blocks.ranges for block in cidrs(piece)]
        keys += [f"except {group.key}" for group in sorted(peers.holes)]
        name = self.matches.names.chain("P", "\n".join([direction.value, ends.key, *keys]))
        if name not in self.shared:
            first, *below = self._peer_chains(name, peers, direction, ends)
            self.shared[name] = [Chain(name, first.rules, shortened(keys, LONGEST_COMMENT)), *below]
        return name

    def _peer_chains(self, name: str, peers: Peers, direction: Direction, ends: Ends) -> list[Chain]:
        option = address_option(direction, peer=True)
        last = (Rule((), ends.miss),)
        listed, taken = members(peers.groups, self.family), members(peers.holes, self.family)
        everyone = self.family.every <= peers.blocks and not taken
        if self.matches.use_sets or len(listed) + len(taken) <= self.matches.layout.arity or everyone:
            found = self.matches.peers(peers, direction, self.family)
            rules = tuple(Rule(match, ends.hit) for match in found)
            return [Chain(name, (*rules, *(() if () in found else last)))]
        blocks = self.matches.peers(Peers(blocks=peers.blocks), direction, self.family)
        in_blocks = tuple(Rule(match, ends.hit) for match in blocks)
        root = self.tree_name(name)
        actions = dict.fromkeys(taken, ends.miss) | dict.fromkeys(listed, ends.hit)
        leaves = [(one, Rule((option, format_address(one)), actions[one])) for one in sorted(actions)]
        if not taken:
            return [
                Chain(name, (*in_blocks, Rule((), f"-g {root}"))),
                *address_tree(root, option, leaves, self.tree_name, last, arity=self.arity),
            ]
        # Whoever is listed or in a hole is found first; the blocks are for all others.
        to_blocks = (Rule((), f"-g {root}"),)
        return [
            *address_tree(name, option, leaves, self.tree_name, to_blocks, arity=self.arity),
            Chain(root, (*in_blocks, *(() if () in blocks else last))),
        ]

    def tree_name(self, text: str) -> str:
        """The name of a chain of a search tree."""
        return self.matches.names.chain("T", text)
