"""Drive packetcost.c: routers in namespaces of their own, measured in turns, in nanoseconds a packet."""

from __future__ import annotations

import math
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench.dataplane.frames import IN_MAC, OUT_MAC, RECORD, Connection
from tests.dataplane.namespace import CommandError, Namespace

_SECONDS = 900
_SOURCE = Path(__file__).with_name("packetcost.c")
_NORMAL = 1.4826
"""Standard deviations in a median absolute deviation, of a normal distribution."""

_ROUTER = f"""link add in0 type veth peer name in0p
link add out0 type veth peer name out0p
link set in0 address {IN_MAC.hex(":")}
link set out0 address {OUT_MAC.hex(":")}
link set lo up
link set in0 up
link set in0p up
link set out0 up
link set out0p up
addr add 100.64.0.1/30 dev in0
addr add 100.64.1.1/30 dev out0
neigh add 100.64.1.2 lladdr 02:00:00:00:00:bb dev out0 nud permanent
route add default via 100.64.1.2 dev out0
"""


class UnmeasurableError(Exception):
    """Something that a measurement needs is not here; the message says what."""


class Mode(StrEnum):
    """Which packets are counted: the first of connections, or those of connections that are known."""

    NEW = "new"
    ESTABLISHED = "established"


@dataclass(frozen=True, slots=True)
class Router:
    """A namespace that forwards what comes in."""

    namespace: Namespace

    @staticmethod
    def open(name: str, closing: ExitStack) -> Router:
        """One without rules; it ends with `closing`. UnmeasurableError where that cannot be done."""
        try:
            namespace = Namespace.create(name)
            closing.callback(namespace.close)
            namespace.run(["ip", "-batch", "-"], _ROUTER)
            quiet = {
                f"ipv4/conf/{one}/{what}": 0
                for one in ("all", "in0", "out0")
                for what in ("rp_filter", "send_redirects")
            }
            namespace.set_sysctls({"ipv4/ip_forward": 1, "ipv6/conf/all/disable_ipv6": 1, **quiet})
        except (OSError, CommandError) as error:
            raise UnmeasurableError(f"no network namespaces here: {error}") from error
        return Router(namespace)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is measured: a router with its rules, and the packets that it gets."""

    router: Router
    connections: Sequence[Connection]
    """A power of two of them."""
    packets: int
    """In a round."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a packet took, as the median of the rounds."""

    nanoseconds: float
    error: float
    """The standard error of the median, without what the machine did to a whole round."""
    forwarded: float
    """The share of the packets that came out."""


class Meter:
    """The measuring program, built in a folder."""

    def __init__(self, folder: Path) -> None:
        """Raise UnmeasurableError where it cannot be built, or not be run."""
        if os.geteuid() != 0:
            raise UnmeasurableError("measuring packets needs root, to make network namespaces")
        missing = [name for name in ("gcc", "ip") if shutil.which(name) is None]
        if missing:
            raise UnmeasurableError(f"measuring packets needs {' and '.join(missing)}")
        self._folder = folder
        self._program = folder / "packetcost"
        _run(["gcc", "-O2", "-w", "-o", self._program, _SOURCE])
        self._files: dict[int, tuple[Path, Path, Path]] = {}
        self._kept: list[Sequence[Connection]] = []

    def measure(self, mode: Mode, entries: Mapping[str, Entry], rounds: int) -> dict[str, Cost]:
        """The cost of a packet in each entry, by its name."""
        cpu = max(os.sched_getaffinity(0))
        words = [
            ",".join([one.router.namespace.path, str(one.packets), *self._written(mode, one.connections)])
            for one in entries.values()
        ]
        output = _run([self._program, mode.value, str(rounds), str(cpu), *words])
        samples = [list(map(float, line.split())) for line in output.splitlines()]
        return dict(zip(entries, costs(samples), strict=True))

    def _written(self, mode: Mode, connections: Sequence[Connection]) -> Iterable[str]:
        """The files of their frames: opening, reply and later; `-` for those that are not sent."""
        if id(connections) not in self._files:
            self._kept.append(connections)  # an identity stays its own while the object lives
            number = len(self._files)
            paths = tuple(self._folder / f"{number}.{part}" for part in ("opening", "reply", "later"))
            for path, frame in zip(
                paths, (Connection.opening, Connection.reply, Connection.later), strict=True
            ):
                path.write_bytes(b"".join(map(frame, connections)))
                assert path.stat().st_size == RECORD * len(connections)
            self._files[id(connections)] = paths[0], paths[1], paths[2]
        opening, *others = map(str, self._files[id(connections)])
        return (opening, *(others if mode is Mode.ESTABLISHED else ("-", "-")))


def costs(samples: Sequence[Sequence[float]]) -> Iterable[Cost]:
    """Of lines with the share that was forwarded and the rounds' nanoseconds a packet.

    What the machine did to a round it did to all entries in it: each is compared with the round's own mean.
    """
    rounds = [[math.log(line[number]) for line in samples] for number in range(1, len(samples[0]))]
    means = [statistics.fmean(one) for one in rounds]
    usual = statistics.median(means)
    for forwarded, *taken in samples:
        apart = [math.log(one) - mean for one, mean in zip(taken, means, strict=True)]
        middle = statistics.median(apart)
        spread = _NORMAL * statistics.median(abs(one - middle) for one in apart)
        nanoseconds = math.exp(middle + usual)
        yield Cost(nanoseconds, nanoseconds * 1.2533 * spread / math.sqrt(len(taken)), forwarded)


def _run(argv: Sequence[str | Path]) -> str:
    try:
        done = subprocess.run(
            list(map(str, argv)), capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnmeasurableError(f"{argv[0]} did not end within {_SECONDS} seconds") from error
    if done.returncode != 0:
        raise UnmeasurableError(f"{argv[0]}: {done.stderr.strip() or done.returncode}")
    return done.stdout
