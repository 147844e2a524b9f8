"""From a model to a plan: endpoints with equal decisions share a class, decisions are one PacketSet each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.arms import Arm, Arms
from npc.compiler.frontend.syntax import ClusterPolicy, Direction, Policy
from npc.compiler.inventory import ContainerPort, Endpoint
from npc.compiler.optimize.passes import Pass
from npc.compiler.plan import Class, Hairpin, LoggedRule, Plan, Reason
from npc.compiler.resolve import Model, names_ports
from npc.compiler.tiers import ALLOW_ALL, Deciders, Match, Ordered, Packets, Tiers, denies

_Ports = tuple[ContainerPort, ...]


def build_plan(model: Model, node: str | None = None) -> Plan:
    """The plan for a node's endpoints, or for all of the inventory's, with its rules as they are written."""
    return Planner(model).plan(node)


@dataclass(slots=True)
class Planner:
    """Plans of one model, node after node: what policies come to is worked out once for all nodes.

    The plan of a node is the same whichever nodes came before it.
    """

    model: Model
    passes: Sequence[Pass] = ()
    """Of the optimizer, over the rules of each class."""
    _decisions: dict[Direction, _Decisions] = field(init=False)

    def __post_init__(self) -> None:
        self._decisions = {one: _Decisions(self.model, one, self.passes) for one in Direction}

    def plan(self, node: str | None = None) -> Plan:
        """The plan for a node's endpoints, or for all of the inventory's.

        An endpoint that may exchange everything, and of whose packets none is logged, is in no class: it
        decides as if no policy did.
        """
        classes: list[Class] = []
        hairpins: dict[int, Intervals] = {}
        for direction in (Direction.EGRESS, Direction.INGRESS):
            decisions = self._decisions[direction]
            endpoints: dict[int, list[Endpoint]] = {}
            answers: dict[int, _Answer] = {}
            for endpoint, deciders in self.model.deciding(direction, node):
                answer = decisions.answer(endpoint, deciders)
                answers[id(answer)] = answer
                endpoints.setdefault(id(answer), []).append(endpoint)
            found = [(answers[number], tuple(subjects)) for number, subjects in endpoints.items()]
            for one in sorted(decisions.classes(found), key=lambda one: one.key):
                if one.logs or one.decision != ALLOW_ALL:
                    classes.append(one)
            for answer, subjects in found:
                for address, allowed in answer.hairpins(subjects, direction):
                    hairpins[address] = hairpins.get(address, traffic.ANY) & allowed
        used = {subject.node for one in classes for subject in one.subjects}
        addresses = {one.name: one.addresses for one in self.model.inventory.nodes if one.name in used}
        names = self.model.names
        return Plan(tuple(classes), names, node, addresses, _grouped(hairpins))


@dataclass(frozen=True, slots=True)
class _Content:
    """What tells a class from others; equal contents are one object."""

    decision: Packets
    logs: tuple[LoggedRule, ...]
    key: str


@dataclass(slots=True)
class _Answer:
    """What some policies come to at subjects with some ports."""

    deciders: Deciders
    tiers: Tiers
    content: _Content
    _arms: Arms | None = None

    def arms(self, passes: Sequence[Pass]) -> Arms:
        """The rules that targets make of it."""
        if self._arms is None:
            self._arms = self.tiers.written()
            for step in passes:
                self._arms = step.apply(self._arms)
        return self._arms

    def hairpins(self, subjects: Iterable[Endpoint], direction: Direction) -> Iterator[tuple[int, Intervals]]:
        """The subjects' addresses to which not everything passes from themselves, with what does."""
        if not denies((*self.deciders.admin, *self.deciders.baseline), direction):
            return
        for subject in subjects:
            for address in subject.addresses:
                allowed = self.tiers.hairpin(address)
                if allowed != traffic.ANY:
                    yield address, allowed


@dataclass(slots=True)
class _Decisions:
    """What policies come to in one direction."""

    model: Model
    direction: Direction
    passes: Sequence[Pass]
    _answers: dict[tuple[int, _Ports], _Answer] = field(default_factory=dict)
    """By the identity of those who decide, and the subject's ports where rules name them."""
    _contents: dict[tuple[Packets, tuple[LoggedRule, ...]], _Content] = field(default_factory=dict)
    _asks_for_ports: dict[int, bool] = field(default_factory=dict)
    """Whether a rule of those who decide names ports, by their identity."""
    _names_ports: dict[int, bool] = field(default_factory=dict)
    """Whether a policy names ports, by its identity."""
    _ordered: dict[tuple[tuple[int, ...], _Ports], Ordered] = field(default_factory=dict)
    """The rules of some cluster policies at subjects with some ports, which many answers share."""

    def answer(self, endpoint: Endpoint, deciders: Deciders) -> _Answer:
        """What policies come to at an endpoint. `deciders` are the model's: the same policies, one object."""
        names = self._asks_for_ports.get(id(deciders))
        if names is None:
            names = self.direction is Direction.INGRESS and any(
                map(self._names, [*deciders.policies, *deciders.baseline])
            )
            self._asks_for_ports[id(deciders)] = names
        question = id(deciders), endpoint.ports if names else ()
        answer = self._answers.get(question)
        if answer is None:
            tiers = self._tiers(deciders, endpoint)
            content = self._content(tiers.decision(), self._logs(tiers))
            answer = self._answers[question] = _Answer(deciders, tiers, content)
        return answer

    def classes(self, answers: Iterable[tuple[_Answer, tuple[Endpoint, ...]]]) -> Iterator[Class]:
        """The classes of some subjects, those that allow everything included."""
        alike: dict[int, list[tuple[_Answer, tuple[Endpoint, ...]]]] = {}
        for answer, subjects in answers:
            alike.setdefault(id(answer.content), []).append((answer, subjects))
        for found in alike.values():
            first = found[0][0]  # which differs from the others in how its rules are written, at most
            content = first.content
            members = tuple(one for _, subjects in found for one in subjects)
            why = tuple(Reason(subjects, answer.deciders) for answer, subjects in found)
            arms = first.arms(self.passes)
            yield Class(self.direction, content.decision, members, why, content.logs, arms, content.key)

    def _content(self, decision: Packets, logs: tuple[LoggedRule, ...]) -> _Content:
        known = self._contents.get((decision, logs))
        if known is None:
            key = Class(self.direction, decision, (), logs=logs).key
            known = self._contents[decision, logs] = _Content(decision, logs, key)
        return known

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
