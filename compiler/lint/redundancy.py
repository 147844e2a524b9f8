"""Rules that add nothing to others, and rules that others are asked before, whatever the cluster holds.

A rule of a NetworkPolicy is redundant when others, of policies that are for at least the same pods, allow all
that it does (P2). The rules that are found are so together: all of them can be removed at once. A rule of a
cluster policy never decides when those that are asked before it match all that it does (C2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.syntax import ClusterPolicy, Direction, NetworkPolicy, Policy, Rule, Tier
from npc.compiler.lint.checked import Checked, Placed, about, placed
from npc.compiler.lint.duplicates import repeated
from npc.compiler.lint.label_sets import Box
from npc.compiler.lint.reach import Reach, pods_box

_MOST_RELATED = 3
"""Rules that are shown of those which cover another."""


def redundant_rules(checked: Checked) -> Iterator[Diagnostic]:
    """NPC701. What stands twice word by word is another lint's."""
    said = {id(one) for one in repeated(checked)}
    for one, others in covered(checked):
        if id(one.rule) not in said:
            yield Diagnostic(
                codes.REDUNDANT,
                "the rule adds nothing: " + _by_whom(one, others),
                one.rule.origin,
                help="remove it, or narrow the other" + ("s" if len(others) > 1 else ""),
                about=about(one.policy),
                related=_related(others),
            )


def shadowed_rules(checked: Checked) -> Iterator[Diagnostic]:
    """NPC702, as far as it can be told without an inventory."""
    for one, others in shadowed(checked):
        yield Diagnostic(
            codes.NEVER_DECIDES,
            "the rule never decides: what it matches is decided by rules that are asked before it",
            one.rule.origin,
            help="remove it, or move it before them",
            about=about(one.policy),
            related=_related(others, decided=True),
        )


def covered(checked: Checked) -> Iterator[tuple[Placed, Sequence[Placed]]]:
    """The rules of NetworkPolicies that others cover, with some of those; the last of equal ones."""
    by_namespace: dict[str, list[NetworkPolicy]] = {}
    for policy in checked.policies:
        by_namespace.setdefault(policy.namespace, []).append(policy)
    for policies in by_namespace.values():
        for direction in Direction:
            rules = [
                _Candidate.of(one)
                for policy in policies
                for one in placed(policy, direction)
                if _counts(one.rule)
            ]
            subjects = _Subjects()
            for candidate in rules:
                subjects.rules.setdefault(candidate.subject, []).append(candidate)
                candidate.is_gone = candidate.reach.is_empty
            for candidate in reversed(rules):
                if candidate.is_gone or candidate.placed.rule.log is not None:
                    continue
                others = [
                    other
                    for wider in subjects.wider(candidate.subject)
                    for other in wider
                    if other is not candidate and not other.is_gone and candidate.lasts_no_longer_than(other)
                ]
                if others and candidate.reach.is_within([other.reach for other in others]):
                    candidate.is_gone = True
                    yield candidate.placed, _needed(candidate, others)


def shadowed(checked: Checked) -> Iterator[tuple[Placed, Sequence[Placed]]]:
    """The rules of cluster policies that never decide, with some of those that are asked before them."""
    for tier in Tier:
        policies = sorted((one for one in checked.cluster_policies if one.tier is tier), key=_order)
        for direction in Direction:
            before: list[_Candidate] = []
            for policy in policies:
                for one in placed(policy, direction):
                    candidate = _Candidate.of(one)
                    if candidate.reach.is_empty:
                        continue
                    others = [
                        other
                        for other in before
                        if candidate.may_rely_on(other) and _comes_before(other.placed.policy, policy)
                    ]
                    if others and candidate.reach.is_within([other.reach for other in others]):
                        yield one, _needed(candidate, others)
                    before.append(candidate)


@dataclass(slots=True)
class _Candidate:
    """A rule, for whom it is, and what it is about."""

    placed: Placed
    subject: Box
    reach: Reach
    is_gone: bool = field(default=False)
    """Whether it is among those that can be removed: then others must do without it."""

    @staticmethod
    def of(one: Placed) -> _Candidate:
        match one.policy:
            case NetworkPolicy(namespace=namespace, subject=subject):
                return _Candidate(one, Box.of(subject), Reach.of(one.rule, namespace))
            case ClusterPolicy(subject=pods):
                return _Candidate(one, pods_box(pods, ""), Reach.of(one.rule, ""))

    def may_rely_on(self, other: _Candidate) -> bool:
        """Whether another rule is for all whom this one is for, and holds as long."""
        return self.lasts_no_longer_than(other) and self.subject.is_part_of(other.subject)

    def lasts_no_longer_than(self, other: _Candidate) -> bool:
        """Whether another rule holds at least as long (X6)."""
        until, its = self.placed.rule.until, other.placed.rule.until
        return its is None or (until is not None and until <= its)


@dataclass(slots=True)
class _Subjects:
    """Rules by those whom they are for."""

    rules: dict[Box, list[_Candidate]] = field(default_factory=dict)
    _wider: dict[Box, list[list[_Candidate]]] = field(default_factory=dict)

    def wider(self, subject: Box) -> list[list[_Candidate]]:
        """The rules that are for all of a subject, by their own."""
        if subject not in self._wider:
            self._wider[subject] = [rules for other, rules in self.rules.items() if subject.is_part_of(other)]
        return self._wider[subject]


def _comes_before(one: Policy, policy: ClusterPolicy) -> bool:
    """Whether a policy is asked before another whatever their names are: equal priorities leave that open."""
    return one is policy or (isinstance(one, ClusterPolicy) and one.priority < policy.priority)


def _counts(rule: Rule) -> bool:
    return rule.peers != () and rule.ports != ()


def _needed(candidate: _Candidate, others: Sequence[_Candidate]) -> Sequence[Placed]:
    """As few of the rules that cover one as are found by leaving out one after the other."""
    alone = next((one for one in others if candidate.reach.is_within([one.reach])), None)
    if alone is not None:
        return [alone.placed]
    needed = list(others)
    for one in others:
        rest = [other for other in needed if other is not one]
        if candidate.reach.is_within([other.reach for other in rest]):
            needed = rest
    return [one.placed for one in needed]


def _by_whom(one: Placed, others: Sequence[Placed]) -> str:
    names = list(dict.fromkeys(str(other.policy) for other in others if other.policy is not one.policy))
    if not names:
        return (
            "another rule of the policy allows all that it does"
            if len(others) == 1
            else ("other rules of the policy together allow all that it does")
        )
    listed = " and ".join(names[:2]) if len(names) <= 2 else f"{names[0]} and {len(names) - 1:,} more"
    verb = "allows" if len(names) == 1 and len(others) == 1 else "together allow"
    return f"for the same pods {listed} {verb} all that it does"


def _related(others: Sequence[Placed], *, decided: bool = False) -> tuple[Related, ...]:
    return tuple(
        Related(
            other.rule.origin,
            f"{other.policy}: {f'{other.rule.action.value}, asked before' if decided else 'allows it'}",
        )
        for other in others[:_MOST_RELATED]
    )


def _order(policy: ClusterPolicy) -> tuple[int, str, str]:
    return policy.priority, policy.name, policy.kind
