"""Flows of equal priority that do different things: a packet that meets both refutes, no other does."""

from __future__ import annotations

from typing import Final

import pytest

from npc.compiler.plan import Plan
from npc.compiler.verify.proof import prove
from tests.verify.ovs.golden import read

NOTHING: Final = Plan((), {})
PASSING: Final = """\
priority=9,ip,actions=ct(table=1,zone=64000)
priority=9,ipv6,actions=ct(table=1,zone=64000)
priority=0,actions=NORMAL
table=1,priority=9,tcp,actions=ct(commit,zone=64000),NORMAL
table=1,priority=0,actions=ct(commit,zone=64000),NORMAL
"""
CASES: Final = [
    # (flows beside those, whether some packet meets two that do different things)
    ("", False),
    ("table=1,priority=9,ip,nw_src=10.0.0.1,actions=drop", True),
    ("table=1,priority=9,udp,actions=ct(commit,zone=64000),NORMAL", False),
    ("table=1,priority=0,actions=goto_table:2\ntable=2,actions=NORMAL", False),  # replaces that flow
    # A flow for all packets is no last word on those of its own priority, whichever stands first.
    ("table=1,priority=0,reg0=0,actions=goto_table:2\ntable=2,priority=0,actions=drop", True),
    (
        "table=1,priority=1,actions=goto_table:2\n"
        "table=2,priority=0,actions=drop\n"
        "table=2,priority=0,udp,actions=NORMAL",
        True,
    ),
    # Nobody comes to them: flows above take what they are for, in their table or in one before.
    ("table=1,priority=3,tcp,actions=drop\ntable=1,priority=3,tcp,tcp_dst=80,actions=NORMAL", False),
    (
        "table=1,priority=0,actions=goto_table:2\n"
        "table=2,priority=0,actions=ct(commit,zone=64000),NORMAL\n"
        "table=2,priority=3,tcp,actions=drop\n"
        "table=2,priority=3,tcp,tcp_dst=80,actions=NORMAL",
        False,
    ),
]


@pytest.mark.parametrize(("flows", "clashes"), CASES)
def test_equal_priorities(flows: str, clashes: bool) -> None:
    found = prove(read({"npc.flows": PASSING + flows}, NOTHING), NOTHING).refutations
    assert any(one.clash is not None for one in found) is clashes
