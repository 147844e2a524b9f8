"""The elements of a set: from their text to sets of addresses and of traffic.

An element has a part for each word of its set's type: addresses, ports. A set is a union of products of such
parts, its pieces; what `nomatch` takes out of networks is worked out, as the longest prefix decides.

The ports of `bitmap:port` are those of TCP and UDP alone; elsewhere a port has its protocol, and a protocol
without ports stands for all of its packets (see ipset(8), and the kernel's ip_set_getport.c).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from npc.backends.iptables.reader.addresses import one_address, prefix, span
from npc.backends.iptables.reader.icmp import icmp_element
from npc.backends.iptables.reader.vocabulary import PROTOCOLS, UDPLITE
from npc.backends.iptables.reader.words import number, split_words
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, cidrs, parse_address
from npc.compiler.algebra.intervals import Intervals, Range, atoms
from npc.compiler.verify.program import Line, Malformed, Unsupported

Element = tuple[int, str]
"""The number of its line, and its text."""

_TYPES = {
    "bitmap:ip": ("ip",),
    "bitmap:port": ("port",),
    "hash:ip": ("ip",),
    "hash:net": ("net",),
    "hash:ip,port": ("ip", "port"),
    "hash:net,port": ("net", "port"),
    "hash:ip,port,ip": ("ip", "port", "only"),
    "hash:ip,port,net": ("ip", "port", "net"),
}
"""The parts of each type's elements; `only` is an address that is no range."""
_WITH_PORTS = frozenset({traffic.TCP, traffic.UDP, traffic.SCTP, UDPLITE})
_ICMP = {traffic.ICMP: Family.V4, traffic.ICMPV6: Family.V6}
_VALUES = frozenset({"packets", "bytes", "comment", "skbmark", "skbprio", "skbqueue"})
"""Options of an element that say nothing about packets."""


@dataclass(frozen=True, slots=True)
class Part:
    """Values of one part of an element: addresses, or traffic."""

    values: Intervals
    is_port: bool = False


Piece = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Elements:
    """What a set holds."""

    parts: int
    pieces: tuple[Piece, ...] = ()
    size: int = 0
    """How many elements the kernel keeps, about: ranges count as their addresses."""
    members: tuple[str, ...] = ()
    """Of a list of sets."""


@dataclass(slots=True)
class Reading:
    """Texts that were read before: most addresses are in many sets."""

    addresses: dict[str, int] = field(default_factory=dict)
    ports: dict[tuple[str, Family | None], Range] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An element as it was read: a range for each part."""

    ranges: tuple[Range, ...]
    is_match: bool = True


def parse_elements(
    type: str,
    family: Family | None,
    options: dict[str, str],
    elements: Sequence[Element],
    file: str,
    reading: Reading,
) -> Elements:
    """What the elements of a set mean; Malformed where ipset would not take one."""
    if type == "list:set":
        return Elements(0, members=tuple(_words(text, options, Line(file, at))[0] for at, text in elements))
    if type not in _TYPES:
        line = Line(file, elements[0][0]) if elements else Line(file, 1)
        raise Unsupported(f"a set of the type `{type}`", line)
    if type == "hash:ip" and "netmask" not in options:
        assert family is not None  # sets of addresses have one
        values, size = _addresses(elements, family, options, file, reading)
        return Elements(1, ((Part(values),),) if values else (), size)
    parts = _TYPES[type]
    entries = [_entry(parts, family, options, text, Line(file, at), reading) for at, text in elements]
    if "range" in options and elements:
        _check_range(type, family, options["range"], entries, elements, file)
    if all(one.is_match for one in entries):
        pieces = _merged({one.ranges: None for one in entries}, len(parts))
    else:
        pieces = _less_nomatch(entries, parts)
    if family is None:
        pieces = [(_of_both(ports),) for (ports,) in pieces]
    is_port = [part == "port" for part in parts]
    found = tuple(tuple(map(Part, piece, is_port)) for piece in pieces)
    return Elements(len(parts), found, len({one.ranges for one in entries}))


def _addresses(
    elements: Sequence[Element], family: Family, options: dict[str, str], file: str, reading: Reading
) -> tuple[Intervals, int]:
    """Of hash:ip, where nearly all elements are one address and nothing else."""
    known = reading.addresses
    found: list[Range] = []
    others: list[Element] = []
    for one in elements:
        text = one[1]
        try:
            address = known[text]
        except KeyError:
            try:
                address = known[text] = parse_address(text)
            except ValueError:
                others.append(one)
                continue
        found.append((address, address))
    found += [
        _entry(("ip",), family, options, text, Line(file, at), reading).ranges[0] for at, text in others
    ]
    values = Intervals.of(*found)
    first = family.every.ranges[0][0]
    if not values <= family.every or first in values or _times_out(options):
        for at, text in elements:  # says which, and why
            _entry(("ip",), family, options, text, Line(file, at), reading)
    return values, sum(high - low + 1 for low, high in values.ranges)


def _entry(
    parts: tuple[str, ...],
    family: Family | None,
    options: dict[str, str],
    text: str,
    line: Line,
    reading: Reading,
) -> _Entry:
    element, *rest = _words(text, options, line)
    words = element.split(",")
    if len(words) != len(parts):
        raise Malformed(f"the element `{element}`", line, f"it should have {len(parts)} parts")
    ranges = [
        _range(part, word, family, options, line, reading) for part, word in zip(parts, words, strict=True)
    ]
    if rest and "net" not in parts:
        raise Malformed(f"`nomatch` for `{element}`", line, "only networks can be taken out")
    return _Entry(tuple(ranges), not rest)


def _words(text: str, options: dict[str, str], line: Line) -> list[str]:
    """An element, then `nomatch` if it is said."""
    words = split_words(text, line)
    found = words[:1]
    if not found:
        raise Malformed("`add` without an element", line)
    rest = iter(words[1:])
    lifetime = options.get("timeout", "0")
    for word in rest:
        if word == "nomatch":
            found.append(word)
        elif word in _VALUES or word == "timeout":
            value = next(rest, None)
            if value is None:
                raise Malformed(f"`{word}` without a value", line)
            lifetime = value if word == "timeout" else lifetime
        elif word != "-exist":
            raise Unsupported(f"`{word[:40]}` after an element", line)
    if lifetime != "0":
        raise Unsupported("an element that times out", line, "what passes would depend on the time")
    return found


def _times_out(options: dict[str, str]) -> bool:
    return options.get("timeout", "0") != "0"


def _range(
    part: str, text: str, family: Family | None, options: dict[str, str], line: Line, reading: Reading
) -> Range:
    if family is None:
        return _plain_ports(text, line)
    if part == "port":
        key = text, family
        if key not in reading.ports:
            reading.ports[key] = _traffic(text, family, line)
        return reading.ports[key]
    found = _address_range(part, text, family, line, reading)
    if found[0] == family.every.ranges[0][0] and "range" not in options and part != "net":
        raise Malformed(f"the element `{text}`", line, "no set holds the address of zeros")
    if "netmask" in options:
        rest = (1 << (family.bits - number(options["netmask"], family.bits, "the netmask", line))) - 1
        return found[0] & ~rest, found[1] | rest
    return found


def _address_range(part: str, text: str, family: Family, line: Line, reading: Reading) -> Range:
    if text in reading.addresses:
        address = reading.addresses[text]
        if Family.of(address) is family:
            return address, address
    if part == "only" or (part == "ip" and family is Family.V6) or ("/" not in text and "-" not in text):
        address = one_address(text, family, line)
        reading.addresses[text] = address
        return address, address
    if "/" in text:
        if part == "net" and text.endswith("/0"):
            raise Malformed(f"the element `{text}`", line, "no set holds a prefix of length 0")
        return prefix(text, family, line)
    found = span(text, family, line)
    if found is None:
        raise Unsupported(f"the element `{text}`", line, "write the lower address first")
    return found


def _plain_ports(text: str, line: Line) -> Range:
    """Of bitmap:port, where the protocol is not kept."""
    first, dash, last = text.rpartition(":")[2].partition("-")
    low = number(first, traffic.LAST_PORT, "the port", line)
    high = number(last, traffic.LAST_PORT, "the port", line) if dash else low
    if low > high:
        raise Unsupported(f"the ports `{text}`", line, "write the lower port first")
    return low, high


def _of_both(ports: Intervals) -> Intervals:
    """Ports of a bitmap: of TCP, and of UDP."""
    return Intervals(
        tuple(
            (protocol << 16 | low, protocol << 16 | high)
            for protocol in (traffic.TCP, traffic.UDP)
            for low, high in ports.ranges
        )
    )


def _traffic(text: str, family: Family, line: Line) -> Range:
    """`tcp:80`, `80-90` (of TCP), `icmp:8/0`, `gre:0`."""
    name, colon, port = text.partition(":")
    if not colon:
        name, port = "tcp", text
    protocol = PROTOCOLS.get(name.lower())
    if protocol is None:
        if not name[:1].isdecimal():
            raise Unsupported(f"the protocol `{name}`", line, "write its number")
        protocol = number(name, traffic.LAST_PROTOCOL, "the protocol", line)
    if not protocol:
        raise Malformed(f"the element `{text}`", line, "no set holds the protocol 0")
    if protocol in _ICMP:
        if _ICMP[protocol] is not family:
            raise Malformed(f"the element `{text}`", line, f"IPv{family.value} has another ICMP")
        return icmp_element(port, family, line).ranges[0]
    if protocol not in _WITH_PORTS:
        if port != "0":
            raise Malformed(f"the element `{text}`", line, "the port of this protocol is written 0")
        return traffic.every(protocol).ranges[0]
    low, high = _plain_ports(port, line)
    return protocol << 16 | low, protocol << 16 | high


def _check_range(
    type: str,
    family: Family | None,
    text: str,
    entries: Sequence[_Entry],
    elements: Sequence[Element],
    file: str,
) -> None:
    """Malformed for elements that a bitmap has no room for."""
    line = Line(file, elements[0][0])
    if family is None:
        low, high = _plain_ports(text, line)
    elif "/" in text:
        low, high = prefix(text, family, line)
    else:
        low, high = span(text, family, line) or (1, 0)
    for entry, (at, element) in zip(entries, elements, strict=True):
        if not low <= entry.ranges[0][0] <= entry.ranges[0][1] <= high:
            raise Malformed(f"the element `{element}`", Line(file, at), f"this {type} is for {text}")


def _merged(entries: Iterable[tuple[Range, ...]], parts: int) -> list[tuple[Intervals, ...]]:
    """A union of products, in fewer: those are joined that differ in one part alone, the first part first."""
    pieces: list[tuple[Intervals, ...]] = []
    joined: dict[tuple[Range, ...], list[Range]] = {}
    for ranges in entries:
        joined.setdefault(ranges[1:], []).append(ranges[0])
    shared: dict[tuple[Range, ...], Intervals] = {}
    for rest, firsts in joined.items():
        others = tuple(shared.setdefault((one,), Intervals((one,))) for one in rest)
        pieces.append((Intervals.of(*firsts), *others))
    for place in range(1, parts):
        by_others: dict[tuple[Intervals, ...], list[Intervals]] = {}
        for piece in pieces:
            by_others.setdefault((*piece[:place], *piece[place + 1 :]), []).append(piece[place])
        pieces = [
            (*others[:place], Intervals.union(values), *others[place:])
            for others, values in by_others.items()
        ]
    return pieces


def _less_nomatch(entries: Sequence[_Entry], parts: tuple[str, ...]) -> list[tuple[Intervals, ...]]:
    """A union of products where networks are taken out of others; the parts beside are told apart."""
    place = parts.index("net")
    others = [one for one in range(len(parts)) if one != place]
    found: list[tuple[Intervals, ...]] = []
    for values, inside in _told_apart(entries, others):
        networks = longest_prefix({one.ranges[place]: one.is_match for one in inside})
        if networks:
            found.append((*values[:place], networks, *values[place:]))
    return found


def _told_apart(
    entries: Sequence[_Entry], places: Sequence[int]
) -> list[tuple[tuple[Intervals, ...], list[_Entry]]]:
    """Products of parts that are inside the same entries, with these, in order."""
    if not places:
        return [((), list(entries))]
    place, *rest = places
    distinct = list(dict.fromkeys(one.ranges[place] for one in entries))
    found = []
    for positions, values in atoms([Intervals((one,)) for one in distinct]).items():
        here = {distinct[position] for position in positions}
        inside = [one for one in entries if one.ranges[place] in here]
        found += [((values, *more), last) for more, last in _told_apart(inside, rest)]
    return found


def longest_prefix(networks: dict[Range, bool]) -> Intervals:
    """The addresses whose smallest network is a match.

    >>> longest_prefix({(0, 7): True, (0, 3): False, (2, 3): True})
    Intervals(ranges=((2, 7),))
    """
    by_size: dict[int, tuple[list[Range], list[Range]]] = {}
    for (low, high), is_match in networks.items():
        pieces = [(low, high)]
        if (high - low) & (high - low + 1) or low & (high - low):  # a range: the kernel keeps its blocks
            pieces = [block.range for block in cidrs((low, high))]
        for piece in pieces:
            by_size.setdefault(piece[1] - piece[0], ([], []))[not is_match].append(piece)
    found = Intervals()
    for _, (matching, taken) in sorted(by_size.items(), reverse=True):
        found = (found | Intervals.of(*matching)) - Intervals.of(*taken)
    return found
