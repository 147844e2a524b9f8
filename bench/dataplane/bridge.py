"""What npc's flows cost a userspace Open vSwitch: first packets, and those that its caches know.

The tables are walked once for each kind of packet (an upcall), and what comes of it is a megaflow, which the
packets after it hit, of whatever connection. So three things count: the CPU time of an upcall, how many
megaflows and kinds of them (masks) there come to be, and the CPU time of a packet that hits one. The floor is
conntrack alone: what is known passes, all else is committed and passes.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.dataplane.frames import Connection
from bench.dataplane.packetcost import UnmeasurableError
from bench.dataplane.workload import Workload
from bench.loading import cpu_of, daemon_of
from npc.api import emit
from npc.backends.base import Backend, Options, find_target
from tests.dataplane.namespace import CommandError, Namespace
from tests.dataplane.ovs import NEXT, PROGRAMS, SETTINGS, Bridge, open_bridge
from tests.dataplane.topology import Host, Network, open_network

_HOSTS = (Host.of("a", "10.0.0.1"), Host.of("b", "10.0.0.2"))
_BURST = 32
_PAUSE = 0.0005
"""Seconds between bursts: a bridge takes in no more than its buffers hold."""
_QUIET_SECONDS = 30
_FLOOR = f"""\
table=0,priority=100,ip,actions=ct(table=1,zone=64000)
table=1,priority=100,ct_state=+est+trk,ip,actions=resubmit(,{NEXT})
table=1,priority=50,ip,actions=ct(commit,zone=64000),resubmit(,{NEXT})
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds of the daemon's CPU time a packet, and what the caches hold."""

    first: float
    """Of a packet that no megaflow knew."""
    hit: float
    """Of new connections, when megaflows know all their kinds."""
    established: float
    denied: float
    """Of denied packets that no megaflow knew."""
    flows: int
    megaflows: int
    masks: int
    """Kinds of megaflows after the packets that are allowed and those that are denied: each may be tried."""


def measure(
    workload: Workload | None, connections: Sequence[Connection], denied: Sequence[Connection]
) -> Costs:
    """Send packets through npc's flows for a workload, or through the floor; UnmeasurableError: not here."""
    missing = [one for one in PROGRAMS if shutil.which(one) is None]
    if os.geteuid() != 0 or missing:
        raise UnmeasurableError(f"measuring ovs needs root{''.join(f' and {one}' for one in missing)}")
    try:
        with ExitStack() as closing:
            folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="npc-bench-")))
            network = closing.enter_context(open_network(_HOSTS))
            bridge = closing.enter_context(open_bridge(network, folder))
            return _measure(network, bridge, daemon_of(folder), _flows(workload), connections, denied)
    except (OSError, CommandError) as error:
        raise UnmeasurableError(f"ovs: {error}") from error


def _flows(workload: Workload | None) -> str:
    if workload is None:
        return _FLOOR
    backend = find_target("ovs")
    assert isinstance(backend, Backend)
    return emit(workload.plan, backend, Options(settings=SETTINGS))["npc.flows"]


def _measure(
    network: Network,
    bridge: Bridge,
    daemon: int,
    flows: str,
    connections: Sequence[Connection],
    denied: Sequence[Connection],
) -> Costs:
    one, two = (bridge.ports[host.addresses[0]] for host in _HOSTS)
    deliver = f"table={NEXT},priority=65000,in_port={one},ip,actions=output:{two}\n"
    deliver += f"table={NEXT},priority=65000,in_port={two},ip,actions=output:{one}\n"
    bridge.ofctl("--bundle", "add-flows", stdin=flows + ("" if flows.endswith("\n") else "\n") + deliver)
    bridge.appctl("revalidator/purge")
    names = [host.name for host in _HOSTS]
    ends = [next(found for found in network.namespaces if found.name == name) for name in names]
    sender = _Sender(bridge, daemon, ends[0], one)
    answerer = _Sender(bridge, daemon, ends[1], two)
    opening = [connection.opening() for connection in connections]
    first = sender.cost(opening)
    bridge.appctl("dpctl/flush-conntrack")
    hit = sender.cost(opening)
    answerer.cost([connection.reply() for connection in connections])
    later = [connection.later() for connection in connections]
    sender.cost(later)
    established = sender.cost(later)
    refused = sender.cost([connection.opening() for connection in denied])
    dumped = bridge.appctl("dpctl/dump-flows", "-m").splitlines()
    masks = {_kind(line) for line in dumped}
    loaded = sum(1 for line in flows.splitlines() if "actions=" in line and not line.startswith("#"))
    return Costs(first, hit, established, refused, loaded, len(dumped), len(masks))


def _kind(megaflow: str) -> str:
    """What a megaflow compares, without the values."""
    match = megaflow.partition(" actions:")[0].partition("recirc_id")[2].partition(", packets:")[0]
    return re.sub(r"=(?!0x[0-9a-f]+/)[^/,()]+", "=", match)


@dataclass(frozen=True, slots=True)
class _Sender:
    """Sends frames from a host, and asks how much the daemon worked for them."""

    bridge: Bridge
    daemon: int
    host: Namespace
    port: int

    def cost(self, frames: Sequence[bytes]) -> float:
        """Microseconds of CPU time a frame that came in."""
        received, cpu = self._received(), cpu_of(self.daemon)
        with self.host.socket(socket.AF_PACKET, socket.SOCK_RAW) as sending:
            sending.setblocking(True)
            sending.bind(("eth0", 0))
            for number, frame in enumerate(frames, 1):
                sending.send(frame[:60])
                if number % _BURST == 0:
                    time.sleep(_PAUSE)
        arrived = self._wait(received, len(frames))
        return 1e6 * (cpu_of(self.daemon) - cpu) / arrived

    def _received(self) -> int:
        told = self.bridge.ofctl("dump-ports").replace("\n", " ")
        found = re.search(rf"port +{self.port}: rx pkts=(\d+)", told)
        if found is None:
            raise OSError(f"no counter of port {self.port}: {told[:200]}")
        return int(found[1])

    def _wait(self, before: int, sent: int) -> int:
        """How many came in, once no more do."""
        deadline = time.monotonic() + _QUIET_SECONDS
        last = -1
        while time.monotonic() < deadline:
            now = self._received() - before
            if now >= sent or (now == last and now > 0):
                break
            last = now
            time.sleep(0.2)
        if last <= 0 and self._received() - before <= 0:
            raise OSError("no packet came in")
        return self._received() - before


def report(workloads: Sequence[Workload], packets: int) -> Iterator[str]:
    """A table: the floor and npc's flows at each size, with the same packets."""
    line = "{:<20}{:>9}{:>11}{:>9}{:>13}{:>11}{:>11}{:>7}".format
    yield line("", "flows", "upcall", "hit", "established", "denied", "megaflows", "masks")
    for workload in workloads:
        allowed = workload.connections(packets, allowed=True)
        denied = workload.connections(packets, allowed=False)
        for name, one in (("floor", None), ("npc", workload)):
            found = measure(one, allowed, denied)
            times = (f"{time:.1f}" for time in (found.first, found.hit, found.established, found.denied))
            yield line(
                f"{workload.size:,} {name}", f"{found.flows:,}", *times, f"{found.megaflows:,}", found.masks
            )
