"""Which rule decides about which packets of a subject, tier by tier (C1-C3, C6).

Takes the policies that decide for a subject and what their rules match, gives disjoint pieces of all the
packets asked about, each with the ruling on it: together they are all that was asked.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from npc.compiler.algebra.packets import PacketSet
from npc.compiler.ask.meaning import Meaning, Packets
from npc.compiler.frontend.syntax import Action, ClusterPolicy, Direction, NetworkPolicy, Policy, Rule
from npc.compiler.inventory import ContainerPort
from npc.compiler.labels import Bits
from npc.compiler.tiers import Deciders


class Ground(Enum):
    """What a decision rests on."""

    ADMIN = "admin"
    """A rule of a cluster policy of the Admin tier."""
    NETWORK_POLICY = "networkpolicy"
    """A rule of a NetworkPolicy that isolates the subject."""
    ISOLATED = "isolated"
    """NetworkPolicies isolate the subject, and no rule of them matches (P1, P2)."""
    BASELINE = "baseline"
    """A rule of a cluster policy of the Baseline tier."""
    DEFAULT = "default"
    """No policy isolates the subject or decides otherwise."""
    OUTSIDE = "outside"
    """The subject is no endpoint: no policy is for it."""
    ITSELF = "itself"
    """The packet comes from the subject itself (A2)."""
    OWN_NODE = "own-node"
    """The other end is the node that the subject runs on (A3)."""


@dataclass(frozen=True, slots=True)
class Decider:
    """A rule by its policy and its place among the policy's rules of the direction, from 0."""

    policy: Policy = field(hash=False)
    index: int
    rule: Rule = field(hash=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The decision at one end of a packet, and what it rests on."""

    direction: Direction
    allowed: bool
    ground: Ground
    decider: Decider | None = None
    """The rule that decides, where one does: of a NetworkPolicy's, the first that matches."""
    isolating: tuple[NetworkPolicy, ...] = field(default=(), hash=False)
    """The NetworkPolicies that isolate the subject, where the decision is theirs."""
    passed: Decider | None = None
    """The Pass rule of the Admin tier that the packet met before."""

    @property
    def identity(self) -> Hashable:
        """What tells it from other rulings on one model, without a look into its policies."""
        rules = (self.decider, self.passed)
        named = (None if one is None else (id(one.policy), one.index) for one in rules)
        return self.direction, self.allowed, self.ground, *named, *map(id, self.isolating)


@dataclass(frozen=True, slots=True)
class SubjectClass:
    """Endpoints for which the same policies decide in one direction, by rules that mean the same for all."""

    direction: Direction
    number: int
    """Its place among the classes of the direction."""
    members: Bits
    deciders: Deciders
    ports: tuple[ContainerPort, ...] = ()
    """What they call their ports, where rules depend on it."""


Piece = tuple[Ruling, Packets]


def rulings(
    meaning: Meaning, subjects: SubjectClass, asked: Packets, *, hairpin: bool = False
) -> Iterator[Piece]:
    """The pieces of what is asked about some subjects, each with the ruling on it; all of them are disjoint.

    Of a hairpin, a packet that comes back to the subject through a Service, NetworkPolicies have no say.
    """
    direction, deciders = subjects.direction, subjects.deciders
    left: list[tuple[Decider | None, Packets]] = []
    for decider, packets, rest in _in_order(meaning, subjects, deciders.admin, asked):
        if decider is None:
            left.append((None, rest))
        elif decider.rule.action is Action.PASS:
            left.append((decider, packets))
        else:
            yield Ruling(direction, decider.rule.action is Action.ALLOW, Ground.ADMIN, decider), packets
    for passed, packets in left:
        if deciders.network and not hairpin:
            yield from _by_network_policies(meaning, subjects, packets, passed)
        else:
            ground = Ground.ITSELF if hairpin else Ground.DEFAULT
            yield from _by_baseline(meaning, subjects, packets, passed, ground)


def allowed(meaning: Meaning, subjects: SubjectClass, *, hairpin: bool = False) -> Packets:
    """All packets that pass at some subjects."""
    deciders = subjects.deciders
    if not (deciders.admin or deciders.network or deciders.baseline):
        return meaning.everything
    if not deciders.admin and deciders.network and not hairpin:
        return _network(meaning, subjects)
    found: Packets = PacketSet()
    left: Packets = PacketSet()
    for decider, packets, rest in _in_order(meaning, subjects, deciders.admin, meaning.everything):
        if decider is None:
            left = left | rest
        elif decider.rule.action is Action.PASS:
            left = left | packets
        elif decider.rule.action is Action.ALLOW:
            found = found | packets
    if deciders.network and not hairpin:
        return found | (_network(meaning, subjects) & left)
    for ruling, packets in _by_baseline(meaning, subjects, left, None, Ground.DEFAULT):
        if ruling.allowed:
            found = found | packets
    return found


def _network(meaning: Meaning, subjects: SubjectClass) -> Packets:
    """What NetworkPolicies allow: the union of their rules, whatever their order (P2)."""
    matches = (packets for _, packets in _matches(meaning, subjects, subjects.deciders.network))
    return PacketSet.of(pair for packets in matches for pair in packets.rectangles())


def _matches(
    meaning: Meaning, subjects: SubjectClass, policies: Iterable[Policy]
) -> Iterator[tuple[Decider, Packets]]:
    """All rules of some policies, in order, each with what it matches."""
    for policy in policies:
        for index, rule in enumerate(policy.rules(subjects.direction)):
            packets = meaning.match(policy, index, subjects.direction, subjects.ports)
            yield Decider(policy, index, rule), packets


def _in_order(
    meaning: Meaning, subjects: SubjectClass, policies: Sequence[Policy], asked: Packets
) -> Iterator[tuple[Decider | None, Packets, Packets]]:
    """Each rule that is the first to match some packets, with these and what is left; no rule, with the
    rest.
    """
    left = asked
    for decider, packets in _matches(meaning, subjects, policies):
        if found := packets & left:
            left = left - found
            yield decider, found, left
        if not left:
            return
    if left:
        yield None, left, left


def _by_network_policies(
    meaning: Meaning, subjects: SubjectClass, asked: Packets, passed: Decider | None
) -> Iterator[Piece]:
    policies = subjects.deciders.network
    for decider, packets, _ in _in_order(meaning, subjects, policies, asked):
        ground = Ground.ISOLATED if decider is None else Ground.NETWORK_POLICY
        yield (
            Ruling(subjects.direction, decider is not None, ground, decider, policies, passed),
            packets,
        )


def _by_baseline(
    meaning: Meaning, subjects: SubjectClass, asked: Packets, passed: Decider | None, otherwise: Ground
) -> Iterator[Piece]:
    policies: tuple[ClusterPolicy, ...] = subjects.deciders.baseline
    for decider, packets, _ in _in_order(meaning, subjects, policies, asked):
        if decider is None or decider.rule.action is Action.PASS:
            yield Ruling(subjects.direction, True, otherwise, decider, passed=passed), packets
        else:
            is_allowed = decider.rule.action is Action.ALLOW
            yield Ruling(subjects.direction, is_allowed, Ground.BASELINE, decider, passed=passed), packets
