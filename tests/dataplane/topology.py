"""Pods as network namespaces around one node, as plain as routing gets.

    host a ── eth0 ═ pod0 ──┐
    host b ── eth0 ═ pod1 ── node (forwards; its own addresses on lo)
    world ─── eth0 ═ pod2 ──┘      ═ is a veth pair

Every address is a /32 or /128. Either end of a pair reaches the other through a gateway that nobody owns
(169.254.1.1 and fe80::1 the node, 169.254.1.2 and fe80::2 the host) and whose MAC address a permanent
neighbour entry tells. So there is no ARP and no neighbour discovery that a ruleset could break, and any
unicast address works, except IPv6 link-local. Addresses are usable at once, without duplicate address
detection. Two addresses of one host (`world` has many) reach each other inside it: the node never sees
those packets.
"""

from __future__ import annotations

import fcntl
import itertools
import socket
import struct
import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol

from tests.dataplane.namespace import Namespace

Address = IPv4Address | IPv6Address

NODE_ADDRESSES: tuple[Address, ...] = (IPv4Address("100.64.0.1"), IPv6Address("fd64::1"))
"""The node's own addresses where the test does not say: not in the ranges that inventories use."""

_NODE_GATEWAYS = {4: "169.254.1.1", 6: "fe80::1"}
_HOST_GATEWAYS = {4: "169.254.1.2", 6: "fe80::2"}
_NODAD = {4: "", 6: "nodad"}

_NODE_SYSCTLS = {
    "ipv4/ip_forward": 1,
    "ipv6/conf/all/forwarding": 1,
}
_SYSCTLS = {
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "ipv6/conf/all/disable_ipv6": 0,
    "ipv6/conf/default/disable_ipv6": 0,
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/default/accept_ra": 0,
    "ipv6/conf/default/addr_gen_mode": 1,  # no link-local address: fe80::1 and fe80::2 stay nobody's
}
_CARRIER_SECONDS = 5.0
_SIOCGIFFLAGS = 0x8913  # linux/sockios.h
_IFF_RUNNING = 0x40  # linux/if.h


@dataclass(frozen=True, slots=True)
class Host:
    """A pod, or anything else behind the node, with all its addresses."""

    name: str
    addresses: tuple[Address, ...]

    @classmethod
    def of(cls, name: str, *addresses: str) -> Host:
        """Make a host from addresses as text.

        >>> Host.of("x/a", "10.0.0.1", "fd00::1").addresses
        (IPv4Address('10.0.0.1'), IPv6Address('fd00::1'))
        """
        return cls(name, tuple(map(ip_address, addresses)))


@dataclass(frozen=True, slots=True)
class Network:
    """A node and the hosts behind it, up and running: rulesets are loaded into `node` one after the other."""

    node: Namespace
    owners: Mapping[Address, Namespace]
    """Who has an address: the node, a host, or `world`."""
    ports: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(20_000, 65_536)))

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        """The node's, then each host's."""
        return tuple(dict.fromkeys((self.node, *self.owners.values())))

    def fresh_port(self, taken: Container[int]) -> int:
        """Give a port that is not in `taken`, and that this method did not give in its last 45,000 calls.

        A run sends all its probes from one such port, so that none can pass for part of a connection of an
        earlier run. Conntrack forgets connections like ours, closed or unanswered, after two minutes at the
        latest.
        """
        return next(port for port in self.ports if port not in taken)


@contextmanager
def open_network(
    hosts: Iterable[Host],
    external: Iterable[Address] = (),
    node_addresses: Iterable[Address] = NODE_ADDRESSES,
) -> Iterator[Network]:
    """Build a network of these hosts and, where there are external addresses, a host `world` that owns them.

    All of it is gone after the block, and after a failure within. Two owners for one address: ValueError.
    """
    router = Host("node", tuple(node_addresses))
    outside = tuple(external)
    leaves = (*hosts, Host("world", outside)) if outside else tuple(hosts)
    _refuse_shared_addresses((router, *leaves))
    with ExitStack() as closing:
        node, *namespaces = (_namespace(host.name, closing) for host in (router, *leaves))
        node.set_sysctls(_NODE_SYSCTLS)
        node.run(["ip", "-batch", "-"], _node_commands(router, leaves, namespaces))
        for index, (host, namespace) in enumerate(zip(leaves, namespaces, strict=True)):
            namespace.run(["ip", "-batch", "-"], _host_commands(index, host))
        _wait_for_carriers(node, [_device(index) for index in range(len(leaves))])
        pairs = zip((router, *leaves), (node, *namespaces), strict=True)
        yield Network(node, {address: namespace for host, namespace in pairs for address in host.addresses})


class NetworkFor(Protocol):
    """Takes what `open_network` takes and gives a Network that is up."""

    def __call__(
        self,
        hosts: Iterable[Host],
        external: Iterable[Address] = (),
        node_addresses: Iterable[Address] = NODE_ADDRESSES,
    ) -> Network: ...


@contextmanager
def network_cache(kept: int) -> Iterator[NetworkFor]:
    """Give a function that opens a network, or hands out again the one it opened for equal arguments.

    Up to `kept` networks stand at a time; the one used longest ago goes first, and all are gone after the
    block. A network handed out again still has the ruleset that was loaded last.
    """
    standing: dict[object, tuple[Network, ExitStack]] = {}

    def network_for(
        hosts: Iterable[Host],
        external: Iterable[Address] = (),
        node_addresses: Iterable[Address] = NODE_ADDRESSES,
    ) -> Network:
        asked = frozenset(hosts), frozenset(external), frozenset(node_addresses)
        if asked in standing:
            standing[asked] = standing.pop(asked)  # last in the order of eviction
        else:
            if len(standing) >= kept:
                close(next(iter(standing)))
            closing = ExitStack()
            standing[asked] = closing.enter_context(open_network(*asked)), closing
        return standing[asked][0]

    def close(asked: object) -> None:
        _, closing = standing.pop(asked)
        closing.close()

    try:
        yield network_for
    finally:
        for asked in tuple(standing):
            close(asked)


def _namespace(name: str, closing: ExitStack) -> Namespace:
    namespace = Namespace.create(name)
    closing.callback(namespace.close)
    namespace.set_sysctls(_SYSCTLS)
    return namespace


def _node_commands(node: Host, hosts: Sequence[Host], namespaces: Sequence[Namespace]) -> str:
    """What `ip -batch` makes of the node: its addresses, and to each host a link, a gateway and routes."""
    lines = ["link set lo up", *(f"address add {_single(address)} dev lo" for address in node.addresses)]
    for index, (host, namespace) in enumerate(zip(hosts, namespaces, strict=True)):
        device = _device(index)
        lines += [
            f"link add {device} address {_mac(0, index)} type veth"
            f" peer name eth0 address {_mac(1, index)} netns {namespace.path}",
            f"link set {device} up",
            *_neighbours(_HOST_GATEWAYS, _mac(1, index), device),
            *(
                f"route add {_single(address)} via {_HOST_GATEWAYS[address.version]} dev {device} onlink"
                for address in host.addresses
            ),
        ]
    return "\n".join(lines)


def _host_commands(index: int, host: Host) -> str:
    """What `ip -batch` makes of a host: its addresses on eth0, and everything else through the node."""
    return "\n".join(
        [
            "link set lo up",
            "link set eth0 up",
            *(f"address add {_single(a)} dev eth0 {_NODAD[a.version]}" for a in host.addresses),
            *_neighbours(_NODE_GATEWAYS, _mac(0, index), "eth0"),
            *(f"route add default via {gateway} dev eth0 onlink" for gateway in _NODE_GATEWAYS.values()),
        ]
    )


def _neighbours(gateways: Mapping[int, str], mac: str, device: str) -> Iterator[str]:
    for gateway in gateways.values():
        yield f"neighbour add {gateway} lladdr {mac} dev {device} nud permanent"


def _device(index: int) -> str:
    """The node's end of a host's pair."""
    return f"pod{index}"


def _mac(end: int, index: int) -> str:
    """A locally administered MAC address (IEEE 802, bit 1 of the first octet)."""
    return f"02:00:{end:02x}:00:{index >> 8:02x}:{index & 255:02x}"


def _single(address: Address) -> str:
    return f"{address}/{address.max_prefixlen}"


def _refuse_shared_addresses(hosts: Iterable[Host]) -> None:
    owners: dict[Address, str] = {}
    for host in hosts:
        for address in host.addresses:
            if address in owners:
                raise ValueError(f"{address} belongs to {owners[address]} and to {host.name}")
            owners[address] = host.name


def _wait_for_carriers(node: Namespace, devices: Iterable[str]) -> None:
    """Wait until the node's ends can send: they came up first, and drop packets until they see a carrier."""
    deadline = time.monotonic() + _CARRIER_SECONDS
    with node.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for device in devices:
            while not _is_running(control, device):
                if time.monotonic() > deadline:
                    raise OSError(f"{device} has no carrier after {_CARRIER_SECONDS} seconds")
                time.sleep(0.001)


def _is_running(control: socket.socket, device: str) -> bool:
    """Whether a device has its carrier (netdevice(7), SIOCGIFFLAGS)."""
    request = struct.pack("16sH14x", device.encode(), 0)
    _, flags = struct.unpack("16sH14x", fcntl.ioctl(control, _SIOCGIFFLAGS, request))
    return bool(flags & _IFF_RUNNING)
