"""Time `npc verify`: reading a node's ruleset and proving it, beside reading the policies and the inventory.

    python -m bench.verify [--small] [--dir DIR] [--target nft ...]

The ruleset of one node is compiled first, which is not measured. Printed are CPU seconds of this process for
the plan of the node from the files, the ruleset's reader and the proof, and what the last two come to beside
the first. Then `npc compile` of the small example, with and without `--verify`, in processes of their own.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bench.compile import SMALL
from bench.generate import reuse_or_generate, size_of, size_options
from npc.api import emit, plan_sources
from npc.backends.base import Backend, Options, find_target
from npc.compiler.verify.proof import prove
from npc.models import collector_paused, readable

TARGETS = ("nft", "iptables", "ovs")
NODE = "node-00005"
ROUNDS = 5
DEMO = Path(__file__).parents[1] / "examples" / "shop"

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds that something takes, and what it gives."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def measure(paths: Sequence[str], target: str) -> None:
    """Print what the proof of one node takes."""
    backend = find_target(target)
    assert isinstance(backend, Backend)
    read = backend.read
    assert read is not None
    with collector_paused():
        planning, planned = timed(lambda: plan_sources(readable(paths), node=NODE))
        texts: Mapping[str, str] = emit(planned.plan, backend, Options())
        reading, program = timed(lambda: read(texts, planned.plan, Options()))
        proving, proof = timed(lambda: prove(program, planned.plan))
    if not proof:
        raise SystemExit(f"{target}: not proven")
    size = sum(map(len, texts.values())) / 1e6
    print(
        f"  {target:9} {size:5.1f} MB  plan {planning:5.2f} s  read {reading:5.2f} s  prove {proving:5.2f} s"
        f"  all {planning + reading + proving:5.2f} s: {(reading + proving) / planning:.2f} of the plan"
        f" ({proof.subjects} addresses, {proof.packets:,} sets of packets)"
    )


def demo() -> None:
    """Print what `npc compile --verify` adds to the small example, for each target."""
    for target in TARGETS:
        command = [sys.executable, "-m", "npc", "compile", str(DEMO), "--target", target]
        with tempfile.TemporaryDirectory(prefix="npc-bench-") as folder:
            command += ["--quiet", "--output", str(Path(folder, "ruleset"))]
            plain, proven = [], []
            for _ in range(ROUNDS):
                plain.append(process_seconds(command))
                proven.append(process_seconds([*command, "--verify"]))
        before, after = statistics.median(plain), statistics.median(proven)
        print(f"  {target:9} compile {before:.3f} s, with --verify {after:.3f} s: {after / before:.2f} times")


def process_seconds(command: Sequence[str]) -> float:
    """CPU seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: write the cluster if it is not there, measure, print."""
    parser = argparse.ArgumentParser(prog="bench.verify", description="Time npc verify.")
    size_options(parser)
    parser.set_defaults(nodes=400)  # 250 pods each, of 100,000
    parser.add_argument("--small", action="store_true", help="500 policies and 5,000 pods on 50 nodes")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the cluster is, or goes")
    parser.add_argument("--target", choices=TARGETS, nargs="+", default=TARGETS)
    arguments = parser.parse_args(argv)
    size = replace(SMALL, seed=arguments.seed) if arguments.small else size_of(arguments)
    with tempfile.TemporaryDirectory(prefix="npc-bench-") as scratch:
        cluster = reuse_or_generate((arguments.dir or Path(scratch, "cluster")).resolve(), size)
        print(f"npc verify of one node: {size.policies:,} policies, {size.pods:,} pods, {size.nodes:,} nodes")
        for target in arguments.target:
            measure([str(cluster.policies), str(cluster.inventory)], target)
    print("npc compile of the small example; CPU time of the process, median")
    demo()


if __name__ == "__main__":
    main()
