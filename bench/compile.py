"""Time `npc compile` for one node of a synthetic cluster, and its ratio to the parse floor.

    python -m bench.compile [--small] [--dir DIR] [--rounds 3] [--target nft] [--node NAME]

Each round measures the floor and then the compiler, so that a machine that slows down slows both. The
compiler is timed as its user sees it: the whole process, from start to exit, files on disk to file on disk.
The ratio is of CPU seconds: npc uses one CPU, and other work on the machine changes those little.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.cluster import Size
from bench.floor import Sample, measure_floor, median
from bench.generate import Cluster, reuse_or_generate, size_of, size_options
from bench.process import RunFailedError, Usage, run_python

SMALL = Size(policies=500, pods=5_000, namespaces=50, nodes=50)
MEMORY_LIMIT = 2_000_000_000
RATIO_LIMIT = 1.0


@dataclass(frozen=True, slots=True)
class Round:
    """One round: the floor with the collector on (the one that counts) and off, and the compiler."""

    floor: Sample
    floor_without_gc: Sample
    npc: Usage


def compile_node(cluster: Cluster, target: str, node: str, output: Path) -> Usage:
    """Compile the node's ruleset once; raise RunFailedError with npc's message when it refuses."""
    files = (cluster.policies, "--inventory", cluster.inventory, "--output", output)
    return run_python("-m", "npc", "compile", "--target", target, *files, "--node", node, "--quiet")


def measure_round(cluster: Cluster, target: str, node: str, output: Path) -> Round:
    """Measure all three, one after the other."""
    return Round(
        floor=measure_floor(cluster.policies, cluster.inventory),
        floor_without_gc=measure_floor(cluster.policies, cluster.inventory, collect=False),
        npc=compile_node(cluster, target, node, output),
    )


def report(rounds: list[Round]) -> str:
    """The table of medians."""
    floors = [taken.floor for taken in rounds]
    floors_without_gc = [taken.floor_without_gc for taken in rounds]
    runs = [taken.npc for taken in rounds]
    wall = statistics.median(run.wall for run in runs)
    cpu = statistics.median(run.cpu for run in runs)
    peak = max(run.peak_bytes for run in runs)
    row = "{:<22}{:>8}{:>8}{:>9}{:>11}".format
    lines = [
        row(f"median of {len(rounds)}", "wall s", "CPU s", "peak MB", "npc takes"),
        row("npc compile", f"{wall:.2f}", f"{cpu:.2f}", f"{peak / 1e6:.0f}", ""),
    ]
    for name, samples in (("floor, collector on", floors), ("floor, collector off", floors_without_gc)):
        middle = median(samples)
        times = f"{_ratio(runs, samples):.2f} times"
        lines.append(row(name, "", f"{middle.seconds:.2f}", f"{middle.peak_bytes / 1e6:.0f}", times))
    return "\n".join(lines)


def verdicts(rounds: list[Round]) -> str:
    """Whether the rounds keep to the limits of time and memory, a line for each."""
    ratio = _ratio([taken.npc for taken in rounds], [taken.floor for taken in rounds])
    peak = max(taken.npc.peak_bytes for taken in rounds)
    return (
        f"at or below the floor: {'yes' if ratio <= RATIO_LIMIT else 'NO'}\n"
        f"peak below {MEMORY_LIMIT / 1e9:g} GB: {'yes' if peak < MEMORY_LIMIT else 'NO'}"
    )


def _ratio(runs: list[Usage], floors: list[Sample]) -> float:
    """The median of the rounds' own ratios: what the machine did to a round, it did to both sides."""
    return statistics.median(run.cpu / floor.seconds for run, floor in zip(runs, floors, strict=True))


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: write the cluster if it is not there, measure in rounds, print the table."""
    parser = argparse.ArgumentParser(prog="bench.compile", description="Time npc against the parse floor.")
    size_options(parser)
    parser.add_argument("--small", action="store_true", help="500 policies and 5,000 pods on 50 nodes")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the cluster is, or goes")
    parser.add_argument("--target", default="nft")
    parser.add_argument("--node", default="node-00042")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    arguments = parser.parse_args(argv)
    size = replace(SMALL, seed=arguments.seed) if arguments.small else size_of(arguments)
    with tempfile.TemporaryDirectory(prefix="npc-bench-") as scratch:
        cluster = reuse_or_generate((arguments.dir or Path(scratch, "cluster")).resolve(), size)
        output = Path(scratch, "ruleset")
        rounds = [
            measure_round(cluster, arguments.target, arguments.node, output) for _ in range(arguments.rounds)
        ]
        print(
            f"{size.policies:,} policies, {size.pods:,} pods, {size.namespaces:,} namespaces, "
            f"{size.nodes:,} nodes; {arguments.target} ruleset of {arguments.node}, "
            f"{output.stat().st_size / 1e6:.2f} MB"
        )
        print(report(rounds))
        if not arguments.small:
            print(verdicts(rounds))


if __name__ == "__main__":
    try:
        main()
    except RunFailedError as failure:
        raise SystemExit(str(failure)) from None
