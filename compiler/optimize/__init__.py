"""From a model to a plan: endpoints with equal decisions share a class, decisions are one PacketSet each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.arms import Arm, Arms
from npc.compiler.frontend.syntax import ClusterPolicy, Direction, Policy
from npc.compiler.inventory import ContainerPort, Endpoint
from npc.compiler.plan import Class, Hairpin, LoggedRule, Plan, Reason
from npc.compiler.resolve import Model, names_ports
from npc.compiler.tiers import ALLOW_ALL, Deciders, Match, Ordered, Packets, Tiers, denies

_Question = tuple[tuple[tuple[int, ...], ...], tuple[ContainerPort, ...]]
"""What a decision depends on: the policies that decide, and the subject's ports where rules name them."""


def build_plan(model: Model, node: str | None = None) -> Plan:
    """The plan for a node's endpoints, or for all of the inventory's.

    An endpoint that may exchange everything, and of whose packets none is logged, is in no class: it
    decides as if no policy did.
    """
    classes: list[Class] = []
    unrestricted: list[Class] = []
    hairpins: dict[int, Intervals] = {}
    for direction in (Direction.EGRESS, Direction.INGRESS):
        found = _Classes(model, direction)
        for endpoint, deciders in model.deciding(direction, node):
            found.add(endpoint, deciders)
        for one in sorted(found.classes(), key=lambda one: one.key):
            needs_rules = one.decision != ALLOW_ALL or one.logs
            (classes if needs_rules else unrestricted).append(one)
        for address, allowed in found.hairpins():
            hairpins[address] = hairpins.get(address, traffic.ANY) & allowed
    used = {subject.node for one in classes for subject in one.subjects}
    addresses = {one.name: one.addresses for one in model.inventory.nodes if one.name in used}
    return Plan(tuple(classes), model.names, node, addresses, tuple(unrestricted), _grouped(hairpins))


@dataclass(slots=True)
class _Classes:
    """The classes of one direction, as endpoints are added to them."""

    model: Model
    direction: Direction
    _subjects: dict[_Question, list[Endpoint]] = field(default_factory=dict)
    _deciders: dict[_Question, Deciders] = field(default_factory=dict)
    _names_ports: dict[int, bool] = field(default_factory=dict)
    """Whether a policy names ports, by its identity."""
    _ordered: dict[tuple[tuple[int, ...], tuple[ContainerPort, ...]], Ordered] = field(default_factory=dict)
    """The rules of some cluster policies at subjects with some ports, which many questions share."""

    def add(self, endpoint: Endpoint, deciders: Deciders) -> None:
        """Ask about an endpoint."""
        names = self.direction is Direction.INGRESS and any(
            map(self._names, [*deciders.policies, *deciders.baseline])
        )
        tiers = (deciders.admin, deciders.network, deciders.baseline)
        question = tuple(tuple(map(id, tier)) for tier in tiers), endpoint.ports if names else ()
        self._subjects.setdefault(question, []).append(endpoint)
        self._deciders[question] = deciders

    def classes(self) -> Iterator[Class]:
        """All of them, those that allow everything included."""
        subjects: dict[tuple[Packets, tuple[LoggedRule, ...]], list[Endpoint]] = {}
        reasons: dict[tuple[Packets, tuple[LoggedRule, ...]], list[Reason]] = {}
        written: dict[tuple[Packets, tuple[LoggedRule, ...]], Arms] = {}
        for question, endpoints in self._subjects.items():
            deciders = self._deciders[question]
            tiers = self._tiers(deciders, endpoints[0])
            answer = tiers.decision(), self._logs(tiers)
            written.setdefault(answer, tiers.written())
            subjects.setdefault(answer, []).extend(endpoints)
            reasons.setdefault(answer, []).append(Reason(tuple(endpoints), deciders))
        for (decision, logs), members in subjects.items():
            answer = decision, logs
            why = tuple(reasons[answer])
            yield Class(self.direction, decision, tuple(members), why, logs, written[answer])

    def hairpins(self) -> Iterator[tuple[int, Intervals]]:
        """The subjects' addresses to which not everything passes from themselves, with what does."""
        for question, endpoints in self._subjects.items():
            deciders = self._deciders[question]
            if not denies((*deciders.admin, *deciders.baseline), self.direction):
                continue
            tiers = self._tiers(deciders, endpoints[0])
            for endpoint in endpoints:
                for address in endpoint.addresses:
                    allowed = tiers.hairpin(address)
                    if allowed != traffic.ANY:
                        yield address, allowed

    def _names(self, policy: Policy) -> bool:
        known = self._names_ports.get(id(policy))
        if known is None:
            known = self._names_ports[id(policy)] = names_ports(policy, self.direction)
        return known

    def _tiers(self, deciders: Deciders, subject: Endpoint) -> Tiers:
        network: Arms | None = None
        logging: tuple[Match, ...] = ()
        if deciders.network:
            rectangles = self.model.rectangles(deciders.network, self.direction, subject)
            network = tuple(Arm(own, peers) for own, peers in rectangles if peers)
            logging = tuple(
                self.model.match(policy, index, self.direction, subject)
                for policy in deciders.network
                for index, rule in enumerate(policy.rules(self.direction))
                if rule.log is not None
            )
        admin, baseline = (self._in_order(tier, subject) for tier in (deciders.admin, deciders.baseline))
        return Tiers(admin, network, logging, baseline)

    def _in_order(self, policies: Sequence[ClusterPolicy], subject: Endpoint) -> Ordered:
        names = self.direction is Direction.INGRESS and any(map(self._names, policies))
        key = tuple(map(id, policies)), subject.ports if names else ()
        if key not in self._ordered:
            self._ordered[key] = Ordered.of(
                self.model.match(policy, index, self.direction, subject)
                for policy in policies
                for index in range(len(policy.rules(self.direction)))
            )
        return self._ordered[key]

    def _logs(self, tiers: Tiers) -> tuple[LoggedRule, ...]:
        return tuple(
            LoggedRule(log.prefix, _words(match, self.direction), packets, log.origin or match.rule.origin)
            for match, packets in tiers.logged()
            if (log := match.rule.log) is not None and packets
        )


def _words(match: Match, direction: Direction) -> str:
    """What a rule does, whose it is and which: `deny guard-rails no-dev-ssh`, `allow shop/db ingress 2`."""
    which = match.rule.name or f"{direction.value} {match.index + 1}"
    return f"{match.rule.action.value} {match.policy} {which}"


def _grouped(hairpins: dict[int, Intervals]) -> tuple[Hairpin, ...]:
    """Addresses with the same traffic together."""
    alike: dict[Intervals, list[int]] = {}
    for address, allowed in sorted(hairpins.items()):
        alike.setdefault(allowed, []).append(address)
    return tuple(Hairpin(allowed, tuple(found)) for allowed, found in sorted(alike.items(), key=_ranges))


def _ranges(item: tuple[Intervals, list[int]]) -> tuple[tuple[int, int], ...]:
    return item[0].ranges
