"""Random plans by a seed, over the few pods and blocks of `tests.backends.dense`: everything overlaps."""

from __future__ import annotations

from random import Random
from typing import Final, TypeVar

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.peers import Peers
from npc.compiler.arms import Arm, Arms
from npc.compiler.arms import packets as union
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.syntax import Direction
from npc.compiler.optimize.passes import PASSES, optimize
from npc.compiler.plan import Class, Hairpin, LoggedRule, Plan
from tests.backends.dense import BLOCKS, ENDPOINTS, GROUPS, OUTSIDE, TRAFFIC, WHOLE
from tests.compiler.compiling import on_line

NODE: Final = tuple(map(on_line, (OUTSIDE[2], OUTSIDE[4])))
"""The addresses of the node that all pods run on, which are among those that packets are of."""

_NOWHERE: Final = Origin(Source("seeded"))
_T = TypeVar("_T")


def plan(chance: Random, *, logs: bool = False) -> Plan:
    """A plan with one to three classes in each direction, sometimes with hairpins, or with rules that log."""
    classes = []
    for direction in Direction:
        subjects = chance.sample(ENDPOINTS, len(ENDPOINTS))
        seen = set()
        for index in range(chance.randint(1, 3)):
            arms = _arms(chance)
            if union(arms) not in seen:
                seen.add(union(arms))
                logged = (LoggedRule("", "a rule", union(_arms(chance)), _NOWHERE),) if logs else ()
                members = tuple(subjects[2 * index : 2 * index + 2])
                classes.append(Class(direction, union(arms), members, logs=logged, arms=arms))
    return optimize(
        Plan(
            tuple(sorted(classes, key=lambda one: one.key)),
            {address: str(one) for one in ENDPOINTS for address in one.addresses},
            node_addresses={"n": NODE},
            hairpins=_hairpins(chance) if chance.random() < 0.2 else (),
        ),
        PASSES,
    )


def _arms(chance: Random) -> Arms:
    return tuple(
        Arm(_traffic(chance), peers)
        for peers in (_peers(chance) for _ in range(chance.randint(0, 4)))
        if peers
    )


def _traffic(chance: Random) -> Intervals:
    return Intervals.union(chance.choices(TRAFFIC, k=chance.randint(1, 3)))


def _peers(chance: Random) -> Peers:
    groups, taken, more = (frozenset(_some(chance, GROUPS, most)) for most in (3, 1, 1))
    return (Peers() | Peers(groups, _blocks(chance))) - Peers(taken) | Peers(more)


def _blocks(chance: Random) -> Intervals:
    if chance.random() < 0.15:
        return chance.choice(WHOLE)
    ranges, holes = (_some(chance, BLOCKS, 3) for _ in range(2))
    return Intervals.of(*(one.range for one in ranges)) - Intervals.of(*(one.range for one in holes))


def _hairpins(chance: Random) -> tuple[Hairpin, ...]:
    alike: dict[Intervals, list[int]] = {}
    for endpoint in _some(chance, ENDPOINTS, 3):
        for address in endpoint.addresses:
            allowed = _traffic(chance)
            if allowed != traffic.ANY:
                alike.setdefault(allowed, []).append(address)
    return tuple(Hairpin(allowed, tuple(found)) for allowed, found in alike.items())


def _some(chance: Random, among: tuple[_T, ...], most: int) -> list[_T]:
    return chance.sample(among, chance.randint(0, most))
