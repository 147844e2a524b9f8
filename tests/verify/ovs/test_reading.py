"""Single flows: what their words ask for and do, and which are refused, by name."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc.backends.base import Options
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import parse_address
from npc.compiler.plan import Plan
from npc.compiler.verify.program import Malformed, Program, Scenario, Unsupported
from npc.compiler.verify.trace import Packet, trace
from tests.verify.ovs.golden import compiled, read

NOTHING: Final = Plan((), {})
TCP, UDP, ICMP, ICMPV6 = (number << 16 for number in (traffic.TCP, traffic.UDP, traffic.ICMP, traffic.ICMPV6))


def scenario_of(program: Program, facts: str) -> Scenario:
    """The first scenario with some facts, `ethertype=arp`."""
    wanted = dict(one.split("=") for one in facts.split())
    return next(one for one in program.scenarios if wanted.items() <= one.facts.items())


def passes(program: Program, source: str, destination: str, kind: int, facts: str = "ct_state=new") -> bool:
    packet = Packet(parse_address(source), parse_address(destination), kind)
    return trace(program.chains, scenario_of(program, facts), packet).passes


A, B, A6, B6 = "10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"

ASKED = [
    # (what a flow asks for, a packet that it is for, one that it is not for)
    ("ip", (A, B, TCP), (A6, B6, TCP)),
    ("ipv6", (A6, B6, UDP), (A, B, UDP)),
    ("eth_type=0x86dd", (A6, B6, UDP), (A, B, UDP)),
    ("dl_type=0x800,nw_proto=6,tp_dst=80", (A, B, TCP | 80), (A, B, TCP | 81)),
    ("tcp,tcp_dst=80", (A, B, TCP | 80), (A, B, UDP | 80)),
    ("tcp6,tp_dst=80", (A6, B6, TCP | 80), (A, B, TCP | 80)),
    ("tcp,tp_dst=0x2811/0xfffd", (A, B, TCP | 10259), (A, B, TCP | 10258)),
    ("tcp,tp_dst=0x1f41/0xfff8", (A, B, TCP | 8007), (A, B, TCP | 8008)),
    ("udp,udp_dst=53,nw_dst=10.0.0.2", (A, B, UDP | 53), (B, A, UDP | 53)),
    ("ip,nw_src=10.0.0.0/31", (A, B, TCP), (B, A, TCP)),
    ("ip,ip_src=10.0.0.1/255.255.0.255", ("10.0.9.1", B, TCP), (B, A, TCP)),
    ("ipv6,ipv6_src=fd00::/127", (A6, B6, TCP), (B6, A6, TCP)),
    ("ipv6,ipv6_src=fd00::1/ffff:ffff:ffff:ffff:ffff:ffff:ff00:ffff", ("fd00::7:1", B6, TCP), (B6, A6, TCP)),
    ("icmp,icmp_type=8", (A, B, ICMP | 8 << 8 | 3), (A, B, ICMP | 9 << 8)),
    ("icmp,icmp_type=8,icmp_code=1", (A, B, ICMP | 8 << 8 | 1), (A, B, ICMP | 8 << 8)),
    ("icmp,icmp_code=1", (A, B, ICMP | 9 << 8 | 1), (A, B, ICMP | 9 << 8)),
    ("icmp6,icmpv6_type=128", (A6, B6, ICMPV6 | 128 << 8), (A6, B6, ICMPV6 | 129 << 8)),
    ("icmp6,icmp_type=128", (A6, B6, ICMPV6 | 128 << 8), (A6, B6, ICMPV6 | 129 << 8)),
    ("ip,nw_proto=47", (A, B, 47 << 16), (A, B, TCP)),
    ("ip,ct_state=-trk", (A, B, TCP), (A6, B6, TCP)),
    ("ip,ct_state=-new,reg0=0", (A, B, TCP), (A6, B6, TCP)),
    ("nw_src=10.0.0.1 ip", (A, B, TCP), (B, A, TCP)),
]


@pytest.mark.parametrize(
    ("asked", "matching", "other"), ASKED, ids=lambda one: one if isinstance(one, str) else ""
)
def test_what_a_flow_asks_for(
    asked: str, matching: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    program = read({"flows": f"{asked},actions=NORMAL"}, NOTHING)
    assert passes(program, *matching)
    assert not passes(program, *other)


STATES = [
    # (ct_state, the states in which it holds once the packet was tracked)
    ("+trk", {"new", "established", "related", "invalid"}),
    ("+est", {"established"}),
    ("-est-rel+trk", {"new", "invalid"}),
    ("+new-inv", {"new"}),
    ("+rpl+est", {"established, reply"}),
    ("0x10/0x10", {"invalid"}),
    ("-trk", set()),
]


@pytest.mark.parametrize(("asked", "states"), STATES)
def test_states(asked: str, states: set[str]) -> None:
    # Scenarios are of states that flows tell apart: a table to which no packet comes does so.
    apart = "\n".join(
        f"table=6,ct_state=+{flag},actions=drop" for flag in ("new", "est", "rel", "inv", "rpl")
    )
    flows = f"ip,actions=ct(table=1,zone=64000)\ntable=1,ct_state={asked},actions=NORMAL\n{apart}"
    program = read({"flows": flows}, NOTHING)
    packet = Packet(parse_address(A), parse_address(B), TCP)
    assert {
        one.facts["ct_state"]
        for one in program.scenarios
        if one.facts["ethertype"] == "ip" and trace(program.chains, one, packet).passes
    } - {"established, reply", "related, reply"} == states - {"established, reply"}
    replies = {
        one.facts["ct_state"]
        for one in program.scenarios
        if one.facts["ct_state"].endswith("reply") and trace(program.chains, one, packet).passes
    }
    assert ("established, reply" in replies) is (asked in ("+trk", "+est", "+rpl+est"))


PASSING = [
    # (flows, whether a packet passes)
    ("actions=drop", False),
    ("actions=", False),
    ("", False),
    ("actions=normal", True),
    ("actions=note:00.01,NORMAL", True),
    ("priority=5,actions=drop\npriority=6,actions=NORMAL", True),
    ("actions=NORMAL\npriority=32767,actions=drop", True),
    ("ip,actions=drop\nip,actions=NORMAL", True),  # the later flow replaces the other
    ("actions=set_field:0x5->reg0,goto_table:1\ntable=1,reg0=5,actions=NORMAL", True),
    ("actions=load:0x5->NXM_NX_REG0[],resubmit(,1)\ntable=1,reg0=0x1/0x3,actions=NORMAL", True),
    ("actions=load:5->reg0[0..31],resubmit(,1)\ntable=1,reg0=4,actions=NORMAL", False),
    ("actions=goto_table:1", False),
    ("cookie=0x6e7063, table=0, n_packets=3, idle_age=5, actions=NORMAL", True),
    (" cookie=0x6e7063, duration=5.1s, table=0, n_packets=3, n_bytes=0, ip actions=NORMAL", True),
    ("table=40,tcp_flags=+syn,actions=strange(thing)\nactions=NORMAL", True),  # no table of npc's
    ("NXST_FLOW reply (xid=0x4): flags=[more]\n actions=NORMAL\nNXST_FLOW reply (xid=0x4):", True),
    ("ip,actions=NORMAL # a note\n# a comment\n\nOFPST_FLOW reply (OF1.5) (xid=0x2):", True),
    ("in_port=4,actions=drop\npriority=1,actions=NORMAL", True),
    ("actions=ct_clear,goto_table:1\ntable=1,ct_state=-trk,actions=NORMAL", True),
]


BY_ADDRESS: Final = """\
ip,actions=goto_table:1
table=1,priority=0,actions=goto_table:2
table=2,ip,nw_src=10.0.0.1,actions=set_field:5->reg0,goto_table:3
table=2,priority=0,actions=set_field:6->reg0,goto_table:3
table=3,reg0=6,actions=NORMAL
"""
"""Table 2 says by the source what register 0 is."""
REGISTERS = [
    # (flows beside those, whether TCP passes from A to B)
    ("", False),
    ("table=1,reg0=0,ip,nw_src=10.0.0.1,actions=NORMAL", True),  # not set yet
    ("table=1,reg0=5,actions=NORMAL", False),
    ("table=1,actions=goto_table:3", False),
    ("table=1,actions=goto_table:3\ntable=3,reg0=0,actions=NORMAL", True),  # never set
    ("table=1,udp,actions=goto_table:3\ntable=3,reg0=0,actions=NORMAL", False),
    ("table=1,reg0=0/1,actions=set_field:6->reg0,goto_table:3", True),
    ("table=1,tcp,actions=set_field:6->reg0,goto_table:3", True),
]


@pytest.mark.parametrize(("flows", "expected"), REGISTERS)
def test_registers_are_0_until_they_are_set(flows: str, expected: bool) -> None:
    program = read({"flows": BY_ADDRESS + flows}, NOTHING)
    assert passes(program, A, B, TCP | 80) is expected


@pytest.mark.parametrize(("flows", "expected"), PASSING)
def test_what_flows_do(flows: str, expected: bool) -> None:
    assert passes(read({"flows": flows}, NOTHING), A, B, TCP | 80) is expected


REFUSED = [
    ("tcp,tcp_flags=+syn,actions=drop", "the match `tcp_flags`"),
    ("tcp,tp_src=5,actions=drop", "the match `tp_src`"),
    ("ip,nw_frag=no,actions=drop", "the match `nw_frag`"),
    ("ip,nw_src=*,actions=drop", "the address `*`"),
    ("ct_mark=5,actions=drop", "the match `ct_mark`"),
    ("ct_state=+snat,actions=drop", "the flag `snat` of ct_state"),
    ("dl_src=00:00:00:00:00:01,actions=drop", "the match `dl_src`"),
    ("nw_src=10.0.0.1,actions=drop", "an address without its protocol: `10.0.0.1`"),
    ("ip,tcp_dst=5,actions=drop", "`tp_dst` without `tcp`"),
    ("tcp,icmp_type=5,actions=drop", "`icmp_type` without `icmp`"),
    ("nw_proto=5,actions=drop", "`nw_proto` without `ip`"),
    ("ct_nw_proto=132,actions=drop", "`ct_nw_proto` without `ct_state`"),
    ("tcp,tcp_dst=5,tp_dst=6,actions=drop", "the field `tp_dst` twice"),
    ("tcp,ip,actions=drop", "two protocols, `tcp` and `ip`"),
    ("tcp,tcp_dst=http,actions=drop", "the value `tp_dst=http`"),
    ("ip,nw_src=fd00::1,actions=drop", "the address `fd00::1`"),
    ("ip,nw_src=10.0.0.1/33,actions=drop", "the address `10.0.0.1/33`"),
    (
        "ip,nw_src=0.0.0.0/170.170.170.170,actions=drop",
        "the mask of `0.0.0.0/170.170.170.170`, more than 4096 ranges",
    ),
    ("priority=70000,actions=drop", "the priority `70000`"),
    ("table=npc,actions=drop", "the table `npc`"),
    ("table=20,cookie=0x6e7063,actions=drop", "a flow of npc's in table 20: its tables are 0 to 6"),
    ("ip", "a line that is no flow"),
    ("actions=output:5", "the action `output:5`"),
    ("actions=LOCAL", "the action `LOCAL`"),
    ("actions=CONTROLLER:65535", "the action `CONTROLLER:65535`"),
    ("actions=NORMAL,drop", "the action `drop` after the packet went on"),
    ("actions=resubmit(,3),NORMAL", "the action `NORMAL` after the packet went on"),
    ("actions=load:1->NXM_NX_REG0[0..15],NORMAL", "the action `load:1->NXM_NX_REG0[0..15]`"),
    (
        "actions=set_field:1/0xff->reg0,NORMAL",
        "the action `set_field:1/0xff->reg0`, which sets a part of a register",
    ),
    ("ip,actions=ct(commit,zone=NXM_NX_REG1[0..15])", "the action `ct(commit,zone=NXM_NX_REG1[0..15])`"),
    ("ip,actions=ct(table=1,nat)", "the action `ct(table=1,nat)`"),
    ("actions=goto_table:20", "table 20, which is none of npc's, 0 to 6"),
    ("table=3,actions=resubmit(,2)", "the way back from table 3 to 2"),
    ("ip,actions=conjunction(1,3/2)", "the action `conjunction(1,3/2)`"),
    ("ip,actions=conjunction(1,1/2),NORMAL", "other actions beside `conjunction`"),
    (
        "ip,actions=conjunction(1,1/2)\ntcp,actions=conjunction(1,2/3)",
        "conjunction 1 of 2 and of 3 dimensions",
    ),
    (
        "ip,actions=conjunction(1,1/2)\ntcp,actions=conjunction(1,2/2)\nudp,conj_id=1,actions=drop",
        "conjunction 1, whose flow with `conj_id` asks for more",
    ),
    ("ip,conj_id=0,actions=NORMAL", "`conj_id=0`, which packets have that are of no conjunction"),
    (
        "ip,actions=conjunction(0,1/2)",
        "the action `conjunction(0,1/2)`, of the number that packets have without it",
    ),
    (
        "ip,nw_src=10.0.0.1,actions=conjunction(1,1/2)\ntcp,actions=conjunction(1,2/2)\n"
        "priority=5,ip,nw_src=10.0.0.1,actions=drop",
        "conjunction 1, which has no flow with `conj_id`, above a flow that asks the same",
    ),
    ("actions=NORMAL)", "`)` without `(`"),
    (
        "NXST_FLOW reply (xid=0x4):\nactions=NORMAL\nNXST_FLOW reply (xid=0x4):",
        "a second listing in one text",
    ),
]


@pytest.mark.parametrize(("flows", "construct"), REFUSED)
def test_what_is_not_understood_is_named(flows: str, construct: str) -> None:
    with pytest.raises(Unsupported) as refused:
        read({"flows": flows}, NOTHING)
    assert refused.value.construct == construct
    assert refused.value.line.file == "flows"


def test_registers_from_other_tables_are_not_guessed() -> None:
    with pytest.raises(Unsupported, match="`reg0` of packets for which other tables may have set it"):
        read({"flows": "table=20,reg0=0,actions=NORMAL"}, NOTHING, Options(settings={"table": "20"}))
    with pytest.raises(Unsupported, match="`ct_state` of packets that other tables may have tracked"):
        read({"flows": "table=20,ct_state=+est,actions=NORMAL"}, NOTHING, Options(settings={"table": "20"}))


def test_flows_of_others_are_noted() -> None:
    flows = "cookie=0x1,table=3,actions=drop\ntable=30,actions=drop\ntable=31,actions=drop"
    assert read({"flows": flows}, NOTHING).notes == (
        "Flows in other tables, which are no part of the proof: 2.",
        "Flows in npc's tables with another cookie, which count like npc's own: 1.",
    )


def test_a_port_that_no_flow_asks_for_is_noted() -> None:
    case = compiled("ovs/ports-of-pods")
    lines = case.text.split("\n")
    without = "\n".join(line for line in lines if "in_port=5," not in line)
    assert without != case.text
    assert not any("No flow asks" in note for note in case.read(case.text).notes)
    (note,) = (note for note in case.read(without).notes if "No flow asks" in note)
    assert note.startswith("No flow asks for port 5 of ")


def test_flows_that_differ_in_their_addresses_alone_are_one_rule() -> None:
    flows = "\n".join(f"table=1,ip,nw_src=10.0.0.{number},actions=drop" for number in range(1, 9))
    program = read({"flows": f"ip,actions=goto_table:1\n{flows}"}, NOTHING)
    (rule,) = program.chains["table 1, untracked"].rules
    assert rule.line.number == 2


TEXTS: Final = [
    compiled(name).text for name in ("ovs/conjunction", "ovs/holes-and-hairpins", "ovs/peers-by-number")
]


@settings(max_examples=300)
@given(
    text=st.sampled_from(TEXTS),
    place=st.floats(0, 1, exclude_max=True),
    length=st.integers(0, 12),
    instead=st.text(alphabet='0123456789abcdefx/.:,=()#" \n+-*>[]iptcnw_src', max_size=8),
)
def test_a_mutated_text_is_read_or_refused(text: str, place: float, length: int, instead: str) -> None:
    start = int(place * len(text))
    mutated = text[:start] + instead + text[start + length :]
    line = 1
    try:
        read({"npc.flows": mutated}, NOTHING)
    except Unsupported as refused:
        line = refused.line.number
    assert 1 <= line <= mutated.count("\n") + 1


def test_malformed_is_what_ovs_would_not_take() -> None:
    for flows in ("priority=70000,actions=drop", "ip,actions=conjunction(1,1/1)"):
        with pytest.raises(Malformed):
            read({"flows": flows}, NOTHING)
