"""Whom policies decide for: an endpoint's labels, and its namespace's, looked up among all subjects.

Takes policies and the labels of namespaces, gives the policies that decide for an endpoint. It is the
endpoint that is looked up, not the policy: what one node needs costs nothing for the others, and
endpoints with the same labels in one namespace are looked up once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from npc.compiler.frontend.syntax import (
    EVERYTHING,
    ClusterPolicy,
    Direction,
    NetworkPolicy,
    Operator,
    Policy,
    Selector,
    Tier,
)
from npc.compiler.inventory import Endpoint
from npc.compiler.labels import matches
from npc.compiler.tiers import Deciders

_NOBODY = Deciders()


@dataclass
class Subjects:
    """The subjects of one direction's policies."""

    direction: Direction
    policies: Iterable[NetworkPolicy]
    cluster_policies: Iterable[ClusterPolicy]
    namespaces: Mapping[str, Mapping[str, str]]
    """All labels of each namespace."""
    _of_namespace: dict[str, _Selectors] = field(default_factory=dict, init=False)
    _known: dict[tuple[str, int], tuple[Mapping[str, str], Deciders]] = field(
        default_factory=dict, init=False
    )
    """By namespace and the identity of labels, which are kept so that no others come to have it."""
    _shared: dict[tuple[int, ...], Deciders] = field(default_factory=dict, init=False)

    def deciders(self, endpoint: Endpoint) -> Deciders | None:
        """The policies that decide for an endpoint; None: none does. The same policies are one object."""
        key = endpoint.namespace, id(endpoint.labels)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = endpoint.labels, self._look_up(endpoint)
        return None if known[1] is _NOBODY else known[1]

    def _look_up(self, endpoint: Endpoint) -> Deciders:
        selectors = self._of_namespace.get(endpoint.namespace)
        if selectors is None:
            selectors = self._of_namespace[endpoint.namespace] = self._selectors(endpoint.namespace)
        found = selectors.selecting(endpoint.labels)
        if not found:
            return _NOBODY
        key = tuple(map(id, found))
        if key not in self._shared:
            cluster = [one for one in found if isinstance(one, ClusterPolicy)]
            network = tuple(one for one in found if isinstance(one, NetworkPolicy))
            admin, baseline = (tuple(one for one in cluster if one.tier is tier) for tier in Tier)
            self._shared[key] = Deciders(admin, network, baseline)
        return self._shared[key]

    def _selectors(self, namespace: str) -> _Selectors:
        labels = self.namespaces.get(namespace)
        policies: list[tuple[Selector, Policy]] = [
            (one.subject, one) for one in self._network.get(namespace, ())
        ]
        for one in self._cluster:
            spaces = one.subject.namespaces
            if spaces is None or spaces == EVERYTHING or (labels is not None and matches(spaces, labels)):
                policies.append((one.subject.pods, one))
        return _Selectors.of(policies)

    @cached_property
    def _network(self) -> Mapping[str, Sequence[NetworkPolicy]]:
        """The NetworkPolicies that isolate in this direction (P1), by namespace, in order of their names."""
        found: dict[str, list[NetworkPolicy]] = {}
        for policy in sorted(self.policies, key=lambda policy: policy.name):
            if self.direction in policy.isolates:
                found.setdefault(policy.namespace, []).append(policy)
        return found

    @cached_property
    def _cluster(self) -> Sequence[ClusterPolicy]:
        """The cluster policies that have rules of this direction, in the order of asking."""
        return sorted((one for one in self.cluster_policies if one.rules(self.direction)), key=_precedence)


@dataclass(frozen=True, slots=True)
class _Selectors:
    """Policies that may be for the endpoints of one namespace, by a label that their subjects must have."""

    policies: tuple[tuple[Selector, Policy], ...]
    by_label: Mapping[tuple[str, str], Sequence[int]]
    others: Sequence[int]
    """Those that name no one label."""

    @staticmethod
    def of(policies: Sequence[tuple[Selector, Policy]]) -> _Selectors:
        by_label: dict[tuple[str, str], list[int]] = {}
        others: list[int] = []
        for number, (selector, _) in enumerate(policies):
            named = next((one for one in selector.requirements if one.operator is Operator.IN), None)
            if named is None:
                others.append(number)
            else:
                for value in named.values:
                    by_label.setdefault((named.key, value), []).append(number)
        return _Selectors(tuple(policies), by_label, others)

    def selecting(self, labels: Mapping[str, str]) -> list[Policy]:
        """The policies whose subjects have these labels, in order."""
        numbers = list(self.others)
        for label in labels.items():
            numbers += self.by_label.get(label, ())
        return [
            policy
            for selector, policy in (self.policies[number] for number in sorted(numbers))
            if matches(selector, labels)
        ]


def _precedence(policy: ClusterPolicy) -> tuple[int, str, str]:
    """The order of policies in a tier: by priority, and where that is equal by name (C2)."""
    return policy.priority, policy.name, policy.kind
