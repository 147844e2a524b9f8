"""Time the policy language against PyYAML's C loader on the same policies, and print the ratio.

    python -m bench.language [--policies 10000] [--rounds 5]

npc's time is from the file on disk to validated policies; PyYAML's ends at plain dicts, where reading YAML
only begins. Each measurement is of CPU seconds in an interpreter of its own, start-up not counted. The
collector is off on npc's side, as the API switches it off; PyYAML is measured both ways.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml

from bench.cluster import Size, Topology
from bench.floor import load_policies
from bench.policies import policies
from bench.process import RunFailedError, run_python
from npc.compiler.frontend.documents import load
from npc.compiler.frontend.source import Source
from npc.compiler.language.conversion import convert
from npc.compiler.language.notation import Notation

RATIO_LIMIT = 1.0
DEFAULT = 10_000
SMALL = 1_000

Part = Literal["npc", "yaml"]


def load_language(path: Path) -> object:
    """Every policy of a file in the policy language."""
    loaded = load([Source(str(path), path)])
    if loaded.diagnostics:
        raise SystemExit(loaded.diagnostics[0].message)
    return loaded


WORK: Mapping[Part, Callable[[Path], object]] = {"npc": load_language, "yaml": load_policies}


def write_policies(folder: Path, count: int) -> Mapping[Part, Path]:
    """The same policies in both notations."""
    paths: dict[Part, Path] = {"yaml": folder / "policies.yaml", "npc": folder / "policies.npc"}
    topology = Topology(Size(policies=count, pods=count, namespaces=max(1, count // 10), nodes=100))
    with paths["yaml"].open("w", encoding="utf-8") as file:
        yaml.dump_all(policies(topology), file, Dumper=yaml.CSafeDumper, explicit_start=True, sort_keys=False)
    converted = convert([Source(str(paths["yaml"]), paths["yaml"])], Notation.NPC)
    (text,) = converted.texts.values()
    paths["npc"].write_text(text, encoding="utf-8")
    return paths


def measure(part: Part, path: Path, *, collect: bool) -> float:
    """CPU seconds for one part in a fresh interpreter, with the garbage collector on or off."""
    usage = run_python("-m", "bench.language", "--only", part, path, *([] if collect else ["--no-gc"]))
    return float(usage.stdout)


def report(npc: Sequence[float], yaml_on: Sequence[float], yaml_off: Sequence[float]) -> str:
    """The table of medians and the verdict, of rounds that were measured in turns."""
    row = "{:<30}{:>8}{:>20}".format
    lines = [
        row(f"median of {len(npc)}", "CPU s", "npc takes"),
        row("npc, text to policies", f"{statistics.median(npc):.3f}", ""),
    ]
    for name, samples in (("PyYAML, collector on", yaml_on), ("PyYAML, collector off", yaml_off)):
        lines.append(row(name, f"{statistics.median(samples):.3f}", f"{_ratio(npc, samples):.2f} times"))
    kept = _ratio(npc, yaml_off) <= RATIO_LIMIT
    return "\n".join([*lines, f"no slower than PyYAML: {'yes' if kept else 'NO'}"])


def _ratio(npc: Sequence[float], others: Sequence[float]) -> float:
    """The median of the rounds' own ratios."""
    return statistics.median(one / other for one, other in zip(npc, others, strict=True))


def _work(part: Part, path: Path, collect: bool) -> float:
    """CPU seconds for one part, in this process."""
    if not collect:
        gc.disable()
    start = time.process_time()
    alive: Any = WORK[part](path)
    seconds = time.process_time() - start
    del alive
    return seconds


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: write the policies, measure in rounds, print the table."""
    parser = argparse.ArgumentParser(prog="bench.language", description="Time the policy language.")
    parser.add_argument("path", type=Path, nargs="?", help="with --only: the file")
    parser.add_argument("--policies", type=int, default=DEFAULT, metavar="N", help=f"default {DEFAULT}")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--only", choices=tuple(WORK), help="one part in this process")
    parser.add_argument("--no-gc", action="store_true", help="with --only: garbage collector off")
    arguments = parser.parse_args(argv)
    if arguments.only:
        print(_work(arguments.only, arguments.path, not arguments.no_gc))
        return
    with tempfile.TemporaryDirectory(prefix="npc-bench-") as scratch:
        paths = write_policies(Path(scratch), arguments.policies)
        npc: list[float] = []
        yaml_on: list[float] = []
        yaml_off: list[float] = []
        for _ in range(arguments.rounds):
            npc.append(measure("npc", paths["npc"], collect=False))
            yaml_on.append(measure("yaml", paths["yaml"], collect=True))
            yaml_off.append(measure("yaml", paths["yaml"], collect=False))
        sizes = ", ".join(f"{path.stat().st_size / 1e6:.1f} MB {path.suffix}" for path in paths.values())
    print(f"{arguments.policies:,} policies, {sizes}")
    print(report(npc, yaml_on, yaml_off))


if __name__ == "__main__":
    try:
        main()
    except RunFailedError as failure:
        raise SystemExit(str(failure)) from None
