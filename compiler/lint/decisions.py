"""Rules that never decide in an inventory, exactly: what each matches at a subject, less what others decide.

Two lints. A rule *never decides* when all that it matches, at every subject, is decided before it is asked:
by rules before it in its tier, or by the Admin tier (C1-C3). A rule *adds nothing here* when its tier comes
to the same without it, though by the pods that there are now, not by what is written. Both leave out rules
that match nothing at all. The rules that are found are so together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Peers
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.syntax import ClusterPolicy, Direction, Policy
from npc.compiler.inventory import ContainerPort, Endpoint
from npc.compiler.lint.checked import Checked, Placed, about, placed
from npc.compiler.lint.redundancy import covered, shadowed
from npc.compiler.resolve import Model, names_ports
from npc.compiler.tiers import Deciders, Match, Ordered, Outcome, Packets


def overruled_rules(checked: Checked) -> Iterator[Diagnostic]:
    """NPC702, by the inventory."""
    if checked.model is None or not checked.cluster_policies:
        return
    told = {id(one.rule) for one, _ in shadowed(checked)}
    ranks = Counter((one.tier, one.priority) for one in checked.cluster_policies)
    for direction in Direction:
        found = _Direction.of(checked.model, direction)
        for one, by_admin in found.overruled():
            shares = isinstance(one.policy, ClusterPolicy) and ranks[one.policy.tier, one.policy.priority] > 1
            if id(one.rule) not in told and not shares:
                whom = "the Admin tier decides" if by_admin else "rules that are asked before it decide"
                yield Diagnostic(
                    codes.NEVER_DECIDES,
                    f"the rule never decides: {whom} about all that it matches",
                    one.rule.origin,
                    help="remove it, or change what is asked before it",
                    about=about(one.policy),
                )


def idle_here(checked: Checked) -> Iterator[Diagnostic]:
    """NPC703."""
    if checked.model is None:
        return
    gone = {id(one.rule) for one, _ in (*covered(checked), *shadowed(checked))}
    for direction in Direction:
        found = _Direction.of(checked.model, direction)
        gone |= {id(one.rule) for one, _ in found.overruled()}
        for one in found.idle(gone):
            yield Diagnostic(
                codes.REDUNDANT_HERE,
                "the rule adds nothing in this inventory: others decide the same about all that it matches",
                one.rule.origin,
                help="remove it, unless it is for pods that are not there now",
                about=about(one.policy),
            )


@dataclass(frozen=True, slots=True)
class _Question:
    """Policies that decide for some endpoints alike, and one of these."""

    subject: Endpoint
    deciders: Deciders


@dataclass(slots=True)
class _Fate:
    """What becomes of a rule, as far as has been seen."""

    placed: Placed
    is_asked: bool = False
    """Whether it matches something."""
    decides: bool = False
    but_for_admin: bool = False
    """Whether it would decide somewhere if the Admin tier did not."""


@dataclass(frozen=True, slots=True)
class _Direction:
    """What is asked in one direction, and what rules match; kept, as many questions share them."""

    model: Model
    direction: Direction
    questions: tuple[_Question, ...]
    _matches: dict[tuple[int, int, tuple[ContainerPort, ...]], Match] = field(default_factory=dict)
    _ordered: dict[tuple[tuple[int, ...], tuple[ContainerPort, ...]], Ordered] = field(default_factory=dict)
    _names_ports: dict[int, bool] = field(default_factory=dict)

    @staticmethod
    def of(model: Model, direction: Direction) -> _Direction:
        names: dict[int, bool] = {}
        found: dict[object, _Question] = {}
        for endpoint, deciders in model.deciding(direction):
            tiers = (deciders.admin, deciders.network, deciders.baseline)
            by_ports = False
            if direction is Direction.INGRESS:
                for policy in (one for tier in tiers for one in tier):
                    if id(policy) not in names:
                        names[id(policy)] = names_ports(policy, direction)
                    by_ports = by_ports or names[id(policy)]
            key = tuple(tuple(map(id, tier)) for tier in tiers), endpoint.ports if by_ports else ()
            if key not in found:
                found[key] = _Question(endpoint, deciders)
        return _Direction(model, direction, tuple(found.values()), _names_ports=names)

    def overruled(self) -> Iterator[tuple[Placed, bool]]:
        """The rules that never decide, and whether they would but for the Admin tier."""
        fates: dict[int, _Fate] = {}
        seen: set[object] = set()
        for question in self.questions:
            deciders, subject = question.deciders, question.subject
            self._ask(deciders.admin, (), subject, fates, seen)
            self._ask(deciders.network, deciders.admin, subject, fates, seen)
            if not deciders.network:
                self._ask(deciders.baseline, deciders.admin, subject, fates, seen)
        for fate in fates.values():
            if fate.is_asked and not fate.decides:
                yield fate.placed, fate.but_for_admin

    def _ask(
        self,
        tier: Sequence[Policy],
        admin: Sequence[ClusterPolicy],
        subject: Endpoint,
        fates: dict[int, _Fate],
        seen: set[object],
    ) -> None:
        """Put down what becomes of a tier's rules at a subject, where the Admin tier is asked before them."""
        key = tuple(map(id, tier)), tuple(map(id, admin)), self._ports((*tier, *admin), subject)
        if key in seen:
            return
        seen.add(key)
        before = self._in_order(admin, subject).outcome.decided
        outcome = Outcome()
        for policy in tier:
            for one in placed(policy, self.direction):
                fate = fates.setdefault(id(one.rule), _Fate(one))
                if isinstance(policy, ClusterPolicy):
                    match = self._match(one, subject)
                    left = match.packets - outcome.decided - outcome.passed
                    outcome = outcome.and_then(Ordered.of((match,)).outcome)
                elif fate.decides:
                    continue
                elif not admin:
                    fate.decides = True
                    continue
                else:
                    left = self._match(one, subject).packets
                if not fate.decides and _has_peers(self._match(one, subject).packets):
                    fate.is_asked = True
                    fate.but_for_admin = fate.but_for_admin or (bool(admin) and _has_peers(left))
                    fate.decides = _exceeds(left, before)

    def idle(self, gone: set[int]) -> Iterator[Placed]:
        """The rules without which their tier comes to the same, once those that are `gone` are removed."""
        gone = set(gone)
        by_policy: dict[int, list[_Question]] = {}
        policies: dict[int, Policy] = {}
        for question in self.questions:
            for policy in question.deciders.policies:
                by_policy.setdefault(id(policy), []).append(question)
                policies[id(policy)] = policy
        for key in reversed(policies):
            policy = policies[key]
            for one in reversed(list(placed(policy, self.direction))):
                if id(one.rule) in gone or one.rule.log is not None:
                    continue
                if isinstance(policy, ClusterPolicy):
                    is_idle = self._is_idle_in_order(one, by_policy[key], gone)
                else:
                    is_idle = self._is_idle_in_union(one, by_policy[key], gone)
                if is_idle:
                    gone.add(id(one.rule))
                    yield one

    def _is_idle_in_union(self, one: Placed, questions: Sequence[_Question], gone: set[int]) -> bool:
        matches_any = False
        for question in questions:
            left = self._match(one, question.subject).packets
            if not _has_peers(left):
                continue
            matches_any = True
            for other, match in self._all(question.deciders.network, question.subject):
                if other.rule is not one.rule and id(other.rule) not in gone and _holds_as_long(other, one):
                    left = left - match.packets
                    if not left:
                        break
            if _exceeds(left, self._in_order(question.deciders.admin, question.subject).outcome.decided):
                return False
        return matches_any

    def _is_idle_in_order(self, one: Placed, questions: Sequence[_Question], gone: set[int]) -> bool:
        matches_any = False
        seen = set()
        for question in questions:
            admin = question.deciders.admin
            tier = admin if any(policy is one.policy for policy in admin) else question.deciders.baseline
            key = tuple(map(id, tier)), self._ports(tier, question.subject)
            if key in seen:
                continue
            seen.add(key)
            if not _has_peers(self._match(one, question.subject).packets):
                continue
            matches_any = True
            rules = [both for both in self._all(tier, question.subject) if id(both[0].rule) not in gone]
            whole = Ordered.of(match for _, match in rules).outcome
            without = Ordered.of(match for other, match in rules if other.rule is not one.rule).outcome
            if _differ(whole, without):
                return False
        return matches_any

    def _all(self, tier: Sequence[Policy], subject: Endpoint) -> Iterator[tuple[Placed, Match]]:
        for policy in tier:
            for one in placed(policy, self.direction):
                yield one, self._match(one, subject)

    def _match(self, one: Placed, subject: Endpoint) -> Match:
        key = id(one.policy), one.index, self._ports((one.policy,), subject)
        if key not in self._matches:
            self._matches[key] = self.model.match(one.policy, one.index, self.direction, subject)
        return self._matches[key]

    def _in_order(self, tier: Sequence[Policy], subject: Endpoint) -> Ordered:
        key = tuple(map(id, tier)), self._ports(tier, subject)
        if key not in self._ordered:
            self._ordered[key] = Ordered.of(match for _, match in self._all(tier, subject))
        return self._ordered[key]

    def _ports(self, tier: Sequence[Policy], subject: Endpoint) -> tuple[ContainerPort, ...]:
        return subject.ports if any(self._names_ports.get(id(policy), False) for policy in tier) else ()


def _holds_as_long(other: Placed, one: Placed) -> bool:
    until = other.rule.until
    return until is None or (one.rule.until is not None and one.rule.until <= until)


def _differ(one: Outcome, other: Outcome) -> bool:
    parts: Sequence[Callable[[Outcome], Packets]] = (
        lambda outcome: outcome.allowed,
        lambda outcome: outcome.denied,
        lambda outcome: outcome.passed,
    )
    return any(_has_peers(part(one) - part(other)) or _has_peers(part(other) - part(one)) for part in parts)


def _exceeds(packets: Packets, others: Packets) -> bool:
    """Whether something is left of a set without another.

    Most often a look at the traffic, or at how many addresses there are, tells; the difference itself would
    name every pod that is taken out of a block.
    """
    if not _has_peers(packets):
        return False
    traffic = Intervals(tuple((low, high) for low, high, _ in packets.parts))
    known = Intervals.of(*((low, high) for low, high, _ in others.parts))
    for low, high, peers in packets.parts:
        if not Intervals(((low, high),)) <= known and _is_someone(peers):
            return True
    for cut in {low for low, _ in (traffic & known).ranges}:
        one, other = packets.at(cut), others.at(cut)
        if one is not None and other is not None and _least(one) > _most(other, one.blocks):
            return True
    return _has_peers(packets - others)


def _least(peers: Peers) -> int:
    """A number of addresses that the blocks of peers have at least."""
    return _size(peers.blocks) - sum(len(hole.members) for hole in peers.holes)


def _most(peers: Peers, among: Intervals) -> int:
    """A number of addresses among some that peers have at most."""
    return _size(peers.blocks & among) + sum(len(group.members) for group in peers.groups)


def _size(addresses: Intervals) -> int:
    return sum(high - low + 1 for low, high in addresses.ranges)


def _has_peers(packets: Packets) -> bool:
    return any(_is_someone(peers) for _, _, peers in packets.parts)


def _is_someone(peers: Peers) -> bool:
    """Whether peers have an address: without listing them all where a look suffices."""
    if any(group.members for group in peers.groups):
        return True
    return bool(peers.blocks) and (not peers.holes or bool(peers.addresses()))
