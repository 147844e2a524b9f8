"""Many questions about single packets, a JSON object a line, answered in the same order.

`{"src": "shop/web-0", "dst": "10.0.0.9", "protocol": "tcp", "port": 443}` in, `{"allowed":true}` out. A
line that cannot be answered gets `{"error":...,"line":...}`, and the others are answered all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

import msgspec

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, parse_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.addressing import NoAddress, check_unmapped
from npc.compiler.ask.asked_traffic import OTHERS
from npc.compiler.ask.ends import Place
from npc.compiler.ask.naming import Names
from npc.compiler.ask.relation import Relation
from npc.compiler.ask.single import SinglePackets
from npc.compiler.frontend.diagnostics import InputError, did_you_mean, nearest
from npc.compiler.inventory import Absence

_BY_NAME: Mapping[str, int] = {name: number for number, name in traffic.NAMES.items()} | OTHERS
_PROTOCOLS: Mapping[str | int, int] = dict(_BY_NAME.items())
_NAMES = tuple(_BY_NAME)
_ALLOWED, _DENIED = b'{"allowed":true}\n', b'{"allowed":false}\n'


class _Question(msgspec.Struct, forbid_unknown_fields=True):
    src: str
    dst: str
    protocol: str | int = "tcp"
    port: int | str | None = None
    """Its number, or the name that the destination gives it (P10); None: all of the protocol."""


_END = "a pod's NAMESPACE/NAME, or an address"
_FIELDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "src": ((str,), _END),
    "dst": ((str,), _END),
    "protocol": ((str, int), "a name or a number"),
    "port": ((int, str, type(None)), "a number, or the name of a port of the destination"),
}
"""What a question has: the types that each field may be of, and what it is."""

_BOM = b"\xef\xbb\xbf"
"""What some editors and shells begin a file with."""
_decoder = msgspec.json.Decoder(_Question)


@dataclass(slots=True)
class Batch:
    """Answers line after line; what has been looked up once is kept."""

    relation: Relation
    bad_lines: int = 0
    _line: int = 0
    _names: Names = field(init=False)
    _packets: SinglePackets = field(init=False)
    _places: dict[str, tuple[Place, ...]] = field(default_factory=dict)
    _protocols: dict[str | int, int] = field(default_factory=lambda: {**_PROTOCOLS})

    def __post_init__(self) -> None:
        inventory = self.relation.model.inventory
        self._packets = SinglePackets(self.relation.model, self.relation.reading)
        self._names = Names(self.relation.model, self.relation.meaning)
        for one in inventory.bystanders:
            if one.absence is Absence.HOST_NETWORK:
                self._places[str(one.pod)] = tuple(map(Place.outside, one.pod.addresses))
        for number, endpoint in enumerate(inventory.endpoints):
            families = map(Family.of, endpoint.addresses) if endpoint.addresses else Family
            self._places[str(endpoint)] = tuple(Place(family, number) for family in families)

    def answers(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The answers to some lines, each a line; empty lines have none."""
        for line in lines:
            self._line += 1
            if self._line == 1:
                line = line.removeprefix(_BOM)
            if not line.strip():
                continue
            try:
                yield self._answer(_decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError, InputError, ValueError) as error:
                self.bad_lines += 1
                yield msgspec.json.encode({"error": _words(error, line), "line": self._line}) + b"\n"

    def _answer(self, question: _Question) -> bytes:
        places = self._places
        sources = places.get(question.src) or self._look_up(question.src, "src")
        destinations = places.get(question.dst) or self._look_up(question.dst, "dst")
        protocol = self._protocols.get(question.protocol)
        if protocol is None:
            protocol = self._protocol(question.protocol)
        port = question.port
        if port is not None:
            if isinstance(port, str):
                port = self._port(port, protocol, question.dst, destinations[0])
            elif not 0 <= port <= traffic.LAST_PORT:
                raise ValueError(f"{port} is not a port: 0 to {traffic.LAST_PORT}")
            elif protocol not in traffic.NAMES:
                raise ValueError(f"policies know no ports of protocol {question.protocol}: leave port out")
        if len(sources) == 1 == len(destinations) and sources[0].family is destinations[0].family:
            return _ALLOWED if self._passes(*sources, *destinations, protocol, port) else _DENIED
        found = {
            f"ipv{source.family.value}": self._passes(source, destination, protocol, port)
            for source, destination in product(sources, destinations)
            if source.family is destination.family
        }
        if not found:
            raise ValueError("no address family is common to the two")
        if len(set(found.values())) == 1:
            return _ALLOWED if found.popitem()[1] else _DENIED
        return msgspec.json.encode({"allowed": False, **found}) + b"\n"

    def _passes(self, source: Place, destination: Place, protocol: int, port: int | None) -> bool:
        if port is not None:
            return self._packets.passes(source, destination, protocol << 16 | port)
        return traffic.every(protocol) <= self.relation.passing(source, destination)

    def _port(self, name: str, protocol: int, destination: str, place: Place) -> int:
        """The number that a destination gives a named port (P10)."""
        if name.isdecimal():
            raise ValueError(f"the port {name!r} is a text: a number has no quotes")
        if place.endpoint is None:
            raise ValueError(f"{destination} is no pod, and has no port {name!r}: give its number")
        ports = self.relation.model.inventory.endpoints[place.endpoint].ports
        for one in ports:
            if one.name == name and one.protocol == protocol:
                return one.number
        named = sorted(f"{traffic.NAMES[one.protocol]}/{one.name}" for one in ports)
        help = f"it has {', '.join(named)}" if named else "it names no ports: give a number"
        word = traffic.NAMES.get(protocol, f"protocol {protocol}")
        raise ValueError(f"{destination} has no port {word}/{name}; {help}")

    def _look_up(self, text: str, about: str) -> tuple[Place, ...]:
        """An address, or a pod's name without its namespace."""
        try:
            address = parse_address(text)
        except ValueError:
            named = self._names.find(text, about)
            ends = list(named.ends.families())
            if any(one.endpoints.bit_count() != 1 or one.outside for one in ends):
                raise ValueError(
                    f"{about} {text!r} is not one pod: give its NAMESPACE/NAME or an address"
                ) from None
            places = tuple(
                Place(family, one.endpoints.bit_length() - 1)
                for one in ends
                for family in Family
                if one.of_family(family)
            )
        else:
            check_unmapped(address)
            places = (self._at(address),)
        self._places[text] = places
        return places

    def _at(self, address: int) -> Place:
        ends = self.relation.census.at(Intervals.of((address, address)))
        if ends.endpoints.bit_count() == 1:
            return Place(Family.of(address), ends.endpoints.bit_length() - 1)
        return Place.outside(address)

    def _protocol(self, name: str | int) -> int:
        known = _PROTOCOLS.get(name.lower()) if isinstance(name, str) else name
        if known is None or not 0 <= known <= traffic.LAST_PROTOCOL:
            help = did_you_mean(name, _NAMES) if isinstance(name, str) else "a number from 0 to 255"
            raise ValueError(f"{name!r} is not a protocol: {help}")
        self._protocols[name] = known
        return known


def _words(error: Exception, line: bytes) -> str:
    match error:
        case InputError(diagnostics=(one, *_)):
            return f"{one.message}; {one.help}" if one.help else one.message
        case NoAddress():
            return f"{error}; {error.help}"
        case msgspec.ValidationError():
            return _fault(line)
        case msgspec.DecodeError() | UnicodeDecodeError():
            return f"the line is no JSON: {error}"
        case _:
            return str(error)


def _fault(line: bytes) -> str:
    """What is wrong with JSON that is no question."""
    value = msgspec.json.decode(line)
    if not isinstance(value, dict):
        return 'a question is an object: {"src": ..., "dst": ...}'
    for key in value:
        if key not in _FIELDS:
            close = nearest(key, _FIELDS)
            return f"there is no field {key!r}; " + (
                f"did you mean {close!r}?" if close else f"there are {', '.join(_FIELDS)}"
            )
    for key, (types, what) in _FIELDS.items():
        if key not in value:
            if key in ("src", "dst"):
                return f"there is no {key}: give {what}"
        elif isinstance(value[key], bool) or not isinstance(value[key], types):
            return f"{key} is to be {what}"
    return "the line is no question"
