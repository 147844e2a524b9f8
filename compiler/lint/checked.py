"""What lints look at, and how they name it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.source import Origin
from npc.compiler.frontend.syntax import ClusterPolicy, Direction, NetworkPolicy, Policy, Rule
from npc.compiler.resolve import Model


@dataclass(frozen=True, slots=True)
class Checked:
    """Policies without errors, each once, and what they come to where there is an inventory."""

    policies: tuple[NetworkPolicy, ...]
    cluster_policies: tuple[ClusterPolicy, ...] = ()
    model: Model | None = None

    @staticmethod
    def of(
        policies: Iterable[NetworkPolicy], others: Iterable[ClusterPolicy], model: Model | None
    ) -> Checked:
        """In the order of the input: of two policies that say the same, the second is one too many."""
        return Checked(tuple(sorted(policies, key=_place)), tuple(sorted(others, key=_place)), model)

    @property
    def all(self) -> tuple[Policy, ...]:
        return (*self.policies, *self.cluster_policies)

    def rules(self) -> Iterator[Placed]:
        """The rules in force, policy by policy."""
        for policy in self.all:
            for direction in Direction:
                yield from placed(policy, direction)


@dataclass(frozen=True, slots=True)
class Placed:
    """A rule and where it stands."""

    policy: Policy
    direction: Direction
    index: int
    """Among the policy's rules of the direction, from 0."""
    rule: Rule


Lint = Callable[[Checked], Iterator[Diagnostic]]


def placed(policy: Policy, direction: Direction) -> Iterator[Placed]:
    """The rules of a policy that are in force in a direction."""
    for index, rule in enumerate(policy.rules(direction)):
        yield Placed(policy, direction, index, rule)


def about(policy: Policy) -> str:
    """A policy as messages name it: `NetworkPolicy shop/web`."""
    return f"{policy.kind} {policy}"


def namespace_of(policy: Policy) -> str:
    """The namespace that a policy's own pods are in; empty for a cluster policy."""
    return policy.namespace if isinstance(policy, NetworkPolicy) else ""


def is_in_yaml(origin: Origin) -> bool:
    """Whether a path leads to parts of what stands there: so in YAML and JSON, not in the policy language."""
    return origin.within is None


def peer_origin(one: Placed, index: int) -> Origin:
    """Where a peer was written, or its rule where that is not known.

    A peer of a cluster policy may stand for several, so its place among the others does not tell.
    """
    if isinstance(one.policy, ClusterPolicy):
        return one.rule.origin
    return one.rule.origin.at("from" if one.direction is Direction.INGRESS else "to", index)


def port_origin(one: Placed, index: int) -> Origin:
    """Where a port was written, or its rule where that is not known."""
    return one.rule.origin if isinstance(one.policy, ClusterPolicy) else one.rule.origin.at("ports", index)


def _place(policy: Policy) -> tuple[str, int, tuple[int, int], str]:
    origin = policy.origin
    return origin.source.name, origin.document, origin.within or (0, 0), str(policy)
