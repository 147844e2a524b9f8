"""What npc's rulesets cost the packets, on networks of 10 to 10,000 policies and as many pods.

    python -m bench.dataplane [--full] [--dataplane nft ...] [--router]

The cost is in packets per second of CPU time: forwarded with no rules, with connection tracking alone (the
floor: known connections pass first), with npc's ruleset and with a rule for each connection, each with the
same packets and in turns. Of known connections, of new ones, and of packets that are denied. By default the
ruleset is that of a node with 250 pods, whose peers are anywhere; with --router it rules all pods.

Needs root, gcc and the programs of the dataplane. Compare numbers within a table only.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench.dataplane import bridge
from bench.dataplane.packetcost import Cost, Entry, Meter, Mode, Router, UnmeasurableError
from bench.dataplane.rulesets import DATAPLANES, Dataplane
from bench.dataplane.workload import Workload

SIZES, SMALL = (10, 100, 1_000, 10_000), (10, 1_000)
OVS = "ovs"
EVERY = (*DATAPLANES, OVS)
FLAT = 1.15
"""What the largest network may cost, of what the smallest does."""
_MOST_LINEAR = 1_000
"""Pods ruled, beyond which a rule for each connection takes minutes to load."""
_FEW = 100
_LINEAR_PACKETS = 512
"""In a round, where a rule for each connection of more than a few pods takes long for each."""


class Packets(StrEnum):
    """Which packets are sent."""

    ESTABLISHED = "established"
    NEW = "new"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is measured."""

    rounds: int
    packets: int
    """In a round, and different connections among them; a power of two."""


QUICK, FULL = Effort(5, 1 << 12), Effort(21, 1 << 14)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured at one size."""

    size: int
    bare: Cost
    floor: Cost
    npc: Cost
    linear: Cost | None


def measure(
    dataplane: Dataplane, packets: Packets, workloads: Sequence[Workload], effort: Effort
) -> list[Row]:
    """Send the same packets through every ruleset; UnmeasurableError where that cannot be done."""
    dataplane.check()
    allowed = packets is not Packets.DENIED
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="npc-bench-")))
        meter = Meter(folder)
        entries: dict[str, Entry] = {}
        for workload in workloads:
            connections = workload.connections(effort.packets, allowed=allowed)
            for name in ("bare", "floor", "npc", "linear"):
                ruled = workload.size if workload.is_router else min(workload.size, 250)
                if name == "linear" and ruled > _MOST_LINEAR:
                    continue
                router = Router.open(f"{name}-{workload.size}", closing)
                match name:
                    case "floor":
                        dataplane.floor(router, "accept" if allowed else "drop")
                    case "npc":
                        dataplane.npc(router, workload.plan)
                    case "linear":
                        dataplane.linear(router, workload.plan)
                is_slow = name == "linear" and ruled > _FEW and packets is not Packets.ESTABLISHED
                count = _LINEAR_PACKETS if is_slow else effort.packets
                entries[f"{name} {workload.size}"] = Entry(router, connections, count)
        mode = Mode.ESTABLISHED if packets is Packets.ESTABLISHED else Mode.NEW
        costs = meter.measure(mode, entries, effort.rounds)
    _check(costs, allowed=allowed)
    return [
        Row(
            one.size,
            costs[f"bare {one.size}"],
            costs[f"floor {one.size}"],
            costs[f"npc {one.size}"],
            costs.get(f"linear {one.size}"),
        )
        for one in workloads
    ]


def _check(costs: Mapping[str, Cost], *, allowed: bool) -> None:
    """Rules that let pass what they should not, or the other way round, are not worth a measurement."""
    for name, cost in costs.items():
        expected = 1.0 if allowed or name.startswith("bare ") else 0.0
        if cost.forwarded != expected:
            raise UnmeasurableError(f"{name}: {cost.forwarded:.2%} of the packets came through")


def report(packets: Packets, rows: Sequence[Row]) -> Iterator[str]:
    """A line for each size, then how flat the curve is."""
    first = rows[0].npc.nanoseconds
    for row in rows:
        every = (row.bare, row.floor, row.npc, row.linear)
        speeds = ("" if cost is None else f"{1e6 / cost.nanoseconds:,.0f}" for cost in every)
        npc = row.npc.nanoseconds
        ratios = [f"{npc / row.floor.nanoseconds:.2f}", f"{npc / first:.2f}"]
        ratios.append("" if row.linear is None else f"{row.linear.nanoseconds / npc:.1f}")
        yield _COLUMNS.format(packets.value, f"{row.size:,}", *speeds, *ratios)
    if len(rows) > 1:
        ratio = rows[-1].npc.nanoseconds / first
        flat = "yes" if ratio <= FLAT else "NO"
        yield f"  {rows[-1].size:,} within {FLAT} times {rows[0].size}: {flat} ({ratio:.2f})"


_COLUMNS = "{:<12}{:>8}{:>8}{:>8}{:>8}{:>8}{:>12}{:>9}{:>12}"
HEADING = _COLUMNS.format(
    "packets", "pods", "bare", "floor", "npc", "linear", "npc/floor", "npc/10", "linear/npc"
).rstrip()


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: measure and print a table for each dataplane."""
    parser = argparse.ArgumentParser(prog="bench.dataplane", description="What rulesets cost packets.")
    parser.add_argument("--full", action="store_true", help="10 to 10,000 pods, every dataplane, more rounds")
    parser.add_argument("--dataplane", choices=EVERY, action="append", help="may be given again")
    parser.add_argument("--router", action="store_true", help="one ruleset for all pods, not a node's")
    arguments = parser.parse_args(argv)
    names = arguments.dataplane or (EVERY if arguments.full else ["nft"])
    sizes, effort = (SIZES, FULL) if arguments.full else (SMALL, QUICK)
    workloads = [Workload(size, arguments.router) for size in sizes]
    for name in names:
        where = "a router with all pods" if arguments.router else "a node with up to 250 pods"
        unit = "microseconds of CPU a packet" if name == OVS else "thousands of packets per second of CPU"
        print(f"{name}, {where}: {unit}")
        try:
            if name == OVS:
                for line in bridge.report(workloads, effort.packets >> 1):
                    print(line, flush=True)
                continue
            print(HEADING)
            for packets in Packets:
                for line in report(packets, measure(DATAPLANES[name], packets, workloads, effort)):
                    print(line.rstrip(), flush=True)
        except UnmeasurableError as error:
            print(f"  not measured: {error}")
