"""Time `npc compile --all-nodes` against one `npc compile --node` a node, and what a node takes of it.

    python -m bench.fleet [--small] [--dir DIR] [--target nft] [--jobs 2] [--alone 3]

The loop over nodes is measured on a few of them and taken times their number: each run reads the cluster
anew, so that they differ little. What all nodes take beyond reading is the difference to a run for one node;
it is CPU time, as the processes work side by side.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.compile import SMALL, compile_node
from bench.generate import Cluster, reuse_or_generate, size_of, size_options
from bench.process import RunFailedError, Usage, run_python

LIMIT = 0.020
"""Seconds of CPU that a node may take once the cluster has been read."""


@dataclass(frozen=True, slots=True)
class Result:
    """Runs for single nodes, and for all of them with one process and with several."""

    nodes: int
    alone: tuple[Usage, ...]
    one_job: Usage
    several_jobs: Usage
    jobs: int
    bytes_written: int

    @property
    def a_node(self) -> float:
        """Seconds of CPU for each node after the first, with one process."""
        first = statistics.median(usage.cpu for usage in self.alone)
        return (self.one_job.cpu - first) / (self.nodes - 1)


def compile_all(cluster: Cluster, target: str, jobs: int, output: Path) -> Usage:
    """Compile every node once; raise RunFailedError with npc's message when it refuses."""
    files = (cluster.policies, "--inventory", cluster.inventory, "--output", output)
    options = ("--target", target, "--all-nodes", "--jobs", str(jobs), "--quiet")
    return run_python("-m", "npc", "compile", *files, *options)


def measure(cluster: Cluster, target: str, nodes: int, alone: int, jobs: int, scratch: Path) -> Result:
    """Measure a few nodes one by one, then all with one process and with several."""
    some = [f"node-{number * nodes // alone:05}" for number in range(alone)]
    runs = tuple(compile_node(cluster, target, node, scratch / f"{node}/") for node in some)
    one_job = compile_all(cluster, target, 1, scratch / "all")
    written = sum(path.stat().st_size for path in (scratch / "all").rglob("*") if path.is_file())
    shutil.rmtree(scratch / "all")
    several_jobs = compile_all(cluster, target, jobs, scratch / "all")
    return Result(nodes, runs, one_job, several_jobs, jobs, written)


def report(result: Result) -> str:
    """The table, with the ratio of each to `--jobs 1`."""
    loop = statistics.median(usage.wall for usage in result.alone) * result.nodes
    row = "{:<38}{:>10}{:>10}{:>10}{:>12}".format
    lines = [row(f"{result.nodes:,} nodes", "wall s", "CPU s", "peak MB", "to --jobs 1")]
    for name, usage in (
        ("--all-nodes --jobs 1", result.one_job),
        (f"--all-nodes --jobs {result.jobs}", result.several_jobs),
    ):
        ratio = f"{usage.wall / result.one_job.wall:.2f}"
        cells = (f"{usage.wall:.1f}", f"{usage.cpu:.1f}", f"{usage.peak_bytes / 1e6:.0f}")
        lines.append(row(name, *cells, ratio))
    name = f"a loop of --node (from {len(result.alone)})"
    lines.append(row(name, f"{loop:.1f}", "", "", f"{loop / result.one_job.wall:.1f}"))
    lines.append(
        f"a node after the first: {result.a_node * 1e3:.1f} ms of CPU, written; "
        f"{result.bytes_written / result.nodes / 1e6:.2f} MB each"
    )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: write the cluster if it is not there, measure, print the table."""
    parser = argparse.ArgumentParser(prog="bench.fleet", description="Time --all-nodes.")
    size_options(parser)
    parser.add_argument("--small", action="store_true", help="500 policies and 5,000 pods on 50 nodes")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the cluster is, or goes")
    parser.add_argument("--target", default="nft")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--alone", type=int, default=3, metavar="N", help="nodes compiled one by one")
    arguments = parser.parse_args(argv)
    size = replace(SMALL, seed=arguments.seed) if arguments.small else size_of(arguments)
    with tempfile.TemporaryDirectory(prefix="npc-bench-") as folder:
        scratch = Path(folder)
        cluster = reuse_or_generate((arguments.dir or scratch / "cluster").resolve(), size)
        result = measure(cluster, arguments.target, size.nodes, arguments.alone, arguments.jobs, scratch)
    print(f"{size.policies:,} policies, {size.pods:,} pods; {arguments.target} rulesets of all nodes")
    print(report(result))
    if not arguments.small:
        print(f"below {LIMIT * 1e3:.0f} ms a node: {'yes' if result.a_node < LIMIT else 'NO'}")


if __name__ == "__main__":
    try:
        main()
    except RunFailedError as failure:
        raise SystemExit(str(failure)) from None
