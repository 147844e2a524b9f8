"""Tiers flatten into allow space: what rules that are tried in order let pass, as one set (C1-C3).

Takes the rules that decide for a subject, each with the packets that it matches, and gives the packets
that pass. Whatever a dataplane then holds is "allow, else drop", and no order is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Peers
from npc.compiler.arms import Arms, packets
from npc.compiler.frontend.syntax import Action, ClusterPolicy, Direction, NetworkPolicy, Policy, Rule

Packets = PacketSet[Peers]

ALLOW_ALL: Packets = PacketSet.of([(traffic.ANY, ANYONE)])
"""The decision at an endpoint that no policy decides for."""


@dataclass(frozen=True, slots=True)
class Deciders:
    """The policies that decide for an endpoint in one direction, tier by tier, in the order of asking."""

    admin: tuple[ClusterPolicy, ...] = ()
    network: tuple[NetworkPolicy, ...] = ()
    """Those that isolate it (P1); their order means nothing."""
    baseline: tuple[ClusterPolicy, ...] = ()

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Those that have a say: of Baseline only where no NetworkPolicy isolates the endpoint (C3)."""
        return (*self.admin, *self.network, *(() if self.network else self.baseline))


@dataclass(frozen=True, slots=True)
class Match:
    """A rule, whose it is, and the packets that it matches at some subject."""

    policy: Policy
    index: int
    """Among the policy's rules of the direction, from 0."""
    rule: Rule
    packets: Packets


@dataclass(frozen=True, slots=True)
class Outcome:
    """What rules that are tried in order come to: disjoint sets; all else they leave undecided."""

    allowed: Packets = PacketSet()
    denied: Packets = PacketSet()
    passed: Packets = PacketSet()

    @property
    def decided(self) -> Packets:
        """What goes no further."""
        return self.allowed | self.denied

    def and_then(self, later: Outcome) -> Outcome:
        """The outcome with more rules, which decide on what is undecided."""
        # What earlier rules decided alike need not be taken away.
        return Outcome(
            self.allowed | (later.allowed - self.denied - self.passed),
            self.denied | (later.denied - self.allowed - self.passed),
            self.passed | (later.passed - self.allowed - self.denied),
        )


@dataclass(frozen=True, slots=True)
class Ordered:
    """Rules of which the first that matches decides (C2), and what they come to."""

    matches: tuple[Match, ...]
    outcome: Outcome

    @staticmethod
    def of(matches: Iterable[Match]) -> Ordered:
        matches = tuple(matches)
        return Ordered(matches, _outcome([(action, tuple(run)) for action, run in groupby(matches, _action)]))

    def logged(self) -> Iterator[tuple[Match, Packets]]:
        """The rules that log, each with the packets that no rule before it decides on."""
        outcome = Outcome()
        for match in self.matches if any(one.rule.log for one in self.matches) else ():
            if match.rule.log is not None:
                yield match, match.packets - outcome.decided - outcome.passed
            outcome = outcome.and_then(_alike(match.rule.action, (match,)))


def _outcome(runs: Sequence[tuple[Action, tuple[Match, ...]]]) -> Outcome:
    """What runs of rules of one action each come to: that of each half first, so that few sets are large."""
    if len(runs) <= 1:
        return _alike(*runs[0]) if runs else Outcome()
    middle = len(runs) // 2
    return _outcome(runs[:middle]).and_then(_outcome(runs[middle:]))


def _alike(action: Action, matches: Iterable[Match]) -> Outcome:
    """What rules of one action come to: their order means nothing."""
    found = PacketSet.of(
        (Intervals(((low, high),)), peers) for match in matches for low, high, peers in match.packets.parts
    )
    match action:
        case Action.ALLOW:
            return Outcome(allowed=found)
        case Action.DENY:
            return Outcome(denied=found)
        case Action.PASS:
            return Outcome(passed=found)


def _action(match: Match) -> Action:
    return match.rule.action


@dataclass(frozen=True, slots=True)
class Tiers:
    """What decides for a subject in one direction, tier by tier."""

    admin: Ordered
    network: Arms | None
    """What each rule of the NetworkPolicies allows; None where none isolates the subject."""
    logging: tuple[Match, ...]
    """The rules of the NetworkPolicies that log."""
    baseline: Ordered

    def decision(self) -> Packets:
        """All that passes."""
        if self.network is not None:
            left = packets(self.network)
        else:
            left = ALLOW_ALL - self.baseline.outcome.denied
        if not self.admin.matches:
            return left
        admin = self.admin.outcome
        return admin.allowed | (left - admin.denied)

    def written(self) -> Arms:
        """The decision rule by rule, as the policies say it; empty where their order has a say in it."""
        return () if self.admin.matches or self.network is None else self.network

    def logged(self) -> Iterator[tuple[Match, Packets]]:
        """The rules that log, each with the packets that it comes to match (X2), in the order of asking."""
        yield from self.admin.logged()
        decided = self.admin.outcome.decided
        for match in self.logging:
            yield match, match.packets - decided
        if self.network is None:
            for match, packets in self.baseline.logged():
                yield match, packets - decided

    def hairpin(self, address: int) -> Intervals:
        """What passes from a subject's address to itself: NetworkPolicies have no say in it (C6)."""
        admin, baseline = self.admin.outcome, self.baseline.outcome
        left = traffic.ANY - _with_peer(admin.denied, address) - _with_peer(baseline.denied, address)
        return left | _with_peer(admin.allowed, address)


def denies(policies: Iterable[ClusterPolicy], direction: Direction) -> bool:
    """Whether a rule of the direction denies."""
    return any(rule.action is Action.DENY for policy in policies for rule in policy.rules(direction))


def _with_peer(packets: Packets, address: int) -> Intervals:
    """The traffic that is exchanged with an address."""
    return Intervals.of(*((low, high) for low, high, peers in packets.parts if address in peers))
