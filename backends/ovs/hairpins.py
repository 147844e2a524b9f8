"""Packets from an endpoint to itself through a Service, of which cluster policies let pass some only (C6)."""

from __future__ import annotations

from collections.abc import Iterator

from npc.backends import icmp
from npc.backends.ovs.matches import pair_match, traffic_matches
from npc.backends.ovs.ruleset import Flow, Match
from npc.backends.ovs.settings import Settings, Step
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.plan import Plan


def by_address(plan: Plan) -> dict[int, Intervals]:
    """What may pass from each of the addresses to itself to which not everything may, in order."""
    found = {address: one.traffic for one in plan.hairpins for address in one.addresses}
    return {address: found[address] for address in sorted(found)}


def hairpin(
    address: int,
    passes: Intervals,
    priority: int,
    before: tuple[Match, ...],
    settings: Settings,
    note: str,
    within: Intervals = traffic.ANY,
) -> Iterator[Flow]:
    """What passes from an address to itself, and below it what is dropped; or the other way round: the fewer.

    `before` are further matches of every flow, `note` says whose they are; `within` is the traffic that they
    speak of.
    """
    family = Family.of(address)
    passes = icmp.own_types(passes, family)
    accept, drop = (settings.goto(Step.ACCEPT),), ("drop",)
    _, *ends = pair_match(address, address)
    passing, others = (traffic_matches(some, family) for some in (passes, within - passes))
    is_direct = len(passing) <= len(others)
    for matches in passing if is_direct else others:
        yield Flow(priority + 1, (*before, *matches, *ends), accept if is_direct else drop, note)
    for matches in traffic_matches(within, family):
        yield Flow(priority, (*before, *matches, *ends), drop if is_direct else accept, note)
