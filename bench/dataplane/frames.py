"""Packets as frames: the first of a connection, its answer, and one that follows."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from npc.compiler.algebra import traffic

RECORD = 64
"""Bytes of a frame in a file: 60 are sent."""
IN_MAC, OUT_MAC, PEER_MAC = (bytes.fromhex(text) for text in ("020000000001", "020000000002", "0200000000fe"))

_SYN, _ACK = 0x02, 0x10


@dataclass(frozen=True, slots=True)
class Connection:
    """Between two IPv4 addresses: TCP or UDP, and the destination's port."""

    source: int
    destination: int
    protocol: int
    source_port: int
    port: int

    def opening(self) -> bytes:
        """The first packet."""
        return self._frame(_SYN, 1, 0)

    def reply(self) -> bytes:
        """The destination's answer, which comes in at the other device."""
        back = Connection(self.destination, self.source, self.protocol, self.port, self.source_port)
        return back._frame(_SYN | _ACK, 1, 2, OUT_MAC)

    def later(self) -> bytes:
        """A packet after the answer."""
        return self._frame(_ACK, 2, 2)

    def _frame(self, flags: int, sequence: int, acknowledged: int, mac: bytes = IN_MAC) -> bytes:
        if self.protocol == traffic.UDP:  # no checksum: 0 says so over IPv4 (RFC 768)
            content = struct.pack("!HHHH18x", self.source_port, self.port, 26, 0)
        else:
            ends = struct.pack("!IIBBH", self.source, self.destination, 0, traffic.TCP, 20)
            content = struct.pack(
                "!HHIIBBHHH", self.source_port, self.port, sequence, acknowledged, 0x50, flags, 8192, 0, 0
            )
            content = content[:16] + struct.pack("!H", _checksum(ends + content)) + content[18:]
        head = struct.pack(
            "!BBHHHBBHII",
            0x45,
            0,
            20 + len(content),
            0,
            0x4000,
            64,
            self.protocol,
            0,
            self.source,
            self.destination,
        )
        head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
        return (mac + PEER_MAC + b"\x08\x00" + head + content).ljust(RECORD, b"\0")[:RECORD]


def _checksum(words: bytes) -> int:
    """The internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
