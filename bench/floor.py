"""The parse floor: what any compiler of these files must spend before it can decide anything.

    python -m bench.floor DIR [--rounds 5]

The floor is the sum of two parts, each timed (in CPU seconds, which other work on the machine disturbs less)
inside a fresh interpreter, from the file on disk to Python objects that are all alive at the end, with the
garbage collector as Python has it (on):

- the policies through PyYAML's C loader (`CSafeLoader`), to plain dicts;
- the inventory through msgspec's typed decoding, in one pass, to structs with only the fields that a
  policy compiler reads. Every kind of object shares one struct: faster than looking at the kind first.

Both with the collector off, and PyYAML's bare event stream, are there for comparison. Interpreter start-up
and imports are not part of the floor.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from bench.process import run_python

Part = Literal["policies", "inventory", "events"]


class Port(msgspec.Struct):
    """A container port."""

    containerPort: int
    name: str | None = None
    protocol: str = "TCP"


class Container(msgspec.Struct):
    """A container; `restartPolicy` tells a restartable init container."""

    ports: list[Port] = []
    restartPolicy: str | None = None


class Spec(msgspec.Struct):
    """The parts of a Pod's spec; an object of another kind has none of them."""

    nodeName: str | None = None
    hostNetwork: bool = False
    containers: list[Container] = []
    initContainers: list[Container] = []


class PodIP(msgspec.Struct):
    """One of a pod's addresses."""

    ip: str


class Status(msgspec.Struct):
    """The parts of a Pod's status."""

    phase: str | None = None
    podIP: str | None = None
    podIPs: list[PodIP] = []


class Metadata(msgspec.Struct):
    """What selectors look at."""

    name: str
    namespace: str | None = None
    labels: dict[str, str] = {}


class Object(msgspec.Struct):
    """An object of any kind."""

    kind: str
    metadata: Metadata
    spec: Spec | None = None
    status: Status | None = None


class ObjectList(msgspec.Struct):
    """A `v1 List`."""

    items: list[Object]


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: CPU seconds for the part, and the peak resident bytes of the process that did it."""

    seconds: float
    peak_bytes: int


def load_policies(path: Path) -> object:
    """Every document of the file, as PyYAML constructs it."""
    with path.open(encoding="utf-8") as file:
        return list(yaml.load_all(file, Loader=yaml.CSafeLoader))


def decode_inventory(path: Path) -> object:
    """Every object of the list, as structs."""
    return msgspec.json.decode(path.read_bytes(), type=ObjectList)


def parse_events(path: Path) -> object:
    """The number of events of PyYAML's C parser; no object outlives its event."""
    with path.open(encoding="utf-8") as file:
        return sum(1 for _ in yaml.parse(file, Loader=yaml.CSafeLoader))


WORK: Mapping[Part, Callable[[Path], object]] = {
    "policies": load_policies,
    "inventory": decode_inventory,
    "events": parse_events,
}


def measure(part: Part, path: Path, *, collect: bool = True) -> Sample:
    """Do one part on its file in a fresh interpreter, with the garbage collector on or off."""
    usage = run_python("-m", "bench.floor", path, "--only", part, *([] if collect else ["--no-gc"]))
    return Sample(float(usage.stdout), usage.peak_bytes)


def measure_floor(policies: Path, inventory: Path, *, collect: bool = True) -> Sample:
    """The floor, once: the sum of both parts' seconds, the larger of their peaks."""
    parts = (measure("policies", policies, collect=collect), measure("inventory", inventory, collect=collect))
    return Sample(sum(part.seconds for part in parts), max(part.peak_bytes for part in parts))


def median(samples: list[Sample]) -> Sample:
    """The median of each figure by itself."""
    return Sample(
        statistics.median(sample.seconds for sample in samples),
        int(statistics.median(sample.peak_bytes for sample in samples)),
    )


def _work(part: Part, path: Path, collect: bool) -> float:
    """CPU seconds for one part, in this process."""
    if not collect:
        gc.disable()
    start = time.process_time()
    alive: Any = WORK[part](path)
    seconds = time.process_time() - start
    del alive
    return seconds


def main() -> None:
    """The command line: a table of medians."""
    parser = argparse.ArgumentParser(prog="bench.floor", description="Measure the parse floor.")
    parser.add_argument("path", type=Path, metavar="DIR", help="what bench.generate wrote")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--only", choices=tuple(WORK), help="one part in this process; DIR is then its file")
    parser.add_argument("--no-gc", action="store_true", help="with --only: garbage collector off")
    arguments = parser.parse_args()
    if arguments.only:
        print(_work(arguments.only, arguments.path, not arguments.no_gc))
        return
    files = {
        "policies": arguments.path / "policies.yaml",
        "inventory": arguments.path / "inventory.json",
        "events": arguments.path / "policies.yaml",
    }
    cases: list[tuple[Part, bool]] = [
        (part, collect) for part in ("policies", "inventory", "events") for collect in (True, False)
    ]
    samples: dict[tuple[Part, bool], list[Sample]] = {case: [] for case in cases}
    for _ in range(arguments.rounds):
        for part, collect in cases:
            samples[part, collect].append(measure(part, files[part], collect=collect))
    medians = {case: median(taken) for case, taken in samples.items()}
    print(f"{'part':<12}{'gc':<6}{'seconds':>9}{'peak MB':>9}    median of {arguments.rounds}")
    for (part, collect), sample in medians.items():
        print(
            f"{part:<12}{'on' if collect else 'off':<6}{sample.seconds:>9.3f}{sample.peak_bytes / 1e6:>9.0f}"
        )
    for collect in (True, False):
        seconds = medians["policies", collect].seconds + medians["inventory", collect].seconds
        print(f"{'floor':<12}{'on' if collect else 'off':<6}{seconds:>9.3f}")


if __name__ == "__main__":
    main()
