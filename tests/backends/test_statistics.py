"""What is counted of a ruleset: small ones, counted by hand; and the way of a packet that meets most."""

from __future__ import annotations

import pytest

from npc.backends import iptables, nft, ovs
from npc.backends.base import Backend, Options
from npc.backends.statistics import Statistics, Step, worst_case
from npc.compiler.plan import Plan
from tests.backends.plans import from_app, from_blocks, plan_of

ENTRY = "forward"
WAYS = [
    # (name, chains, most rules tried, most look-ups)
    ("no chain", {}, 0, 0),
    ("rules in turn", {ENTRY: [Step(1), Step(0), Step(2)]}, 3, 3),
    ("nothing behind an end", {ENTRY: [Step(1), Step(ends=True), Step(9)]}, 2, 1),
    ("there and back", {ENTRY: [Step(calls=("a", "b")), Step(1)], "a": [Step(1)], "b": [Step()] * 2}, 4, 2),
    ("not back", {ENTRY: [Step(leaves=("a",)), Step(), Step()], "a": [Step(5)]}, 3, 5),
    ("the last way is longest", {ENTRY: [Step(), Step(leaves=("a",), ends=True)], "a": [Step()] * 2}, 4, 0),
    ("a chain that is not there", {ENTRY: [Step(1, calls=("ACCEPT",))]}, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize(("chains", "tried", "lookups"), [pytest.param(*way[1:], id=way[0]) for way in WAYS])
def test_worst_case(chains: dict[str, list[Step]], tried: int, lookups: int) -> None:
    assert worst_case(chains, [ENTRY]) == (tried, lookups)


def counted(backend: Backend, plan: Plan, options: Options | None = None) -> Statistics:
    assert backend.statistics is not None
    return backend.statistics(backend.lower(plan, options or Options()))


ONE_RULE = plan_of([from_app("db", 80)], {"db": 2})


def test_nft() -> None:
    # forward: established, goto ingress; ingress: the map, accept; the class: the rule, always, goto deny;
    # always: self; deny: drop. Sets: the map, self, the two databases.
    assert counted(nft.BACKEND, ONE_RULE) == Statistics(rules=9, sets=3, elements=4, tried=8, lookups=3)


def test_ovs() -> None:
    flows = counted(ovs.BACKEND, ONE_RULE)
    text = ovs.BACKEND.lower(ONE_RULE, Options())
    assert flows.rules == sum(len(table.flows) for table in text.tables)
    assert (flows.sets, flows.elements, flows.tried) == (0, 0, len(text.tables))
    assert flows.tried < flows.lookups <= flows.rules


@pytest.mark.parametrize(("ipset", "sets"), [("yes", 2), ("no", 0)])
def test_iptables(ipset: str, sets: int) -> None:
    found = counted(iptables.BACKEND, ONE_RULE, Options(settings={"ipset": ipset}))
    assert (found.sets, found.elements > 0) == (sets, bool(sets))
    assert found.lookups <= found.tried <= found.rules


@pytest.mark.parametrize("backend", [nft.BACKEND, iptables.BACKEND, ovs.BACKEND], ids=lambda one: one.name)
def test_more_to_ask_is_more_work(backend: Backend) -> None:
    few = plan_of([from_app("db", 80)], {"db": 2})
    more = plan_of(
        [from_app("db", 80), from_blocks(["192.0.2.0/24"], 443), from_app("job", 25)], {"db": 2, "job": 3}
    )
    one, other = counted(backend, few), counted(backend, more)
    assert one.rules < other.rules
    assert one.tried <= other.tried
    assert one.lookups <= other.lookups
