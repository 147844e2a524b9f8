"""The passes: each gives rules that mean the same; together, nearly the fewest that there can be."""

from __future__ import annotations

import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import ANYONE, Group, Peers
from npc.compiler.algebra.traffic import TCP, UDP
from npc.compiler.arms import Arm, Arms, by_peers, by_traffic, packets
from npc.compiler.frontend.syntax import Direction
from npc.compiler.optimize.cover import cost, fewest_rules
from npc.compiler.optimize.passes import PASSES, Pass, find_passes, optimize
from npc.compiler.plan import Class, Plan
from tests.optimize.exhaustive import fewest
from tests.optimize.test_arms import PEERS, TRAFFIC, addresses

ARMS = st.lists(st.builds(Arm, TRAFFIC, PEERS.filter(bool)), max_size=6).map(tuple)


@pytest.mark.parametrize("one", PASSES, ids=lambda one: one.name)
@given(arms=ARMS)
def test_a_pass_changes_no_meaning(one: Pass, arms: Arms) -> None:
    assert addresses(one.apply(arms)) == addresses(arms)


@given(st.lists(ARMS, max_size=3), st.sets(st.sampled_from(PASSES)).map(lambda chosen: [*chosen]))
def test_the_plan_before_is_the_plan_after(classes: list[Arms], passes: list[Pass]) -> None:
    plan = Plan(tuple(Class(Direction.INGRESS, packets(arms), (), arms=arms) for arms in classes), {})
    optimized = optimize(plan, passes)
    assert optimized == plan
    for one in optimized.classes:
        assert addresses(one.arms) == one.decision.map(lambda peers: peers.addresses())


@given(ARMS)
def test_no_pass_makes_more_rules(arms: Arms) -> None:
    """Of those that come after the first: rules as written may lean on each other by chance."""
    before = by_traffic(packets(arms))
    assert cost(fewest_rules(packets(arms))) <= cost(before)


@given(ARMS, st.integers(0, 3))
def test_a_grid_with_too_many_rectangles_is_no_worse_than_the_simple_forms(arms: Arms, most: int) -> None:
    decision = packets(arms)
    found = fewest_rules(decision, most)
    assert addresses(found) == addresses(arms)
    assert cost(found) <= min(cost(by_peers(decision)), cost(by_traffic(decision)))


@given(ARMS, st.randoms(use_true_random=False))
def test_the_order_of_rules_means_nothing(arms: Arms, shuffled: random.Random) -> None:
    other = list(arms)
    shuffled.shuffle(other)
    assert fewest_rules(packets(other)) == fewest_rules(packets(arms))


PORTS = [traffic.of(TCP, port, port) for port in (22, 80, 443, 8080)]
PORTS += [traffic.of(UDP, port, port) for port in (53, 123)]
ATOMS = [*PORTS, traffic.ANY - Intervals.union(PORTS)]
GROUPS = [Group(key, frozenset({20 + number})) for number, key in enumerate("abcde")]


def _random_decision(chance: random.Random) -> PacketSet[Peers]:
    density, open_to_all = chance.choice((0.2, 0.4, 0.6, 0.8)), chance.choice((0, 0, 0.2))
    rows = [
        Arm(port, ANYONE if chance.random() < open_to_all else _random_peers(chance, density))
        for port in PORTS
    ]
    if chance.random() < 0.3:
        rows.append(Arm(traffic.ANY, _random_peers(chance, 0.2)))
    return packets(rows)


def _random_peers(chance: random.Random, density: float) -> Peers:
    blocks = Intervals.of(*((one, one) for one in range(4) if chance.random() < density / 2))
    return Peers(frozenset(one for one in GROUPS if chance.random() < density), blocks)


def test_close_to_the_proven_minimum() -> None:
    """On average within 5 % of the fewest rules that there can be; the simple forms are far from it."""
    chance = random.Random(6)
    gaps: dict[str, list[float]] = {"npc": [], "by peers": [], "by traffic": []}
    for _ in range(400):
        decision = _random_decision(chance)
        least = fewest(decision, ATOMS)
        if not least:
            continue
        forms = {"npc": fewest_rules, "by peers": by_peers, "by traffic": by_traffic}
        for name, form in forms.items():
            rules = cost(form(decision))
            assert rules >= least, f"{name} has fewer rules than there can be: {decision}"
            gaps[name].append(rules / least - 1)
    assert mean(gaps["npc"]) < 0.01
    assert mean(gaps["by peers"]) > 0.05
    assert mean(gaps["by traffic"]) > 0.05


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], []), (["widen", "merge", "widen"], ["merge", "widen"]), ([one.name for one in PASSES], None)],
)
def test_passes_run_in_their_own_order(names: list[str], expected: list[str] | None) -> None:
    assert [one.name for one in find_passes(names)] == (names if expected is None else expected)


def test_an_unknown_pass() -> None:
    with pytest.raises(KeyError, match="shrink"):
        find_passes(["merge", "shrink"])
