"""The optimizer: small pure functions on the arms of a class, one after the other.

Each takes the rules of a decision and gives rules that mean the same: the union of their rectangles is the
same set of packets before and after. Rules come in as the policies say them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from npc.compiler.algebra.peers import ANYONE
from npc.compiler.arms import Arm, Arms, by_traffic, joined, packets, widened
from npc.compiler.optimize.cover import fewest_rules, open_in
from npc.compiler.plan import Class, Plan


@dataclass(frozen=True, slots=True)
class Pass:
    """A step of the optimizer, by the name that `--passes` knows it by."""

    name: str
    summary: str
    apply: Callable[[Arms], Arms]


def merge(arms: Arms) -> Arms:
    """Disjoint traffic: overlapping, neighbouring and repeated ports and blocks become one.

    >>> from npc.compiler.algebra import traffic
    >>> web = [Arm(traffic.of(traffic.TCP, port, port), ANYONE) for port in (81, 80, 80)]
    >>> [traffic.describe(arm.traffic) for arm in merge(tuple(web))]
    ['tcp/80-81']
    """
    return by_traffic(packets(arms)) if len(arms) > 1 else arms


def cover(arms: Arms) -> Arms:
    """The fewest rules, across all policies: see `npc.compiler.optimize.cover`."""
    return fewest_rules(packets(arms)) if len(arms) > 1 else arms


def widen(arms: Arms) -> Arms:
    """The simplest traffic for each: with what is open to all anyway, where that makes fewer ranges.

    >>> from npc.compiler.algebra import traffic
    >>> from npc.compiler.algebra.intervals import Intervals
    >>> from npc.compiler.algebra.peers import Peers
    >>> web = Peers(blocks=Intervals.of((1, 9)))
    >>> all_but_https = traffic.ANY - traffic.of(traffic.TCP, 443, 443)
    >>> arms = Arm(traffic.of(traffic.TCP, 443, 443), ANYONE), Arm(all_but_https, web)
    >>> [traffic.describe(arm.traffic) for arm in widen(arms)]
    ['any', 'tcp/443']
    """
    open_to_all = open_in(arms)
    if not open_to_all:
        return arms
    return joined(
        arm if arm.peers == ANYONE else Arm(widened(arm.traffic, open_to_all), arm.peers) for arm in arms
    )


PASSES = (
    Pass("merge", "overlapping, neighbouring and repeated ports and blocks become one", merge),
    Pass("cover", "the fewest rules for all that policies allow together", cover),
    Pass("widen", "simpler ports, where others allow what is added anyway", widen),
)
"""In the order in which they run."""


def optimize(plan: Plan, passes: Sequence[Pass] = PASSES) -> Plan:
    """The plan with fewer and simpler rules: its classes and what they decide stay the same."""
    return replace(plan, classes=tuple(_optimized(one, passes) for one in plan.classes))


def find_passes(names: Iterable[str]) -> tuple[Pass, ...]:
    """The passes of some names, in the order in which they run; KeyError with a name that none has."""
    known = {one.name: one for one in PASSES}
    wanted = {known[name].name for name in names}
    return tuple(one for one in PASSES if one.name in wanted)


def _optimized(one: Class, passes: Iterable[Pass]) -> Class:
    arms = one.arms
    for step in passes:
        arms = step.apply(arms)
    return replace(one, arms=arms)
