"""How long it takes to replace a ruleset that holds 100,000 addresses, and how much memory.

    python -m bench.loading [--small]

One pod accepts traffic from 100,000 others. The ruleset is loaded over itself, as when a pod comes or goes:
each load is one transaction, and nothing passes meanwhile that should not. Beside it stand the floor, the
same with one address, and what as many commands would take that each add an address, from a sample. All of
it happens in network namespaces; needs root. CPU time is that of the programs that load, the kernel's work
for them included; of Open vSwitch, that of the daemon is counted in.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from npc.api import emit
from npc.backends.base import Backend, Options, find_target
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import format_address
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import Group, Peers
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.plan import Class, Plan
from tests.dataplane.namespace import CommandError, Namespace
from tests.dataplane.ovs import SETTINGS, open_bridge
from tests.dataplane.topology import Host, open_network

FULL, SMALL = 100_000, 5_000
_FIRST = 10 << 24 | 64 << 16
_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Load:
    """What commands took, one after the other."""

    wall: float
    cpu: float
    peak_bytes: int
    """Of the largest of their processes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way to load."""

    name: str
    floor: Load
    whole: Load
    one_by_one: float
    """Seconds of wall clock that as many commands would take."""


def plan(peers: int) -> Plan:
    """One pod that accepts TCP 80 from so many others."""
    members = frozenset(range(_FIRST, _FIRST + peers))
    decision = PacketSet.of([(traffic.of(traffic.TCP, 80, 80), Peers(frozenset({Group("pods", members)})))])
    subject = Endpoint("bench", "subject", {}, (_FIRST - 1,))
    names = dict.fromkeys((*members, _FIRST - 1), "bench/pod")
    return Plan((Class(Direction.INGRESS, decision, (subject,)),), names)


def written(target: str, peers: int, folder: Path) -> Path:
    """The files of a ruleset, in a folder that is made."""
    backend = find_target(target)
    assert isinstance(backend, Backend)
    options = Options(settings=SETTINGS if target == "ovs" else {})
    folder.mkdir()
    for name, text in emit(plan(peers), backend, options).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(namespace: Namespace, commands: Sequence[Sequence[str]], folder: Path, daemon: int = 0) -> Load:
    """Run commands in a namespace, for which a daemon may work; CommandError when one fails."""
    environment = {**os.environ, "NPC_LOCK": str(folder / "lock")}
    cpu = -cpu_of(daemon)
    peak = 0
    start = time.perf_counter()
    for command in commands:
        with namespace.entered():
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        assert process.stderr is not None
        with process.stderr:
            stderr = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)  # already reaped
        if process.returncode != 0:
            raise CommandError(command, namespace.name, process.returncode, stderr)
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss * 1024)
    wall = time.perf_counter() - start
    return Load(wall, cpu + cpu_of(daemon), peak)


def cpu_of(process: int) -> float:
    """The seconds that all threads of a process have run; none of none."""
    if not process:
        return 0.0
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(one.read_text(encoding="ascii").split()[0]) for one in threads) / 1e9


def median(loads: Sequence[Load]) -> Load:
    """Of each figure; the peak is the highest."""
    return Load(
        statistics.median(one.wall for one in loads),
        statistics.median(one.cpu for one in loads),
        max(one.peak_bytes for one in loads),
    )


def measure(peers: int, rounds: int, sample: int) -> Iterator[Row]:
    """Each way to load whose programs are here."""
    with ExitStack() as closing:
        scratch = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="npc-bench-")))
        if shutil.which("nft"):
            yield _in_turns("nft -f", scratch, "nft", peers, rounds, sample, [["nft", "-f", "npc.nft"]])
        if shutil.which("ipset") and shutil.which("iptables-restore"):
            script = [["sh", "load.sh"]]
            yield _in_turns("load.sh: ipset, iptables", scratch, "iptables", peers, rounds, sample, script)
        if shutil.which("ovs-vswitchd"):
            yield _of_bridge(scratch, peers, rounds, sample)


def _in_turns(
    name: str,
    scratch: Path,
    target: str,
    peers: int,
    rounds: int,
    sample: int,
    commands: Sequence[Sequence[str]],
) -> Row:
    large = written(target, peers, scratch / target)
    small = written(target, 1, scratch / f"{target}-1")
    with ExitStack() as closing:
        full, empty = (Namespace.create(one) for one in ("full", "empty"))
        for namespace, folder in ((full, large), (empty, small)):
            closing.callback(namespace.close)
            run(namespace, commands, folder)  # what is measured replaces it
        floors, wholes = [], []
        for _ in range(rounds):
            floors.append(run(empty, commands, small))
            wholes.append(run(full, commands, large))
        name_of_set = _set_name(target, empty)
        adding = [
            ["nft", "add", "element", "inet", "npc", name_of_set, f"{{ {format_address(_FIRST + one)} }}"]
            if target == "nft"
            else ["ipset", "add", name_of_set, format_address(_FIRST + one)]
            for one in range(1, 1 + sample)
        ]
        each = run(empty, adding, small).wall / sample
    return Row(name, median(floors), median(wholes), each * peers)


def _set_name(target: str, namespace: Namespace) -> str:
    """The set of the peers, which is one of a kind."""
    if target == "nft":
        words = namespace.run(["nft", "list", "sets", "inet"]).split()
        return next(word for word in words if word.startswith("p4_"))
    return next(
        word for word in namespace.run(["ipset", "list", "-name"]).split() if word.startswith("npc-p4-")
    )


def _of_bridge(scratch: Path, peers: int, rounds: int, sample: int) -> Row:
    """Flows into a userspace bridge; first those of one peer, then all."""
    large, small = written("ovs", peers, scratch / "ovs"), written("ovs", 1, scratch / "ovs-1")
    hosts = (Host.of("a", "10.0.0.1"), Host.of("b", "10.0.0.2"))
    folder = scratch / "bridge"
    folder.mkdir()
    with open_network(hosts) as network, open_bridge(network, folder) as bridge:
        daemon = daemon_of(folder)
        socket = f"unix:{folder}/br0.mgmt"
        replace = [["ovs-ofctl", "-O", "OpenFlow15", "--bundle", "replace-flows", socket, "npc.flows"]]
        adding = [
            [
                "ovs-ofctl",
                "-O",
                "OpenFlow15",
                "add-flow",
                socket,
                f"table=99,ip,nw_src={format_address(one)},actions=drop",
            ]
            for one in range(_FIRST, _FIRST + sample)
        ]
        run(bridge.node, replace, small, daemon)
        floors = [run(bridge.node, replace, small, daemon) for _ in range(rounds)]
        each = run(bridge.node, adding, small, daemon).wall / sample
        run(bridge.node, replace, large, daemon)
        wholes = [run(bridge.node, replace, large, daemon) for _ in range(rounds)]
    return Row("ovs-ofctl --bundle", median(floors), median(wholes), each * peers)


def daemon_of(folder: Path) -> int:
    """The process of the bridge whose files are in a folder."""
    control = f"--unixctl={folder}/vswitchd.ctl".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if control in path.read_bytes().split(b"\0"):
                return int(path.parent.name)
        except OSError:
            continue  # ended meanwhile
    raise OSError("the bridge's daemon does not run")


def report(rows: Sequence[Row], peers: int) -> Iterator[str]:
    """The table."""
    line = "{:<26}{:>9}{:>9}{:>9}{:>12}{:>15}".format
    yield f"replace a ruleset of {peers:,} addresses"
    yield line("", "wall s", "CPU s", "peak MB", "floor s", "one by one s")
    for row in rows:
        whole = row.whole
        figures = f"{whole.wall:.2f}", f"{whole.cpu:.2f}", f"{whole.peak_bytes / 1e6:.0f}"
        yield line(row.name, *figures, f"{row.floor.wall:.3f}", f"{row.one_by_one:,.0f}")
        yield f"  {row.one_by_one / whole.wall:,.0f} times as fast as one by one"


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: load in rounds, print the table."""
    parser = argparse.ArgumentParser(prog="bench.loading", description="How long loading a ruleset takes.")
    parser.add_argument("--small", action="store_true", help=f"{SMALL:,} addresses")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    arguments = parser.parse_args(argv)
    if os.geteuid() != 0:
        print("loading was not measured: needs root, to make network namespaces")
        return
    peers, sample = (SMALL, 50) if arguments.small else (FULL, 200)
    try:
        rows = list(measure(peers, arguments.rounds, sample))
    except (OSError, CommandError) as error:
        print(f"loading was not measured: {error}")
        return
    for line in report(rows, peers):
        print(line)


if __name__ == "__main__":
    main()
