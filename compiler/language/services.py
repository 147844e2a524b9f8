"""What services say: protocols and ports, with the names of services worked out (P9, P10, X3, X4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from npc.compiler.algebra import traffic
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import did_you_mean
from npc.compiler.frontend.names import port_name_fault
from npc.compiler.frontend.shapes import quoted
from npc.compiler.frontend.syntax import NamedPort, Port, Ports
from npc.compiler.language import tree
from npc.compiler.language.findings import Findings
from npc.compiler.language.icmp import TYPES
from npc.compiler.language.usual import value_hint

_PROTOCOLS: Final = {name: number for number, name in traffic.NAMES.items()}
_ANY: Final = "any"
_LIKE_ALL: Final = frozenset({"all", "any"})
_LAST_TYPE: Final = 0xFF


@dataclass(frozen=True, slots=True)
class ServiceReader:
    """Reads the services of one file."""

    findings: Findings
    look_up: Callable[[tree.ServiceReference], tuple[Port, ...]]
    """What a reference stands for; nothing, and reported, when that cannot be said."""

    def read(self, services: tree.Traffic) -> tuple[Port, ...]:
        """All that the services say."""
        found: list[Port] = []
        for one in services:
            if isinstance(one, tree.ServiceReference):
                found.extend(self.look_up(one))
            elif (port := self._service(one)) is not None:
                found.append(port)
        return tuple(found)

    def _service(self, service: tree.Service) -> Port | None:
        if service.protocol == _ANY:
            return self._of_any(service)
        protocol = _PROTOCOLS[service.protocol]
        match service.port:
            case None:
                return Ports(protocol, 0, traffic.LAST_PORT)
            case tree.Text() as name if protocol in TYPES:
                return self._type_name(protocol, name)
            case tree.Text() as name:
                if not self._is_port_name(name):
                    return None
                self._check_name(service, name, f"for all ports write {service.protocol}")
                return NamedPort(protocol, name.text)
            case tree.Number(value=value) as port:
                return self._range(protocol, value, value, port)
            case tree.PortRange(first=first, last=last) as port:
                return self._range(protocol, first, last, port)

    def _of_any(self, service: tree.Service) -> NamedPort | None:
        """A named port of whichever protocol the destination gives it."""
        match service.port:
            case tree.Text() as name:
                if not self._is_port_name(name):
                    return None
                self._check_name(service, name, "for all traffic leave the service out")
                return NamedPort(None, name.text)
            case tree.Number(value=number):
                help = f"write tcp/{number}, udp/{number}"
            case tree.PortRange(first=first, last=last):
                help = f"write tcp/{first}-{last}, udp/{first}-{last}"
            case _:
                help = "for all traffic, leave the service out"
        message = "'any' stands with the name of a port: the destination says of which protocol it is"
        self.findings.report(codes.INVALID, message, service, help=help)
        return None

    def _check_name(self, service: tree.Service, name: tree.Text, help: str) -> None:
        """Warn of a port's name that is written like all ports."""
        if name.text in _LIKE_ALL:
            message = (
                f"'{service.protocol}/{name.text}' is the port that is named '{name.text}', and no other"
            )
            self.findings.report(codes.NAMED_LIKE_ALL, message, service, help=help)

    def _is_port_name(self, name: tree.Text) -> bool:
        if port_name_fault(name.text) is None:
            return True
        help = "1 to 65535, a range like 8000-8080, or a name of up to 15 lower-case letters, digits and '-'"
        expected = "a port"
        self.findings.invalid(quoted(name.text), expected, name, value_hint(expected, name.text) or help)
        return False

    def _type_name(self, protocol: int, name: tree.Text) -> Ports | None:
        number = TYPES[protocol].get(name.text)
        if number is None:
            expected = f"an {traffic.NAMES[protocol]} type"
            help = value_hint(expected, name.text) or did_you_mean(name.text, TYPES[protocol])
            self.findings.invalid(quoted(name.text), expected, name, help)
            return None
        return Ports(protocol, number << 8, number << 8 | 0xFF)

    def _range(
        self, protocol: int, first: int, last: int, node: tree.Number | tree.PortRange
    ) -> Ports | None:
        is_icmp = protocol in TYPES
        low, high = (0, _LAST_TYPE) if is_icmp else (1, traffic.LAST_PORT)
        for one in (first,) if first == last else (first, last):
            if not low <= one <= high:
                what = f"an {traffic.NAMES[protocol]} type" if is_icmp else "a port number"
                self.findings.invalid(str(one), what, node, f"{low} to {high}")
                return None
        if last < first:
            message = f"Invalid value: the range ends at {last}, before it begins"
            self.findings.report(codes.INVALID, message, node, help=f"write {last}-{first}")
            return None
        return Ports(protocol, first << 8, last << 8 | 0xFF) if is_icmp else Ports(protocol, first, last)
