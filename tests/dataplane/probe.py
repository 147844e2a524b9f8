"""Real packets between the hosts of a network: who reaches whom.

All probes of a run are in flight at once, from one thread: each socket is made inside its host's namespace,
and one selector watches them all. What proves that a probe arrived:

    tcp   the connection is established
    udp   a datagram with the probe's nonce comes back from an echo service
    icmp  a reply comes to the echo request with the nonce
    sctp  an INIT chunk with the nonce reaches a raw socket at the destination: many kernels have no SCTP

A probe without proof is denied, whether its packets were dropped or rejected.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Literal

from tests.dataplane.packets import echo_request, read_echo_reply, read_sctp_init, sctp_init
from tests.dataplane.topology import Address, Network

Protocol = Literal["tcp", "udp", "sctp", "icmp"]

PATIENCE = 5.0
"""Seconds that an expected answer may take: the machine may be busy, TCP repeats a lost SYN after one."""

GRACE = 0.25
"""Seconds in which an unexpected answer may come, after the last expected one."""

_FIRST_REPEAT = 0.1
"""Seconds until udp, icmp and sctp probes without an answer are sent again; the pause doubles each time."""

_SLICE = 128
"""Packets to send before answers are read, so that no receive buffer overflows."""

_BACKLOG = 4096
_LARGEST = 2048  # bytes of an answer: ICMP errors quote up to 1,280
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_ICMP = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
_SCTP = 132
_REFUSALS = {
    errno.EPERM,  # dropped in the sender's own output hook
    errno.EACCES,  # ICMPv6: administratively prohibited
    errno.ECONNREFUSED,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One question: does this first packet pass? `icmp` is an echo request, ICMPv6 between IPv6 addresses."""

    source: Address
    destination: Address
    protocol: Protocol
    port: int = 0
    """The destination port; 0 for icmp, and only there."""
    behind: Address | None = None
    """Who answers, where the destination is a Service's address that the node translates."""

    @property
    def answering(self) -> Address:
        """The address that the service listens at."""
        return self.destination if self.behind is None else self.behind

    def __post_init__(self) -> None:
        if self.source.version != self.destination.version:
            raise ValueError(f"{self.source} and {self.destination} are of two families")
        if (self.port == 0) != (self.protocol == "icmp"):
            raise ValueError(f"{self.protocol} to port {self.port}")


def matrix(addresses: Iterable[Address], services: Iterable[tuple[Protocol, int]]) -> list[Probe]:
    """Make the probes from each address to each of its family, itself included, for each (protocol, port)."""
    ends, asked = tuple(addresses), tuple(services)
    return [
        Probe(source, destination, protocol, port)
        for protocol, port in asked
        for source in ends
        for destination in ends
        if source.version == destination.version
    ]


def run(
    network: Network, expected: Mapping[Probe, bool], patience: float = PATIENCE, grace: float = GRACE
) -> dict[Probe, bool]:
    """Send all these probes and say which arrived: `expected` itself when the ruleset does what it should.

    What is expected decides only how long to wait: until all that should arrive did, `patience` seconds at
    most, and then, where something should not arrive, `grace` seconds more. KeyError: an address that no
    one has.
    """
    observed: dict[Probe, bool] = {}
    for batch in _batches(expected, _spare_descriptors()):
        with ExitStack() as closing:
            flight = _Flight(network, batch, closing)
            flight.wait({probe for probe in batch if expected[probe]}, patience, grace)
            observed |= {probe: probe in flight.arrived for probe in batch}
    return observed


def differences(
    network: Network, expected: Mapping[Probe, bool], observed: Mapping[Probe, bool]
) -> list[str]:
    """Name each probe that went otherwise than expected, a line each; none when all is as it should be."""
    words = {True: "allowed", False: "denied"}
    return [
        f"{_named(network, probe.source)} -> {_named(network, probe.answering)}"
        f" {probe.protocol}/{probe.port}: expected {words[wanted]}, was {words[observed[probe]]}"
        for probe, wanted in expected.items()
        if observed[probe] != wanted
    ]


def _named(network: Network, address: Address) -> str:
    return f"{network.owners[address].name} ({address})"


@dataclass(frozen=True, slots=True)
class _End:
    """What a socket is for; probes with an equal end share the socket."""

    role: Literal["connect", "listen", "ask", "echo", "sctp", "icmp"]
    address: Address
    port: int = 0
    """The port that a service has; 0 for the run's own source port."""
    peer: tuple[Address, int] | None = None
    """For connect, which no two probes share."""


def _ends(probe: Probe) -> tuple[_End, ...]:
    """The sockets that a probe needs, the one that sends it first."""
    source, answering, port = probe.source, probe.answering, probe.port
    match probe.protocol:
        case "tcp":
            return _End("connect", source, peer=(probe.destination, port)), _End("listen", answering, port)
        case "udp":
            return _End("ask", source), _End("echo", answering, port)
        case "sctp":
            return _End("sctp", source), _End("sctp", answering)
        case "icmp":
            return (_End("icmp", source),)


def _batches(probes: Iterable[Probe], limit: int) -> Iterator[list[Probe]]:
    """Split the probes, in order, where the sockets of a batch would be more than `limit`."""
    batch: list[Probe] = []
    ends: set[_End] = set()
    for probe in probes:
        if batch and len(ends) + len(set(_ends(probe)) - ends) > limit:
            yield batch
            batch, ends = [], set()
        batch.append(probe)
        ends.update(_ends(probe))
    if batch:
        yield batch


def _spare_descriptors() -> int:
    """How many sockets this process may open, with some left for what else it does."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft - sum(1 for _ in Path("/proc/self/fd").iterdir()) - 32


class _Flight:
    """Probes under way: their sockets, and who has arrived."""

    def __init__(self, network: Network, probes: list[Probe], closing: ExitStack) -> None:
        self.pending = dict.fromkeys(probes)
        """Neither known to have arrived nor known to be refused."""
        self.arrived: set[Probe] = set()
        self._network = network
        self._closing = closing
        self._port = network.fresh_port(taken={probe.port for probe in probes})
        self._probes = dict(zip(random.sample(range(1, 1 << 32), len(probes)), probes, strict=True))
        self._nonces = {probe: nonce for nonce, probe in self._probes.items()}
        self._selector = closing.enter_context(selectors.DefaultSelector())
        ends = dict.fromkeys(chain.from_iterable(map(_ends, probes)))
        self._sockets = {end: self._open(end) for end in ends}

    def wait(self, wanted: set[Probe], patience: float, grace: float) -> None:
        """Send, send again, and note answers, until all is known or time is up."""
        start = time.monotonic()
        repeats = (start + _FIRST_REPEAT * (2**n - 1) for n in count(1))
        repeat, end, settled = next(repeats), start + patience, False
        self._send(self.pending)
        while self.pending and (now := time.monotonic()) < end:
            if not settled and wanted.isdisjoint(self.pending):
                settled, end = True, now + grace
            self._note_answers(min(repeat, end) - now)
            if time.monotonic() >= repeat:
                repeat = next(repeats)
                # TCP repeats by itself.
                self._send(probe for probe in self.pending if probe.protocol != "tcp")

    def _open(self, end: _End) -> socket.socket:
        """Make the socket for an end, bound to its address, and watch it where something may come in."""
        version = end.address.version
        match end.role:
            case "connect":
                made = self._bound(end, socket.SOCK_STREAM, port=self._port)
                # A reset at the end: no TIME_WAIT here, no tracked connection in the node.
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return made
            case "listen":
                made = self._bound(end, socket.SOCK_STREAM, port=end.port)
                made.listen(_BACKLOG)  # nobody accepts: the kernel shakes hands and queues
                return made
            case "ask":
                made = self._bound(end, socket.SOCK_DGRAM, port=self._port)
                return self._reading(made, partial(int.from_bytes, byteorder="big"))
            case "echo":
                made = self._bound(end, socket.SOCK_DGRAM, port=end.port)
                self._selector.register(made, selectors.EVENT_READ, partial(_echo, made))
                return made
            case "icmp":
                made = self._bound(end, socket.SOCK_RAW, _ICMP[version])
                return self._reading(made, partial(read_echo_reply, version))
            case "sctp":
                made = self._bound(end, socket.SOCK_RAW, _SCTP)
                return self._reading(made, partial(read_sctp_init, version))

    def _bound(self, end: _End, kind: int, protocol: int = 0, port: int = 0) -> socket.socket:
        made = self._network.owners[end.address].socket(_FAMILIES[end.address.version], kind, protocol)
        self._closing.enter_context(made)
        if kind == socket.SOCK_STREAM:  # so that connections to different peers may leave from one port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((str(end.address), port))
        return made

    def _reading(self, made: socket.socket, nonce_in: Callable[[bytes], int | None]) -> socket.socket:
        self._selector.register(made, selectors.EVENT_READ, partial(self._note_nonces, made, nonce_in))
        return made

    def _note_answers(self, seconds: float) -> None:
        """React to whatever comes in; wait up to `seconds` for something to."""
        for key, _ in self._selector.select(max(seconds, 0)):
            key.data()

    def _send(self, probes: Iterable[Probe]) -> None:
        for sent, probe in enumerate(tuple(probes), start=1):
            self._send_one(probe)
            if sent % _SLICE == 0:
                self._note_answers(0)

    def _send_one(self, probe: Probe) -> None:
        made, nonce = self._sockets[_ends(probe)[0]], self._nonces[probe]
        destination = str(probe.destination)
        match probe.protocol:
            case "tcp":
                error = made.connect_ex((destination, probe.port))
                if error == errno.EINPROGRESS:
                    react = partial(self._note_connection, probe, made)
                    self._selector.register(made, selectors.EVENT_WRITE, react)
                elif error == 0 or error in _REFUSALS:
                    self._settle(probe, arrived=error == 0)
                else:
                    raise OSError(error, f"{probe}: {os.strerror(error)}")
            case "udp":
                _send_to(made, nonce.to_bytes(4, "big"), (destination, probe.port))
            case "icmp":
                _send_to(made, echo_request(probe.source.version, self._port, nonce), (destination, 0))
            case "sctp":
                _send_to(made, sctp_init(self._port, probe.port, nonce), (destination, 0))

    def _note_connection(self, probe: Probe, made: socket.socket) -> None:
        """A connection is established, or known not to be."""
        self._selector.unregister(made)
        self._settle(probe, arrived=made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0)

    def _note_nonces(self, made: socket.socket, nonce_in: Callable[[bytes], int | None]) -> None:
        for data, _ in _received(made):
            if (nonce := nonce_in(data)) is not None and nonce in self._probes:
                self._settle(self._probes[nonce], arrived=True)

    def _settle(self, probe: Probe, arrived: bool) -> None:
        self.pending.pop(probe, None)
        if arrived:
            self.arrived.add(probe)


def _echo(made: socket.socket) -> None:
    for data, peer in _received(made):
        _send_to(made, data, peer)


def _received(made: socket.socket) -> Iterator[tuple[bytes, tuple[str, int]]]:
    """All that waits in a socket, with the sender's address and port."""
    while True:
        try:
            data, (address, port, *_) = made.recvfrom(_LARGEST)
        except BlockingIOError:
            return
        yield data, (address, port)


def _send_to(made: socket.socket, data: bytes, peer: tuple[str, int]) -> None:
    """Send; a packet that a ruleset refuses at once, or for which there is no buffer, is as good as lost."""
    try:
        made.sendto(data, peer)
    except OSError as error:
        if error.errno not in _REFUSALS | {errno.EAGAIN, errno.ENOBUFS}:
            raise
