"""What is proven of small rulesets, and the packets that refute others."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_V4, EVERY_V6, parse_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import Peers
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.plan import Class, Hairpin, Plan
from npc.compiler.verify.program import (
    ACCEPT,
    DROP,
    Action,
    Among,
    Box,
    Chain,
    Expected,
    Kind,
    Known,
    Line,
    Malformed,
    Marked,
    Program,
    Rule,
    Scenario,
    Unsupported,
)
from npc.compiler.verify.proof import prove
from npc.compiler.verify.trace import Packet

DB, WEB, OTHER = (parse_address(text) for text in ("10.0.0.8", "10.0.0.7", "10.0.0.9"))
DB6 = parse_address("fd00::8")
SQL = traffic.of(traffic.TCP, 5432, 5432)
PLAN = Plan(
    (
        Class(
            Direction.INGRESS,
            PacketSet.of([(SQL, Peers(blocks=Intervals.of((WEB, WEB))))]),
            (Endpoint("shop", "db", {}, (DB, DB6), (), ""),),
        ),
    ),
    {DB: "shop/db", WEB: "shop/web", OTHER: "shop/other"},
)
"""Only shop/web may send to shop/db, and SQL alone."""
SCENARIO = Scenario("packets", "forward", facts={"ct state": "new"})


def test_chains_as_deep_as_the_walk_does_not_go() -> None:
    names = ["forward", *(f"c{number}" for number in range(5000))]
    chains = {one: Chain(one, (rule(Box(), Action(Kind.JUMP, other)),)) for one, other in pairwise(names)}
    with pytest.raises(Unsupported, match="more than 100 chains that lead from one to the next"):
        prove(Program({**chains, names[-1]: Chain(names[-1], ())}, (SCENARIO,)), PLAN)


def only(*addresses: int) -> Intervals:
    return Intervals.of(*((one, one) for one in addresses))


def rule(box: Box, action: Action = ACCEPT, number: int = 1) -> Rule:
    return Rule((Among((box,)),), action, Line("rules", number))


TO_DB = rule(Box(destinations=only(DB, DB6)), Action(Kind.GOTO, "db"))
SELF = rule(Box(only(DB), only(DB)), number=2)
SELF6 = rule(Box(only(DB6), only(DB6)), number=2)
ALLOWED = rule(Box(only(WEB), only(DB), SQL), number=3)
LAST = Rule((), DROP, Line("rules", 4))


def program(*rules: Rule, scenario: Scenario = SCENARIO) -> Program:
    chains = (Chain("forward", (TO_DB,)), Chain("db", rules))
    return Program({one.name: one for one in chains}, (scenario,))


def test_a_ruleset_that_does_what_it_should_is_proven() -> None:
    proof = prove(program(SELF, SELF6, ALLOWED, LAST), PLAN)
    assert proof
    assert proof.subjects == 2
    assert proof.rules == 5


@pytest.mark.parametrize(
    ("rules", "packet", "should_pass"),
    [
        ((SELF, SELF6, LAST), Packet(WEB, DB, SQL.ranges[0][0]), True),
        ((ALLOWED, LAST), Packet(DB, DB, traffic.TCP << 16 | 443), True),
        (
            (SELF, SELF6, rule(Box(only(WEB, OTHER), only(DB), SQL)), LAST),
            Packet(OTHER, DB, SQL.ranges[0][0]),
            False,
        ),
        (
            (SELF, SELF6, rule(Box(only(WEB), only(DB), traffic.of(traffic.TCP, 5431, 5432))), LAST),
            Packet(WEB, DB, traffic.TCP << 16 | 5431),
            False,
        ),
        ((SELF, SELF6, ALLOWED), Packet(WEB, DB, traffic.TCP << 16 | 443), False),
    ],
    ids=["rule-dropped", "hairpins-dropped", "peer-too-many", "port-too-many", "falls-off"],
)
def test_a_ruleset_that_does_otherwise_is_refuted_by_a_telling_packet(
    rules: tuple[Rule, ...], packet: Packet, should_pass: bool
) -> None:
    (found,) = prove(program(*rules), PLAN).refutations
    assert (found.packet, found.should_pass, found.trace.passes) == (packet, should_pass, not should_pass)


def test_what_must_always_pass_is_asked_for() -> None:
    discovery = Box(EVERY_V6, EVERY_V6, traffic.of(traffic.ICMPV6, 133 << 8, 137 << 8 | 0xFF))
    scenario = replace(SCENARIO, always=(discovery,))
    (found,) = prove(program(SELF, SELF6, ALLOWED, LAST, scenario=scenario), PLAN).refutations
    assert found.should_pass
    assert found.packet.destination == DB6
    assert prove(program(SELF, SELF6, ALLOWED, rule(discovery), LAST, scenario=scenario), PLAN)


def test_replies_pass() -> None:
    scenario = replace(SCENARIO, facts={"ct state": "established"}, expected=Expected.EVERYTHING)
    replies = Rule((Known("ct state", frozenset({"established"})),), ACCEPT, Line("rules", 9))
    assert not prove(program(SELF, SELF6, ALLOWED, LAST, scenario=scenario), PLAN)
    assert prove(program(replies, SELF, SELF6, ALLOWED, LAST, scenario=scenario), PLAN)


def test_hairpins_are_as_cluster_policies_say() -> None:
    plan = replace(PLAN, hairpins=(Hairpin(SQL, (DB,)),))
    (found,) = prove(program(SELF, SELF6, ALLOWED, LAST), plan).refutations
    assert found.packet == Packet(DB, DB, traffic.TCP << 16 | 443)
    assert not found.should_pass
    assert prove(program(rule(Box(only(DB), only(DB), SQL)), SELF6, ALLOWED, LAST), plan)


def test_packets_that_there_cannot_be_are_not_asked_for() -> None:
    scenario = replace(SCENARIO, space=(Box(destinations=only(OTHER)),))
    assert prove(program(LAST, scenario=scenario), PLAN)


def test_types_of_the_other_familys_icmp_need_not_be_read_and_open_nothing_else() -> None:
    pings = traffic.of(traffic.ICMP, 8 << 8, 8 << 8 | 0xFF)
    decision = PacketSet.of([(pings, Peers(blocks=EVERY_V4 | EVERY_V6))])
    plan = replace(PLAN, classes=(replace(PLAN.classes[0], decision=decision, arms=(), key=""),))
    in_v4 = rule(Box(EVERY_V4, EVERY_V4, pings))
    assert prove(program(SELF, SELF6, in_v4, LAST), plan)
    assert prove(program(SELF, SELF6, rule(Box(traffic=pings)), LAST), plan)
    assert prove(
        program(SELF, SELF6, in_v4, rule(Box(EVERY_V6, EVERY_V6, traffic.every(traffic.ICMP))), LAST), plan
    )
    of_nobody = rule(Box(EVERY_V4, EVERY_V4, traffic.every(traffic.ICMPV6)))
    assert not prove(program(SELF, SELF6, in_v4, of_nobody, LAST), plan)


def test_rules_of_equal_priority_may_not_disagree() -> None:
    both = Chain("forward", (rule(Box(only(WEB), only(DB))), rule(Box(only(WEB)), DROP, 2)), by_priority=True)
    (found,) = prove(Program({"forward": both}, (SCENARIO,)), replace(PLAN, classes=())).refutations
    assert found.clash is not None
    assert (found.packet.source, found.packet.destination) == (WEB, DB)
    apart = Chain(
        "forward", (rule(Box(only(WEB), only(DB))), rule(Box(only(OTHER)), DROP, 2)), by_priority=True
    )
    (found,) = prove(Program({"forward": apart}, (SCENARIO,)), replace(PLAN, classes=())).refutations
    assert found.clash is None
    assert found.packet.source == OTHER


@pytest.mark.parametrize("target", ["nowhere", "forward"])
def test_chains_that_are_missing_or_ring_are_refused(target: str) -> None:
    with pytest.raises(Malformed, match=f"the chain {target}"):
        prove(program(Rule((), Action(Kind.JUMP, target), Line("rules", 1))), PLAN)


def test_registers_that_may_hold_nothing_are_refused_and_one_may_set_another() -> None:
    def chain(name: str, *rules: Rule) -> Chain:
        return Chain(name, rules)

    def goto(target: str, *marks: tuple[str, int]) -> Action:
        return Action(Kind.GOTO, target, marks)

    asks = chain("ask", Rule((Marked("reg1", 7),), ACCEPT, Line("rules", 5)))
    copies = chain(
        "copy",
        Rule((Marked("reg0", 1),), goto("ask", ("reg1", 7)), Line("rules", 3)),
        Rule((), goto("ask", ("reg1", 0)), Line("rules", 4)),
    )
    sets = chain(
        "forward",
        rule(Box(only(WEB)), goto("copy", ("reg0", 1))),
        Rule((), goto("copy", ("reg0", 0)), Line("rules", 2)),
    )
    plan = replace(PLAN, classes=())
    (found,) = prove(
        Program({one.name: one for one in (sets, copies, asks)}, (replace(SCENARIO, default=Kind.DROP),)),
        plan,
    ).refutations
    assert found.should_pass
    assert found.packet.source != WEB
    for chains in ((chain("forward", Rule((), goto("ask"), Line("rules", 1))), asks), (copies, asks)):
        start = replace(SCENARIO, chain=chains[0].name)
        with pytest.raises(Unsupported, match=r"reg[01], which no rule has set before"):
            prove(Program({one.name: one for one in chains}, (start,)), plan)
    some = chain(
        "forward", rule(Box(only(WEB)), goto("ask", ("reg1", 7))), Rule((), goto("ask"), Line("rules", 2))
    )
    with pytest.raises(Unsupported, match="reg1, which may not have been set before"):
        prove(Program({"forward": some, "ask": asks}, (SCENARIO,)), plan)
