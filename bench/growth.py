"""How time and memory grow with the cluster: one node compiled at ever more pods, and ever more policies.

    python -m bench.growth [--full] [--rounds N] [--plot DIR] [--scratch DIR]

Each size is measured beside its own parse floor (`bench.floor`), in rounds that interleave the two. Times are
CPU seconds, so that other work on the machine disturbs them little; npc's include the start and the end of
its process. The table is Markdown, as docs/performance.md has it; `--plot` writes its pictures.
"""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from bench.cluster import Size
from bench.compile import compile_node
from bench.floor import Sample, measure_floor, median
from bench.generate import generate_size
from bench.plot import Series, plot
from bench.process import RunFailedError

PODS_A_NODE = 100


@dataclass(frozen=True, slots=True)
class Curve:
    """One way to grow: what grows, and the sizes."""

    name: str
    count: Callable[[Size], int]
    sizes: Sequence[Size]


@dataclass(frozen=True, slots=True)
class Point:
    """What one size takes, npc and its floor: CPU seconds and peak bytes."""

    count: int
    npc: Sample
    floor: Sample


SMALL = Size(policies=500, pods=4_000, namespaces=50, nodes=40)
FULL = Size()


def curves(size: Size, largest: int) -> tuple[Curve, Curve]:
    """Pods from 1,000 to `largest` beside the policies of `size`, and policies beside its pods.

    With the pods grow the nodes, as they do in clusters: a node holds about a hundred.
    """
    pods = [count for step in range(6) if (count := 1_000 * 4**step) < largest]
    policies = [count for step in range(1, 4) if (count := size.policies // 4**step) > 0]
    return (
        Curve(
            "pods",
            lambda one: one.pods,
            [replace(size, pods=count, nodes=count // PODS_A_NODE) for count in (*pods, largest)],
        ),
        Curve(
            "policies",
            lambda one: one.policies,
            [
                replace(size, policies=count)
                for count in (*reversed(policies), size.policies, 2 * size.policies)
            ],
        ),
    )


def measure(size: Size, rounds: int, scratch: Path, target: str = "nft") -> tuple[Sample, Sample]:
    """npc and the floor at one size: the medians of some rounds."""
    folder = scratch / "cluster"
    cluster = generate_size(folder, size)
    runs: list[Sample] = []
    floors: list[Sample] = []
    for _ in range(rounds):
        floors.append(measure_floor(cluster.policies, cluster.inventory))
        usage = compile_node(cluster, target, f"node-{size.nodes // 2:05}", scratch / "ruleset")
        runs.append(Sample(usage.cpu, usage.peak_bytes))
    shutil.rmtree(folder)
    return median(runs), median(floors)


def table(name: str, points: Sequence[Point]) -> Iterator[str]:
    """The rows of a curve, in Markdown."""
    yield f"| {name} | npc, s | floor, s | npc / floor | npc, MB | floor, MB |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for one in points:
        yield (
            f"| {one.count:,} | {one.npc.seconds:.2f} | {one.floor.seconds:.2f} "
            f"| {one.npc.seconds / one.floor.seconds:.2f} "
            f"| {one.npc.peak_bytes / 1e6:,.0f} | {one.floor.peak_bytes / 1e6:,.0f} |"
        )


def steepest(points: Sequence[Point]) -> tuple[float, float]:
    """What a doubling takes at most between two points: times the seconds, times the bytes."""

    def doubled(values: Sequence[float]) -> float:
        steps = [
            (after / before) ** (1 / _doublings(one.count, other.count))
            for (one, before), (other, after) in pairwise(zip(points, values, strict=True))
        ]
        return max(steps, default=1.0)

    return doubled([one.npc.seconds for one in points]), doubled(
        [float(one.npc.peak_bytes) for one in points]
    )


def _doublings(before: int, after: int) -> float:
    return math.log2(after / before)


def pictures(name: str, points: Sequence[Point]) -> Iterator[tuple[str, str]]:
    """The plots of a curve: file names and texts."""

    def seconds(sample: Sample) -> float:
        return sample.seconds

    def megabytes(sample: Sample) -> float:
        return sample.peak_bytes / 1e6

    for what, unit, value in (("time", "CPU seconds", seconds), ("memory", "peak MB", megabytes)):
        series = [
            Series("npc compile", [(one.count, value(one.npc)) for one in points]),
            Series("parse floor", [(one.count, value(one.floor)) for one in points]),
        ]
        yield f"{name}-{what}.svg", plot(f"One node's ruleset by {name}: {what}", name, unit, series)


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: both curves, a table and what a doubling takes at most for each."""
    parser = argparse.ArgumentParser(prog="bench.growth", description="Measure how npc grows.")
    parser.add_argument("--full", action="store_true", help="to 1,000,000 pods and 20,000 policies (4 GB)")
    parser.add_argument("--rounds", type=int, default=1, metavar="N")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="write the plots there, as SVG")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="where clusters go; default: /tmp")
    arguments = parser.parse_args(argv)
    chosen = curves(FULL, 1_000_000) if arguments.full else curves(SMALL, SMALL.pods)
    with tempfile.TemporaryDirectory(prefix="npc-bench-", dir=arguments.scratch) as scratch:
        for curve in chosen:
            points = [
                Point(curve.count(size), *measure(size, arguments.rounds, Path(scratch)))
                for size in curve.sizes
            ]
            print("\n".join(table(curve.name, points)))
            seconds, memory = steepest(points)
            print(
                f"\nTwice the {curve.name}: at most {seconds:.2f} times the time, {memory:.2f} the memory.\n"
            )
            for name, text in pictures(curve.name, points) if arguments.plot else ():
                (arguments.plot / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except RunFailedError as failure:
        raise SystemExit(str(failure)) from None
