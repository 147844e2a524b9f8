"""Time `npc check` on a synthetic cluster, with and without its inventory, and the ratio to parsing.

    python -m bench.check [--small] [--dir DIR] [--rounds 3]

Parsing is the floor of `bench.floor`: PyYAML's C loader on the policies, plus msgspec's typed decoding
where the inventory is read. The whole process is timed, from start to exit; a round measures floor and
check in turn.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.compile import SMALL
from bench.floor import measure
from bench.generate import Cluster, reuse_or_generate, size_of, size_options
from bench.process import RunFailedError, Usage, run_python

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Round:
    """Parsing and checking, once each: seconds of the floor, and what the process of `npc check` took."""

    floor: float
    npc: Usage


def measure_round(cluster: Cluster, *, with_inventory: bool) -> Round:
    """Parse, then check."""
    floor = measure("policies", cluster.policies).seconds
    files = [cluster.policies]
    if with_inventory:
        floor += measure("inventory", cluster.inventory).seconds
        files.append(cluster.inventory)
    return Round(floor, run_python("-m", "npc", "check", *files))


def report(name: str, rounds: Sequence[Round]) -> str:
    """A line of the table: medians, and the median of the rounds' own ratios."""
    wall = statistics.median(one.npc.wall for one in rounds)
    floor = statistics.median(one.floor for one in rounds)
    ratio = statistics.median(one.npc.wall / one.floor for one in rounds)
    peak = max(one.npc.peak_bytes for one in rounds) / 1e6
    findings = rounds[0].npc.stdout.count("warning[")
    return f"{name:<24}{wall:>8.2f}{floor:>9.2f}{ratio:>7.2f}{peak:>9.0f}{findings:>10,}"


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: write the cluster if it is not there, measure in rounds, print the table."""
    parser = argparse.ArgumentParser(prog="bench.check", description="Time npc check against parsing.")
    size_options(parser)
    parser.add_argument("--small", action="store_true", help="500 policies and 5,000 pods on 50 nodes")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the cluster is, or goes")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    arguments = parser.parse_args(argv)
    size = replace(SMALL, seed=arguments.seed) if arguments.small else size_of(arguments)
    with tempfile.TemporaryDirectory(prefix="npc-bench-") as scratch:
        cluster = reuse_or_generate((arguments.dir or Path(scratch, "cluster")).resolve(), size)
        print(f"npc check: {size.policies:,} policies, {size.pods:,} pods, {size.namespaces:,} namespaces")
        head = f"median of {arguments.rounds}"
        print(f"{head:<24}{'wall s':>8}{'floor s':>9}{'ratio':>7}{'peak MB':>9}{'findings':>10}")
        for name, with_inventory in (("policies alone", False), ("with the inventory", True)):
            rounds = [measure_round(cluster, with_inventory=with_inventory) for _ in range(arguments.rounds)]
            print(report(name, rounds))


if __name__ == "__main__":
    try:
        main()
    except RunFailedError as failure:
        raise SystemExit(str(failure)) from None
