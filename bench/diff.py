"""Time `npc diff` of a large cluster with one policy changed, beside reading what it compares.

    python -m bench.diff [--small] [--dir DIR]

Both sides share an inventory. Reading is that of one side: policies and inventory; a comparison has to read
the policies twice. CPU seconds of one process.
"""

from __future__ import annotations

import argparse
import gc
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.compile import SMALL
from bench.generate import reuse_or_generate, size_of, size_options
from npc.compiler.frontend.source import Source
from npc.diff.listing import Listing
from npc.diff.loading import Sides, compare
from npc.models import model_paths

_PORT = re.compile(rb"\bport: [0-9]+")


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds that something takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def changed(policies: Path) -> Source:
    """The policies with one port of one of them changed."""
    text = policies.read_bytes()
    return Source("changed.yaml", content=_PORT.sub(b"port: 1", text, count=1))


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: write the cluster if it is not there, measure, print."""
    parser = argparse.ArgumentParser(prog="bench.diff", description="Time npc diff.")
    size_options(parser)
    parser.add_argument("--small", action="store_true", help="500 policies and 5,000 pods on 50 nodes")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the cluster is, or goes")
    arguments = parser.parse_args(argv)
    size = replace(SMALL, seed=arguments.seed) if arguments.small else size_of(arguments)
    gc.disable()  # as the command does while it reads
    with tempfile.TemporaryDirectory(prefix="npc-bench-") as scratch:
        cluster = reuse_or_generate((arguments.dir or Path(scratch, "cluster")).resolve(), size)
        paths = [str(cluster.policies), str(cluster.inventory)]
        reading = seconds(lambda: model_paths(paths))
        old, both = (Source(str(path), path) for path in (cluster.policies, cluster.inventory))
        sides = Sides([old], [changed(cluster.policies)], [both])
        found: list[Listing] = []
        comparing = seconds(lambda: found.append(Listing.of(compare(sides)[0])))
        same = seconds(lambda: found.append(Listing.of(compare(Sides([old], [old], [both]))[0])))
    row = "{:<34}{:>8.2f} s{:>8.2f} times reading".format
    print(row("reading one side", reading, 1))
    print(row("diff, one policy changed", comparing, comparing / reading))
    print(row("diff, nothing changed", same, same / reading))
    print(f"changes: {len(found[0].rows)} and {len(found[1].rows)}")


if __name__ == "__main__":
    main()
