"""What the node of a network logs: the prefix and the packet of each line.

What `log` of nft and `LOG` of iptables write goes to the kernel's log, which is one for all namespaces, and
is off in all but the first. `to_group` has them write to an NFLOG group instead, which belongs to the
namespace and is read from a socket (linux/netfilter/nfnetlink_log.h): nothing else of a rule changes.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from tests.dataplane.namespace import Namespace
from tests.reference.evaluator import Packet

GROUP: Final = 7
_NFT: Final = re.compile(r'\blog prefix ("[^"]*")')
_IPTABLES: Final = re.compile(r"-j LOG --log-prefix\b")

_NETLINK_NETFILTER: Final = 12
_REQUEST_AND_ACK: Final = 5
_SUBSYSTEM: Final = 4 << 8  # NFNL_SUBSYS_ULOG
_PACKET, _CONFIGURE = _SUBSYSTEM, _SUBSYSTEM | 1
_CFG_CMD, _CFG_MODE, _CFG_QTHRESH = 1, 2, 5
_BIND: Final = 1
_COPY_PACKET: Final = 2
_PAYLOAD, _PREFIX = 9, 10
_HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_ERROR: Final = 2
_MOST: Final = 1 << 17
_RECEIVE_BUFFER: Final = 1 << 22
_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Logged:
    """A line of the log."""

    prefix: str
    packet: Packet


@dataclass(frozen=True, slots=True)
class Log:
    """What a namespace logs while it is open."""

    _socket: socket.socket

    def read(self) -> list[Logged]:
        """What was logged since the last call."""
        found: list[Logged] = []
        while True:
            try:
                data = self._socket.recv(_MOST)
            except BlockingIOError:
                return found
            found += [_logged(body) for kind, body in _messages(data) if kind == _PACKET]


def to_group(artifacts: Mapping[str, str]) -> dict[str, str]:
    """The same files of the nft or the iptables target, with every log statement writing to the group."""
    return {
        name: _IPTABLES.sub(
            f"-j NFLOG --nflog-group {GROUP} --nflog-prefix", _NFT.sub(rf"log prefix \1 group {GROUP}", text)
        )
        for name, text in artifacts.items()
    }


@contextmanager
def open_log(node: Namespace) -> Iterator[Log]:
    """Read a namespace's group while the body runs. OSError where the kernel has no NFLOG."""
    with node.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        asking.settimeout(_SECONDS)
        _configure(asking, _CFG_CMD, bytes([_BIND]))
        _configure(asking, _CFG_MODE, struct.pack("!IBx", 0xFFFF, _COPY_PACKET))
        _configure(asking, _CFG_QTHRESH, struct.pack("!I", 1))  # else packets gather for up to a second
        asking.setblocking(False)
        yield Log(asking)


def _configure(asking: socket.socket, kind: int, value: bytes) -> None:
    """Send one attribute for the group; OSError when it is refused."""
    attribute = struct.pack("=HH", 4 + len(value), kind) + value
    body = struct.pack("!BBH", socket.AF_UNSPEC, 0, GROUP) + attribute + bytes(-len(attribute) % 4)
    asking.send(_HEADER.pack(_HEADER.size + len(body), _CONFIGURE, _REQUEST_AND_ACK, 0, 0) + body)
    while True:
        for answer, data in _messages(asking.recv(_MOST)):
            if answer == _ERROR:  # or an acknowledgement, which is an error of number 0
                (number,) = struct.unpack_from("=i", data)
                if number:
                    raise OSError(-number, f"nfnetlink_log refuses attribute {kind}")
                return


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The type and the body of each netlink message."""
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]


def _logged(body: bytes) -> Logged:
    attributes, rest = {}, body[4:]
    while len(rest) >= 4:
        length, kind = struct.unpack_from("=HH", rest)
        attributes[kind] = rest[4:length]
        rest = rest[(length + 3) & ~3 :]
    packet = attributes[_PAYLOAD]
    if packet[0] >> 4 == 4:
        start, protocol, ends = (packet[0] & 15) * 4, packet[9], (packet[12:16], packet[16:20])
    else:
        start, protocol, ends = 40, packet[6], (packet[8:24], packet[24:40])
    at = start if protocol in (socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6) else start + 2
    port = int.from_bytes(packet[at : at + 2], "big")
    prefix = attributes[_PREFIX].rstrip(b"\0").decode()
    source, destination = map(ip_address, ends)
    return Logged(prefix, Packet(source, destination, protocol, port))
