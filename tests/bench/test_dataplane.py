"""What `bench.dataplane` sends and makes of its measurements; and that it measures, where it can."""

from __future__ import annotations

import struct

import pytest

from bench.dataplane.frames import RECORD, Connection
from bench.dataplane.packetcost import Cost, UnmeasurableError, costs
from bench.dataplane.rulesets import DATAPLANES, linear_rules
from bench.dataplane.tables import Effort, Packets, Row, measure, report
from bench.dataplane.workload import Workload
from npc.compiler.algebra import traffic


def _row(size: int, npc: float, linear: float | None = None) -> Row:
    bare, floor, own = (Cost(one, 1.0, 1.0) for one in (1000.0, 2000.0, npc))
    return Row(size, bare, floor, own, None if linear is None else Cost(linear, 1.0, 1.0))


def test_report() -> None:
    rows = [_row(10, 2500.0, 5000.0), _row(10_000, 3000.0)]
    assert [line.split() for line in report(Packets.NEW, rows)] == [
        ["new", "10", "1,000", "500", "400", "200", "1.25", "1.00", "2.0"],
        ["new", "10,000", "1,000", "500", "333", "1.50", "1.20"],
        ["10,000", "within", "1.15", "times", "10:", "NO", "(1.20)"],
    ]


def test_what_the_machine_did_to_a_round_is_left_out() -> None:
    """The second round was twice as slow for both; the median of the rest stands."""
    found = [
        round(one.nanoseconds) for one in costs([[1.0, 100.0, 200.0, 100.0], [1.0, 300.0, 600.0, 300.0]])
    ]
    assert found == [100, 300]


@pytest.mark.parametrize("is_router", [False, True])
@pytest.mark.parametrize("allowed", [False, True])
def test_packets_are_what_they_are_called(is_router: bool, allowed: bool) -> None:
    workload = Workload(20, is_router)
    found = workload.connections(256, allowed=allowed)
    plan = workload.plan
    assert len(set(found)) == 256
    for one in found:
        wanted = one.protocol << 16 | one.port
        assert (one, plan.allows(one.source, one.destination, wanted)) == (one, allowed)


def test_frames_have_valid_checksums() -> None:
    for protocol in (traffic.TCP, traffic.UDP):
        one = Connection(0x0A000001, 0x0A000002, protocol, 1024, 80)
        for frame in (one.opening(), one.reply(), one.later()):
            assert len(frame) == RECORD
            assert _folded(frame[14:34]) == 0xFFFF
            if protocol == traffic.TCP:
                assert _folded(frame[26:34] + struct.pack("!HH", 6, 20) + frame[34:54]) == 0xFFFF


def _folded(words: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(words) // 2}H", words))
    return (total & 0xFFFF) + (total >> 16)


def test_linear_rules_say_all_that_passes() -> None:
    plan = Workload(10, True).plan
    rules = [rule for one in plan.classes for rule in linear_rules(one)]
    assert len(rules) == len(set(rules)) > 100


@pytest.mark.parametrize("name", DATAPLANES)
def test_rulesets_let_pass_what_they_should(name: str) -> None:
    """`measure` refuses figures of packets that the rules took for others."""
    try:
        rows = measure(DATAPLANES[name], Packets.NEW, [Workload(100, False)], Effort(2, 64))
    except UnmeasurableError as error:
        if "came through" in str(error):
            raise
        pytest.skip(str(error))
    assert [row.size for row in rows] == [100]
