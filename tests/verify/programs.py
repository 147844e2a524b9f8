"""Rulesets at random, for properties of the walk: few addresses and ports, every kind of rule."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, EVERY_V4, parse_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.program import (
    Action,
    Among,
    Box,
    Chain,
    Kind,
    Known,
    Line,
    Marked,
    Rule,
    Scenario,
)
from npc.compiler.verify.trace import Packet

ADDRESSES: Final = (
    *range(parse_address("10.0.0.1"), parse_address("10.0.0.9")),
    *range(parse_address("fd00::1"), parse_address("fd00::4")),
)
KINDS: Final = (
    traffic.TCP << 16 | 80,
    traffic.TCP << 16 | 81,
    traffic.UDP << 16 | 53,
    traffic.ICMPV6 << 16 | 135 << 8,
    47 << 16,
)
STATES: Final = ("new", "established")

_SETS = st.one_of(
    st.sampled_from([EVERY_ADDRESS, EVERY_V4]),
    st.sets(st.sampled_from(ADDRESSES), min_size=1, max_size=5).map(
        lambda found: Intervals.of(*((one, one) for one in found))
    ),
)
_TRAFFIC = st.one_of(
    st.just(traffic.ANY),
    st.sampled_from(
        [traffic.every(traffic.TCP), traffic.of(traffic.TCP, 80, 80), traffic.of(traffic.UDP, 53, 60)]
    ),
)
_ENDS = st.one_of(
    st.builds(Box, sources=_SETS),
    st.builds(Box, destinations=_SETS),
    st.builds(Box, traffic=_TRAFFIC),
    st.builds(Box, _SETS, _SETS, _TRAFFIC),
    st.sampled_from(ADDRESSES).map(lambda one: Box(Intervals.of((one, one)), Intervals.of((one, one)))),
)
_CONDITIONS = st.one_of(
    st.builds(Among, st.lists(_ENDS, min_size=1, max_size=3).map(tuple), st.booleans()),
    st.builds(Known, st.just("ct state"), st.frozensets(st.sampled_from(STATES), min_size=1), st.booleans()),
)


@st.composite
def programs(draw: st.DrawFn, sizes: int = 5) -> dict[str, Chain]:
    """Chains `c0` to `cN`, each of which leads to later ones alone."""
    count = draw(st.integers(1, sizes))
    chains = {}
    for number in range(count):
        later = [f"c{one}" for one in range(number + 1, count)]
        actions = [st.builds(Action, st.sampled_from([Kind.ACCEPT, Kind.DROP, Kind.RETURN, Kind.CONTINUE]))]
        if later:
            leads = st.builds(Action, st.sampled_from([Kind.JUMP, Kind.GOTO]), st.sampled_from(later))
            actions += [leads, leads]
        conditions = st.lists(_CONDITIONS, max_size=2).map(tuple)
        rule = st.builds(Rule, conditions, st.one_of(actions), st.just(Line("rules", number)))
        chains[f"c{number}"] = Chain(f"c{number}", tuple(draw(st.lists(rule, max_size=5))))
    return chains


@st.composite
def dispatches(draw: st.DrawFn) -> dict[str, Chain]:
    """A chain that leads packets of different endpoints to others, and what comes back on to more rules."""
    others = draw(programs())
    renamed = {
        f"d{name}": Chain(f"d{name}", tuple(_renamed(rule) for rule in chain.rules))
        for name, chain in others.items()
    }
    end = draw(st.sampled_from(["sources", "destinations"]))
    leads = st.builds(Action, st.sampled_from([Kind.JUMP, Kind.GOTO]), st.sampled_from(sorted(renamed)))
    found = draw(st.lists(st.sampled_from(ADDRESSES), min_size=2, max_size=6, unique=True))
    first = [
        Rule((Among((Box(**{end: Intervals.of((one, one))}),)),), draw(leads), Line("rules", 0))
        for one in found
    ]
    conditions = st.lists(_CONDITIONS, max_size=1).map(tuple)
    action = st.builds(Action, st.sampled_from([Kind.ACCEPT, Kind.DROP, Kind.RETURN]))
    last = draw(st.lists(st.builds(Rule, conditions, action, st.just(Line("rules", 1))), max_size=2))
    return {"c0": Chain("c0", (*first, *last)), **renamed}


def _renamed(rule: Rule) -> Rule:
    action = rule.action
    chain = f"d{action.chain}" if action.chain else ""
    return Rule(rule.conditions, Action(action.kind, chain, action.marks), rule.line)


@st.composite
def pipelines(draw: st.DrawFn) -> dict[str, Chain]:
    """Three tables: one sets a register by the source, one by the destination, the third reads both."""
    values = [0, 1, 2, 3]
    tables = []
    for number, (register, end) in enumerate((("reg0", "sources"), ("reg1", "destinations"))):
        following = f"c{number + 1}"
        rules = [
            Rule(
                (Among((Box(**{end: draw(_SETS)}),)),),
                Action(Kind.GOTO, following, ((register, draw(st.sampled_from(values))),)),
                Line("rules", number),
            )
            for _ in range(draw(st.integers(0, 4)))
        ]
        last = Rule((), Action(Kind.GOTO, following, ((register, 0),)), Line("rules", number))
        tables.append(Chain(f"c{number}", (*rules, last)))
    marked = st.builds(
        Marked, st.sampled_from(["reg0", "reg1"]), st.sampled_from(values), st.sampled_from([-1, 1, 2])
    )
    conditions = st.lists(st.one_of(marked, _CONDITIONS), min_size=1, max_size=3).map(tuple)
    action = st.builds(Action, st.sampled_from([Kind.ACCEPT, Kind.DROP]))
    readers = st.lists(st.builds(Rule, conditions, action, st.just(Line("rules", 3))), max_size=6)
    tables.append(Chain("c2", tuple(draw(readers))))
    return {table.name: table for table in tables}


SCENARIOS = st.builds(
    Scenario,
    st.just("packets"),
    st.just("c0"),
    st.sampled_from([Kind.ACCEPT, Kind.DROP]),
    st.sampled_from([{"ct state": state} for state in STATES]),
)


def packets() -> list[Packet]:
    """Every packet that a random ruleset could tell apart."""
    return [
        Packet(source, destination, kind)
        for source in ADDRESSES
        for destination in ADDRESSES
        for kind in KINDS
        if (source >> 40 == 0) is (destination >> 40 == 0)
    ]
