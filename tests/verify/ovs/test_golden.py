"""Every golden ruleset of the target is proven; changed by hand, it is refuted."""

from __future__ import annotations

import pytest

from npc.compiler.verify.proof import prove
from tests.verify.ovs.golden import CASES, compiled


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_every_case_is_proven(name: str) -> None:
    case = compiled(name)
    assert prove(case.read(case.text), case.plan).refutations == ()


ACCEPTS = "ip,actions=ct(commit,zone=64000),NORMAL"
ITSELF = "nw_src=10.0.0.1,nw_dst=10.0.0.1,actions="

CHANGES = [
    # (case, what stands in a line, what is put there; empty: the line is left out)
    ("ovs/default-deny", "table=5,priority=0,actions=drop", "table=5,priority=0,actions=goto_table:6"),
    ("ovs/default-deny", "table=5,priority=700,reg1=0,actions=goto_table:6", ""),
    ("ovs/default-deny", "table=1,priority=310,ct_state=+est+trk,actions=NORMAL", ""),
    ("ovs/default-deny", "priority=300,ct_state=+rel+trk", "priority=300,ct_state=+new+trk"),
    ("ovs/default-deny", "table=1,priority=320,", "table=1,priority=305,"),
    ("ovs/default-deny", "ct_nw_proto=132,ct_tp_dst=0", "ct_nw_proto=132"),
    ("ovs/default-deny", "ct_nw_proto=132,", "ct_nw_proto=1,"),
    ("ovs/default-deny", "arp,actions=NORMAL", "arp,actions=drop"),
    ("ovs/default-deny", "icmpv6_type=136,actions=NORMAL", "icmpv6_type=136,actions=drop"),
    ("ovs/default-deny", "table=0,priority=0,actions=NORMAL", "table=0,priority=0,actions=drop"),
    ("ovs/default-deny", ACCEPTS, "ip,actions=NORMAL"),
    ("ovs/default-deny", ACCEPTS, "ip,actions=ct(commit,zone=64001),NORMAL"),
    ("ovs/default-deny", ACCEPTS, "ip,actions=ct(commit,zone=64000)"),
    ("ovs/default-deny", "ip,actions=ct(table=1,zone=64000)", "ip,actions=ct(table=1,zone=64001)"),
    ("ovs/default-deny", "ip,actions=ct(table=1,zone=64000)", "ip,actions=goto_table:1"),
    (
        "ovs/default-deny",
        "table=4,priority=0,actions=drop",
        "table=4,priority=0,ip,actions=ct(commit,zone=64000)",
    ),
    ("ovs/default-deny", f"{ITSELF}goto_table:6", f"{ITSELF}drop"),
    ("ovs/port-range-as-masks", "tcp_dst=0x7e0/0xffe0", "tcp_dst=0x7e0/0xfff0"),
    ("ovs/conjunction", "tcp,tcp_dst=22,actions=conjunction", "tcp,tcp_dst=23,actions=conjunction"),
    ("ovs/conjunction", "nw_dst=203.0.113.7,actions=", "nw_dst=203.0.113.8,actions="),
    ("ovs/conjunction", "nw_dst=203.0.113.7,", ""),
    ("ovs/conjunction", "conj_id=3962996153", ""),
    ("ovs/except-as-longer-prefix", "table=4,priority=0,actions=drop", "table=4,priority=0,actions=NORMAL"),
    ("ovs/own-node", "nw_src=192.0.2.1,actions=goto_table:6", "nw_src=192.0.2.1,actions=drop"),
    ("ovs/own-node-policed", "table=1,priority=330,ip,nw_src=10.0.0.1,", "table=1,priority=330,ip,"),
    ("ovs/peers-by-number", "tcp_dst=1001,reg2=0x77edcc84", "tcp_dst=1001,reg2=0x0"),
    ("ovs/in-another-pipeline", "reg5=0,actions=goto_table:26", "reg5=0,actions=drop"),
    ("ovs/ports-of-pods", "in_port=5,ct_state=-est-rel+trk,actions=", "in_port=5,actions="),
    (
        "ovs/holes-and-hairpins",
        "priority=291,tcp,tcp_dst=22,nw_src=10.0.0.2",
        "priority=291,tcp,tcp_dst=21,nw_src=10.0.0.2",
    ),
]


@pytest.mark.parametrize(("name", "text", "instead"), CHANGES)
def test_a_change_is_refuted(name: str, text: str, instead: str) -> None:
    case = compiled(name)
    lines = [line for line in case.text.splitlines() if text in line]
    assert lines, text
    changed = "\n".join(
        line.replace(text, instead) if line == lines[0] else line for line in case.text.splitlines()
    )
    if not instead:
        changed = "\n".join(line for line in case.text.splitlines() if line != lines[0])
    proof = prove(case.read(changed), case.plan)
    assert proof.refutations
