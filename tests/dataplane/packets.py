"""The packets that no kernel socket makes for us: ICMP and ICMPv6 echo, and SCTP INIT.

A nonce of 32 bits identifies each probe: an echo carries it as data, an INIT as its Initiate Tag.
"""

from __future__ import annotations

import struct

_ICMP_ECHO = {4: 8, 6: 128}  # RFC 792, RFC 4443 section 4.1
_ICMP_ECHO_REPLY = {4: 0, 6: 129}
_ECHO = struct.Struct("!BBHHHI")  # type, code, checksum, identifier, sequence number; the data is a nonce
_SCTP_INIT = 1  # chunk type, RFC 9260 section 3.3.2
_SCTP_COMMON = struct.Struct("!HHII")  # source port, destination port, verification tag, checksum
_SCTP_CHUNK = struct.Struct("!BBHIIHHI")  # type, flags, length, initiate tag, window, streams (2), first TSN


def echo_request(version: int, identifier: int, nonce: int) -> bytes:
    """An ICMP (version 4) or ICMPv6 (6) echo request; the kernel fills in ICMPv6's checksum (RFC 3542)."""
    kind = _ICMP_ECHO[version]
    checksum = internet_checksum(_ECHO.pack(kind, 0, 0, identifier, 0, nonce)) if version == 4 else 0
    return _ECHO.pack(kind, 0, checksum, identifier, 0, nonce)


def read_echo_reply(version: int, received: bytes) -> int | None:
    """The nonce in what a raw ICMP socket received; None for anything but a reply to one of our requests."""
    message = _payload(version, received)
    if len(message) != _ECHO.size:
        return None
    kind, _, _, _, _, nonce = _ECHO.unpack(message)
    return int(nonce) if kind == _ICMP_ECHO_REPLY[version] else None


def sctp_init(source_port: int, destination_port: int, nonce: int) -> bytes:
    """An SCTP packet with an INIT chunk; its verification tag is 0, as RFC 9260 section 8.5.1 demands."""
    chunk = _SCTP_CHUNK.pack(_SCTP_INIT, 0, _SCTP_CHUNK.size, nonce, 65_535, 1, 1, 1)
    checksum = crc32c(_SCTP_COMMON.pack(source_port, destination_port, 0, 0) + chunk)
    # The checksum's bytes go out in reverse (RFC 9260 appendix A), where every other field is big-endian.
    (swapped,) = struct.unpack("<I", struct.pack(">I", checksum))
    return _SCTP_COMMON.pack(source_port, destination_port, 0, swapped) + chunk


def read_sctp_init(version: int, received: bytes) -> int | None:
    """The nonce in what a raw SCTP socket received; None for anything but an INIT like ours."""
    packet = _payload(version, received)
    if len(packet) != _SCTP_COMMON.size + _SCTP_CHUNK.size:
        return None
    kind, _, _, nonce, *_ = _SCTP_CHUNK.unpack(packet[_SCTP_COMMON.size :])
    return int(nonce) if kind == _SCTP_INIT else None


def internet_checksum(data: bytes) -> int:
    """The ones' complement sum of 16-bit words (RFC 1071), of an even number of bytes.

    >>> hex(internet_checksum(bytes.fromhex("0001f203f4f5f6f7")))
    '0x220d'
    """
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return total ^ 0xFFFF


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), as in RFC 9260 appendix A and RFC 3720 appendix B.4.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF


def _payload(version: int, received: bytes) -> bytes:
    """Without the IP header, which raw sockets give for IPv4 only."""
    return received[(received[0] & 0xF) * 4 :] if version == 4 else received
