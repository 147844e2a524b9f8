"""What a flow asks for beside addresses, read from the words of ovs-fields(7).

Fields have prerequisites: a port is looked at only in a packet of a protocol that has ports. ovs-ofctl drops
a field that lacks them, with a warning nobody sees; here it is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from npc.backends.ovs.reader.masks import ranges
from npc.backends.ovs.reader.numbers import number
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.verify.program import Line, Malformed, Unsupported

IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
FAMILIES = {IPV4: Family.V4, IPV6: Family.V6}
"""The address family of an Ethernet type."""

_WORDS: dict[str, tuple[int, int | None]] = {
    "ip": (IPV4, None),
    "ipv4": (IPV4, None),
    "ipv6": (IPV6, None),
    "icmp": (IPV4, traffic.ICMP),
    "icmp6": (IPV6, traffic.ICMPV6),
    "tcp": (IPV4, traffic.TCP),
    "tcp6": (IPV6, traffic.TCP),
    "udp": (IPV4, traffic.UDP),
    "udp6": (IPV6, traffic.UDP),
    "sctp": (IPV4, traffic.SCTP),
    "sctp6": (IPV6, traffic.SCTP),
    "arp": (ARP, None),
    "rarp": (0x8035, None),
    "mpls": (0x8847, None),
    "mplsm": (0x8848, None),
}
"""Shorthands: Ethernet type, and protocol (ovs-fields(7), "Shorthands")."""
_WITH_PORTS = frozenset({traffic.TCP, traffic.UDP, traffic.SCTP})
_ICMP = {(IPV4, traffic.ICMP), (IPV6, traffic.ICMPV6)}

NEW, ESTABLISHED, RELATED, REPLY, INVALID, TRACKED = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
FLAGS = {
    "new": NEW,
    "est": ESTABLISHED,
    "rel": RELATED,
    "rpl": REPLY,
    "inv": INVALID,
    "trk": TRACKED,
}
"""Of `ct_state`; those of address translation are left out: npc's zone has none."""
STATES = {
    "new": TRACKED | NEW,
    "established": TRACKED | ESTABLISHED,
    "established, reply": TRACKED | ESTABLISHED | REPLY,
    "related": TRACKED | RELATED,
    "related, reply": TRACKED | RELATED | REPLY,
    "invalid": TRACKED | INVALID,
}
"""The flags of a packet that was tracked; no helper is asked to expect connections, so none is new
and related."""


@dataclass(frozen=True, slots=True)
class Match:
    """A flow's conditions but for addresses; None where it does not ask."""

    ethertype: int | None = None
    traffic: Intervals = traffic.ANY
    state: tuple[int, int] | None = None
    """Value and mask of `ct_state`."""
    registers: tuple[tuple[str, int, int], ...] = ()
    """Name, value and mask of each."""
    in_port: str | None = None
    original: int | None = None
    """The protocol of the connection's first packet, `ct_nw_proto`."""
    original_port: int | None = None
    """And its destination port, `ct_tp_dst`."""
    conjunction: int | None = None

    @property
    def family(self) -> Family | None:
        return None if self.ethertype is None else FAMILIES.get(self.ethertype)

    def has_state(self, flags: int) -> bool:
        """Whether some flags of `ct_state` are such as are asked for."""
        return self.state is None or flags & self.state[1] == self.state[0]


@dataclass(slots=True)
class _Reading:
    """The fields met so far, each once."""

    line: Line
    values: dict[str, str]

    def number(self, name: str, largest: int) -> int | None:
        """The value of a field that has no mask; None where it is not asked for."""
        text = self.values.pop(name, None)
        if text is None:
            return None
        found = number(text)
        if found is None or found > largest:
            raise Malformed(f"the value `{name}={text}`", self.line)
        return found

    def masked(self, name: str, bits: int) -> tuple[int, int] | None:
        """Value and mask of a field, the value without bits outside of the mask."""
        text = self.values.pop(name, None)
        if text is None:
            return None
        value_text, slash, mask_text = text.partition("/")
        every = (1 << bits) - 1
        value, mask = number(value_text), number(mask_text) if slash else every
        if value is None or mask is None or max(value, mask) > every:
            raise Malformed(f"the value `{name}={text}`", self.line)
        return value & mask, mask


def read_match(words: Sequence[str], line: Line) -> Match:
    """The conditions that some words state, all but addresses."""
    values: dict[str, str] = {}
    shorthand: str | None = None
    for word in words:
        name, equals, value = word.partition("=")
        if not equals and name in _WORDS:
            if shorthand is not None:
                raise Unsupported(f"two protocols, `{shorthand}` and `{name}`", line)
            shorthand = name
            continue
        if not equals or value == "*":
            raise Unsupported(f"the match `{word}`", line)
        name = _USUAL.get(name, name)
        if name in values:
            raise Unsupported(f"the field `{name}` twice", line, "ovs-ofctl takes the last alone")
        values[name] = value
    reading = _Reading(line, values)
    ethertype, protocol = _headers(reading, shorthand)
    found = Match(
        ethertype,
        _traffic(reading, ethertype, protocol),
        _state(reading),
        _registers(reading),
        _in_port(reading),
        reading.number("ct_nw_proto", traffic.LAST_PROTOCOL),
        reading.number("ct_tp_dst", traffic.LAST_PORT),
        reading.number("conj_id", 0xFFFF_FFFF),
    )
    if found.original_port is not None and found.original is None:
        raise _dropped("ct_tp_dst", "ct_nw_proto", line)
    if found.original is not None and (found.state is None or not found.state[1]):
        raise _dropped("ct_nw_proto", "ct_state", line)
    if found.conjunction == 0:
        raise Unsupported("`conj_id=0`, which packets have that are of no conjunction", line)
    for name in values:
        raise Unsupported(f"the match `{name}`", line)
    return found


_USUAL = {
    "dl_type": "eth_type",
    "ip_proto": "nw_proto",
    "tcp_dst": "tp_dst",
    "udp_dst": "tp_dst",
    "sctp_dst": "tp_dst",
    "icmpv6_type": "icmp_type",
    "icmpv6_code": "icmp_code",
}
"""Names that ovs-ofctl takes for one another, whatever the protocol."""


def _headers(reading: _Reading, shorthand: str | None) -> tuple[int | None, int | None]:
    """Ethernet type and protocol."""
    ethertype, protocol = _WORDS[shorthand] if shorthand else (None, None)
    stated = reading.number("eth_type", 0xFFFF)
    if stated is not None:
        if ethertype is not None and stated != ethertype:
            raise Unsupported(f"`{shorthand}` with another `eth_type`", reading.line)
        ethertype = stated
    stated = reading.number("nw_proto", 0xFF)
    if stated is not None:
        if ethertype not in FAMILIES:
            raise _dropped("nw_proto", "ip", reading.line)
        if protocol is not None and stated != protocol:
            raise Unsupported(f"`{shorthand}` with another `nw_proto`", reading.line)
        protocol = stated
    return ethertype, protocol


def _traffic(reading: _Reading, ethertype: int | None, protocol: int | None) -> Intervals:
    """The packets of a protocol, of some ports or ICMP types and codes."""
    line = reading.line
    ports = reading.masked("tp_dst", 16)
    kind, code = reading.number("icmp_type", 0xFF), reading.number("icmp_code", 0xFF)
    if ports is not None and protocol not in _WITH_PORTS:
        raise _dropped("tp_dst", "tcp", line)
    if (kind, code) != (None, None) and (ethertype, protocol) not in _ICMP:
        raise _dropped("icmp_type", "icmp", line)
    if protocol is None:
        return traffic.ANY
    if ports is not None:
        value, mask = ports
        below = _ranges(value, mask, line)
    elif (kind, code) != (None, None):
        value = (kind or 0) << 8 | (code or 0)
        mask = (0 if kind is None else 0xFF00) | (0 if code is None else 0xFF)
        below = _ranges(value, mask, line)
    else:
        return traffic.every(protocol)
    return Intervals.of(*((protocol << 16 | low, protocol << 16 | high) for low, high in below))


def _ranges(value: int, mask: int, line: Line) -> tuple[Range, ...]:
    try:
        return ranges(value, mask, 16)
    except ValueError as error:
        raise Unsupported(f"the mask {mask:#x} of a port, {error}", line) from None


def _state(reading: _Reading) -> tuple[int, int] | None:
    """`+est-rel`, or a number under a mask."""
    text = reading.values.get("ct_state")
    if text is None or not text.startswith(("+", "-")):
        return _known_flags(reading.masked("ct_state", 32), reading.line)
    del reading.values["ct_state"]
    value = mask = 0
    for word in text.replace("+", " +").replace("-", " -").split():
        flag = FLAGS.get(word[1:])
        if flag is None:
            raise Unsupported(f"the flag `{word[1:]}` of ct_state", reading.line)
        if mask & flag:
            raise Malformed(f"the flag `{word[1:]}` twice", reading.line)
        mask |= flag
        value |= flag if word.startswith("+") else 0
    return value, mask


def _known_flags(state: tuple[int, int] | None, line: Line) -> tuple[int, int] | None:
    if state is not None and state[1] >> 6:
        raise Unsupported("flags of ct_state above `trk`", line)
    return state


def _registers(reading: _Reading) -> tuple[tuple[str, int, int], ...]:
    """What is asked of registers, in the order of their numbers."""
    found = []
    for name in REGISTERS:
        masked = reading.masked(name, 32)
        if masked is not None and masked[1]:
            found.append((name, *masked))
    return tuple(found)


REGISTERS = tuple(f"reg{number}" for number in range(16))


def _in_port(reading: _Reading) -> str | None:
    text = reading.values.pop("in_port", None)
    return "LOCAL" if text in ("65534", "local") else text


def _dropped(name: str, needed: str, line: Line) -> Malformed:
    return Malformed(
        f"`{name}` without `{needed}`", line, "ovs-ofctl leaves such a field out, and matches more packets"
    )
