"""A userspace Open vSwitch bridge in place of a network's node: what hosts send passes npc's flows.

The database, the sockets and the logs are in a folder of the test's; the daemons run in the node's namespace
and end with the block. Packets that pass go on to table `NEXT`, which knows where each address is: so npc's
tables are one step of a pipeline that is not theirs.
"""

from __future__ import annotations

import array
import fcntl
import json
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.dataplane.namespace import Namespace
from tests.dataplane.topology import Address, Network
from tests.reference.evaluator import Packet

NEXT = 20
"""The table that delivers packets."""
SETTINGS: Mapping[str, str] = {"next": str(NEXT)}
"""What `--set` has to say, so that packets go on to it."""
PROGRAMS = ("ovs-vswitchd", "ovsdb-server", "ovsdb-tool", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")

_BRIDGE = "br0"
_SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
_SECONDS = 30
_SIOCETHTOOL, _ETHTOOL_STXCSUM = 0x8946, 0x17  # linux/sockios.h, linux/ethtool.h
_FLOW_WORDS = {
    (4, 1): "icmp",
    (4, 6): "tcp",
    (4, 17): "udp",
    (4, 132): "sctp",
    (6, 58): "icmp6",
    (6, 6): "tcp6",
    (6, 17): "udp6",
    (6, 132): "sctp6",
}
_PORT_FIELDS = {6: "tcp_dst", 17: "udp_dst", 132: "sctp_dst"}


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge that runs, with a port for each host."""

    node: Namespace
    folder: Path
    ports: Mapping[Address, int]
    """The OpenFlow port behind which an address is."""

    def load(self, flows: str, version: str = "OpenFlow15", cookie: str = "0x6e7063") -> None:
        """Replace npc's flows beside others', as the head of the file says. CommandError when OVS refuses."""
        self.ofctl("--bundle", "add-flows", stdin=f"delete cookie={cookie}/-1\n{flows}", version=version)
        self.appctl("revalidator/purge")  # else what the datapath remembers stays until it is looked at again

    def ofctl(self, *words: str, stdin: str = "", version: str = "OpenFlow15") -> str:
        """Run a command of ovs-ofctl that takes the bridge, and a file that is standard input."""
        socket_path = f"unix:{self.folder}/{_BRIDGE}.mgmt"
        return self.node.run(
            ["ovs-ofctl", "-O", version, *words, socket_path, *(["-"] if stdin else [])], stdin
        )

    def flows(self) -> list[str]:
        """What the bridge holds, without counters, sorted."""
        lines = self.ofctl("--no-stats", "dump-flows").splitlines()
        return sorted(line.strip() for line in lines if "actions=" in line)

    def traced(self, packet: Packet, states: str = "trk,new", in_port: int | None = None) -> bool:
        """Whether the tables let a packet pass, of which conntrack says `states` (ofproto/trace)."""
        port = in_port or self.ports.get(packet.source, 1)
        words = [_BRIDGE, f"in_port={port},{_flow_text(packet)}", "--ct-next", states]
        told = self.appctl("ofproto/trace", *words)
        actions = [line for line in told.splitlines() if line.startswith("Datapath actions: ")]
        return bool(actions) and actions[-1] != "Datapath actions: drop"

    def appctl(self, *words: str) -> str:
        """Run a command of ovs-appctl for the switch."""
        return _asked(self.folder / "vswitchd.ctl", words[0], words[1:])


def _asked(path: Path, method: str, words: Sequence[str]) -> str:
    """Ask a daemon as ovs-appctl does (ovs-appctl(8): JSON-RPC), without a process for each question."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(_SECONDS)
        asking.connect(str(path))
        asking.sendall(json.dumps({"id": 0, "method": method, "params": list(words)}).encode())
        received = b""
        while True:
            received += asking.recv(1 << 16)
            try:
                answer = json.loads(received)
            except json.JSONDecodeError:
                continue
            break
    if answer["error"] is not None:
        raise OSError(f"{method} {' '.join(words)}: {answer['error']}")
    return str(answer["result"])


@contextmanager
def open_bridge(network: Network, folder: Path) -> Iterator[Bridge]:
    """Put a bridge where the network's node was: the node itself forwards nothing meanwhile."""
    ends = _ends(network)
    addresses = {address: index for index, end in enumerate(ends, 1) for address in end.addresses}
    with ExitStack() as closing:
        network.node.set_sysctls({"ipv4/ip_forward": 0, "ipv6/conf/all/forwarding": 0})
        closing.callback(network.node.set_sysctls, {"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1})
        for namespace in network.namespaces:
            if namespace != network.node:
                _turn_off_offload(namespace, "eth0")
        _start(network.node, folder, closing)
        words = [
            "add-br",
            _BRIDGE,
            "--",
            "set",
            "bridge",
            _BRIDGE,
            "datapath_type=netdev",
            "fail_mode=secure",
        ]
        for index, end in enumerate(ends, 1):
            words += ["--", "add-port", _BRIDGE, end.device]
            words += ["--", "set", "interface", end.device, f"ofport_request={index}"]
        _vsctl(network.node, folder, *words)
        bridge = Bridge(network.node, folder, addresses)
        bridge.ofctl("add-flows", stdin="".join(_deliveries(ends)))
        yield bridge


@dataclass(frozen=True, slots=True)
class _End:
    """The node's end of a host's pair, the host's MAC address, and its IP addresses."""

    device: str
    mac: str
    addresses: tuple[Address, ...]


def _ends(network: Network) -> list[_End]:
    """The hosts as the node's routes and neighbours tell them."""
    devices: dict[str, list[Address]] = {}
    macs: dict[str, str] = {}
    for version in (4, 6):
        routes = json.loads(network.node.run(["ip", "-json", f"-{version}", "route", "show"]))
        texts = {route["dst"]: route["dev"] for route in routes if "gateway" in route or "via" in route}
        for address in network.owners:
            if address.version == version and str(address) in texts:
                devices.setdefault(texts[str(address)], []).append(address)
        for neighbour in json.loads(network.node.run(["ip", "-json", f"-{version}", "neigh", "show"])):
            macs[neighbour["dev"]] = neighbour["lladdr"]
    return [_End(device, macs[device], tuple(devices[device])) for device in sorted(devices)]


def _deliveries(ends: Sequence[_End]) -> Iterator[str]:
    """Flows of the table that packets go on to."""
    for port, end in enumerate(ends, 1):
        for address in end.addresses:
            match = f"ip,nw_dst={address}" if address.version == 4 else f"ipv6,ipv6_dst={address}"
            yield f"table={NEXT},{match},actions=set_field:{end.mac}->eth_dst,output:{port}\n"


def _start(node: Namespace, folder: Path, closing: ExitStack) -> None:
    """Start the database and the switch; both end with `closing`, the switch first."""
    database, control = folder / "db.sock", folder / "vswitchd.ctl"
    environment = {"OVS_RUNDIR": str(folder), "OVS_DBDIR": str(folder), "OVS_LOGDIR": str(folder)}
    node.run(["ovsdb-tool", "create", str(folder / "conf.db"), str(_SCHEMA)])
    server = [
        "ovsdb-server",
        f"--remote=punix:{database}",
        f"--unixctl={folder}/db.ctl",
        str(folder / "conf.db"),
    ]
    _daemon(node, server, folder, environment, closing)
    _wait_for(database)
    _vsctl(node, folder, "--no-wait", "init")
    switch = ["ovs-vswitchd", f"--unixctl={control}", f"unix:{database}"]
    _daemon(node, switch, folder, environment, closing)
    _wait_for(control)


def _daemon(
    node: Namespace, argv: Sequence[str], folder: Path, environment: Mapping[str, str], closing: ExitStack
) -> None:
    with (folder / f"{argv[0]}.log").open("wb") as log, node.entered():
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment}
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ)
    closing.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _vsctl(node: Namespace, folder: Path, *words: str) -> None:
    node.run(["ovs-vsctl", f"--db=unix:{folder}/db.sock", f"--timeout={_SECONDS}", *words])


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise OSError(f"{path.name} is not there after {_SECONDS} seconds")
        time.sleep(0.005)


def _turn_off_offload(namespace: Namespace, device: str) -> None:
    """Have the kernel write checksums: the userspace conntrack takes packets without for invalid ones."""
    command = array.array("B", struct.pack("II", _ETHTOOL_STXCSUM, 0))
    request = struct.pack("16sP8x", device.encode(), command.buffer_info()[0])
    with namespace.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCETHTOOL, request)


def _flow_text(packet: Packet) -> str:
    """A packet as ofproto/trace takes it."""
    version, protocol = packet.source.version, packet.protocol
    base = "ip" if version == 4 else "ipv6"
    word = _FLOW_WORDS.get((version, protocol), f"{base},nw_proto={protocol}")
    ends = f"nw_src={packet.source},nw_dst={packet.destination}"
    if version == 6:
        ends = f"ipv6_src={packet.source},ipv6_dst={packet.destination}"
    words = [word, ends]
    if protocol in _PORT_FIELDS:
        words.append(f"{_PORT_FIELDS[protocol]}={packet.port}")
    elif word in ("icmp", "icmp6"):
        prefix = "icmp" if word == "icmp" else "icmpv6"
        words.append(f"{prefix}_type={packet.port >> 8},{prefix}_code={packet.port & 255}")
    return ",".join(words)
