"""Where packets come in, and what is expected of them, by the options and the chains that there are."""

from __future__ import annotations

from typing import Final

import pytest

from npc.backends.base import Options, OwnNode
from npc.compiler.algebra.addresses import parse_address
from npc.compiler.verify.program import Expected, Kind
from tests.backends.plans import from_app, plan_of
from tests.verify.nft.rulesets import NOTHING, passes, read, scenario, table

POLICED: Final = Options(own_node=OwnNode.POLICED)
STATES: Final = ("new", "established", "related", "invalid", "untracked")
DISCOVERY: Final = "fd00::1 fd00::2 icmpv6/135.0"


def chain(hook: str, rule: str = "drop", priority: str = "0") -> str:
    return f"chain {hook} {{\ntype filter hook {hook} priority {priority}\n{rule}\n}}\n"


def test_forward_alone() -> None:
    program = read(table("accept"))
    expected = [(one.facts["ct state"], one.expected) for one in program.scenarios]
    assert expected == [
        (state, Expected.EVERYTHING if state in ("established", "related") else Expected.PLAN)
        for state in STATES
    ]
    assert {one.default for one in program.scenarios} == {Kind.DROP}
    assert program.notes == ()


@pytest.mark.parametrize("hook", ["input", "output"])
def test_what_is_the_node_s_own(hook: str) -> None:
    """With own-node always such a chain need not be; where it is, everything must pass it (A3)."""
    program = read(table("accept", more=chain(hook)))
    assert {one.chain for one in program.scenarios} == {"forward", hook}
    assert scenario(program, hook=hook).expected is Expected.EVERYTHING
    program = read(table("accept", more=chain(hook)), options=POLICED)
    assert scenario(program, hook=hook).expected is Expected.PLAN
    assert scenario(program, "related", hook=hook).expected is Expected.EVERYTHING


@pytest.mark.parametrize("hook", ["forward", "input", "output"])
def test_a_hook_that_is_not_there_lets_everything_pass(hook: str) -> None:
    there = "".join(chain(one) for one in ("forward", "input", "output") if one != hook)
    program = read(f"table inet npc {{\n{there}}}", options=POLICED)
    assert len(program.scenarios) == 3 * len(STATES)
    assert passes(program, "tcp/80", hook=hook)
    assert scenario(program, hook=hook).expected is Expected.PLAN


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("", "There is no table inet npc: every packet passes."),
        ('{"nftables": [{"metainfo": {}}]}', "There is no table inet npc: every packet passes."),
        (
            f"table inet npc {{\n flags dormant\n{chain('forward')}}}",
            "The table inet npc is dormant: every packet passes.",
        ),
        (
            f"table inet npc {{\n{chain('input')}}}",
            "The table inet npc has no chain with the hook forward: every forwarded packet passes.",
        ),
        (
            f"table ip npc {{\n{chain('forward')}}}\ntable inet other {{\n}}\n{table('accept')}",
            "The table inet other is no part of this.",
        ),
        (
            table("accept", more=chain("input", "accept")),
            "The table inet npc has chains with the hooks input: "
            "if it was compiled so, give --own-node policed.",
        ),
        (
            table("accept", more="set a { type ipv4_addr; }\n"),
            "All sets and maps of the table inet npc are empty: was it listed with --terse?",
        ),
        (f"{table('drop')}delete table inet npc\n", "There is no table inet npc: every packet passes."),
        (f"{table('drop')}flush ruleset\n", "There is no table inet npc: every packet passes."),
    ],
    ids=["empty", "empty JSON", "dormant", "no forward", "others", "policed", "terse", "deleted", "flushed"],
)
def test_notes(text: str, note: str) -> None:
    program = read(text)
    assert program.notes[0] == note
    assert passes(program, "tcp/80")


def test_a_policed_node_without_its_hooks_is_noted() -> None:
    (note,) = read(table("accept"), options=POLICED).notes
    assert note.endswith("has no chain for packets to the node: if it was compiled so, leave out --own-node.")


def test_the_node_is_no_endpoint() -> None:
    plan = plan_of([from_app("db", 80)], {"db": 1})
    (subject,) = {one for each in plan.classes for subject in each.subjects for one in subject.addresses}
    program = read(table("accept", more=chain("input") + chain("output")), plan, POLICED)
    for hook, is_open in (("forward", True), ("input", False), ("output", False)):
        (space,) = scenario(program, hook=hook).space
        end = space.sources if hook == "output" else space.destinations
        other = space.destinations if hook == "output" else space.sources
        assert (subject in end, subject in other) == (is_open, True)
        assert parse_address("192.0.2.1") in end


def test_neighbour_discovery_must_pass_in_every_scenario() -> None:
    program = read(table("drop"), options=POLICED)
    for one in program.scenarios:
        (box,) = one.always
        numbers = [58 << 16 | kind << 8 for kind in range(256)]
        assert [number for number in numbers if number in box.traffic] == numbers[133:138]
    assert not passes(program, DISCOVERY)


@pytest.mark.parametrize(("priority", "is_read"), [("filter", True), ("-99", True), ("dstnat + 1", True)])
def test_priorities_of_output(priority: str, is_read: bool) -> None:
    text = table("accept", more=chain("output", priority=priority))
    assert bool(read(text).scenarios) is is_read


def test_an_empty_plan_wants_everything() -> None:
    program = read(table("accept"), NOTHING)
    assert all(passes(program, "tcp/80", state) for state in STATES)


def test_blocks_and_texts_add_up() -> None:
    """As nft loads them: one after another."""
    text = table("ip saddr 10.0.0.1 accept", more="set s { type ipv4_addr; elements = { 10.0.0.1 }\n}")
    more = "set s { type ipv4_addr; elements = { 10.0.0.2 }\n}\nchain forward {\nip saddr @s accept\n}\n"
    more = f"table inet npc {{\n{more}}}"
    program = read(text + more)
    assert [passes(program, f"10.0.0.{n} tcp/80") for n in (1, 2, 3)] == [True, True, False]
