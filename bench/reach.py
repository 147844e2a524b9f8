"""Time `npc reach` against parsing: all connections of a cluster, beside reading its files.

    python -m bench.reach [--policies 2000] [--pods 4000] [--rounds 3]

The yardstick is the parse floor of `bench.floor` (PyYAML's C loader on the policies and msgspec's typed
decoding of the inventory), measured in turns with npc in interpreters of their own, start-up and imports not
counted. npc's time is from the files on disk to the text of each format, in CPU seconds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.cluster import Size
from bench.floor import decode_inventory, load_policies
from bench.generate import generate_size
from bench.process import RunFailedError, run_python

FLOOR = "parse floor"
DEFAULT = Size(policies=2_000, pods=4_000, namespaces=200, nodes=20)
SMALL = Size(policies=200, pods=700, namespaces=20, nodes=5)


def writers() -> Mapping[str, Callable[..., str]]:
    """What writes each format."""
    from npc.reach.graphs import as_dot
    from npc.reach.listing import as_csv, as_json
    from npc.reach.page import as_html
    from npc.reach.text import text

    return {"text": text, "json": as_json, "csv": as_csv, "dot": as_dot, "html": as_html}


def measure(part: str, folder: Path) -> tuple[float, str]:
    """CPU seconds of one part in a fresh interpreter, and what it says of its work."""
    seconds, words = run_python("-m", "bench.reach", "--only", part, folder).stdout.strip().split(maxsplit=1)
    return float(seconds), words


def _work(part: str, folder: Path) -> tuple[float, str]:
    """CPU seconds of one part in this process."""
    if part == FLOOR:
        start = time.process_time()
        alive = load_policies(folder / "policies.yaml"), decode_inventory(folder / "inventory.json")
        return time.process_time() - start, f"{len(alive)} files"
    from npc.reach.reporting import reach_paths

    write = writers()[part]
    start = time.process_time()
    report, _ = reach_paths([str(folder)])
    written = write(report)
    seconds = time.process_time() - start
    pairs = sum(1 for _ in report.connections.between())
    return (
        seconds,
        f"{len(report.connections.parties):,} workloads, {pairs:,} pairs, {len(written):,} characters",
    )


def table(samples: Mapping[str, Sequence[float]], words: Mapping[str, str]) -> str:
    """The medians, and their ratios to the floor of the same round."""
    row = "{:<14}{:>8}{:>12}   {}".format
    lines = [row(f"median of {len(samples[FLOOR])}", "CPU s", "of floor", "")]
    for part, found in samples.items():
        ratio = statistics.median(one / floor for one, floor in zip(found, samples[FLOOR], strict=True))
        lines.append(row(part, f"{statistics.median(found):.2f}", f"{ratio:.2f}", words[part]))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.reach", description=__doc__)
    parser.add_argument("--policies", type=int, default=DEFAULT.policies)
    parser.add_argument("--pods", type=int, default=DEFAULT.pods)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="200 policies and 700 pods")
    parser.add_argument("--only", nargs=2, metavar=("PART", "DIR"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.only:
        seconds, words = _work(given.only[0], Path(given.only[1]))
        print(f"{seconds} {words}")
        return
    size = SMALL if given.small else Size(given.policies, given.pods, max(1, given.policies // 10), 20)
    parts = [FLOOR, *writers()]
    samples: dict[str, list[float]] = {part: [] for part in parts}
    words = dict.fromkeys(parts, "")
    with tempfile.TemporaryDirectory() as folder:
        generate_size(Path(folder), size)
        (Path(folder) / "size.json").unlink()
        try:
            for _ in range(given.rounds):
                for part in parts:
                    seconds, words[part] = measure(part, Path(folder))
                    samples[part].append(seconds)
        except RunFailedError as error:
            raise SystemExit(str(error)) from None
    print(f"npc reach, {size.policies:,} policies, {size.pods:,} pods")
    print(table(samples, words))


if __name__ == "__main__":
    main()
