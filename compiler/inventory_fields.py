"""What the fields of inventory objects say: labels, addresses, ports and names, each validated by itself.

Takes plain values and where they were written, gives them as an `Inventory` has them. What is wrong is kept
as a diagnostic that names the object and the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import NO_HOSTS, Family, is_mapped, parse_address
from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.diagnostics import Diagnostic, did_you_mean
from npc.compiler.frontend.names import (
    dns_label_fault,
    dns_subdomain_fault,
    label_key_fault,
    label_value_fault,
    port_name_fault,
)
from npc.compiler.frontend.shapes import describe, quoted
from npc.compiler.frontend.source import Origin, PathInDocument, format_path
from npc.compiler.inventory import LAST_OVS_PORT, ContainerPort

LONGEST_ABOUT = 200
"""Characters of what an object is called in a message."""

node_name_fault = lru_cache(maxsize=65536)(dns_subdomain_fault)
"""Cached: many pods name one node."""

_NO_LABELS: Mapping[str, str] = {}


@dataclass(slots=True)
class FieldReader:
    """Reads fields, and remembers what was wrong with any."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    _valid_labels: set[tuple[str, str | None]] = field(default_factory=set)
    """Labels that were looked at already: most pods share theirs."""

    def ovs_port(self, text: str | None, about: str, origin: Origin, path: PathInDocument) -> int | None:
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= LAST_OVS_PORT:
            message = f"{quoted(text)} is not an OpenFlow port"
            self.error(origin.at(*path), about, message, f"1 to {LAST_OVS_PORT}")
            return None
        return int(text)

    def node_name(self, name: str, about: str, origin: Origin, path: PathInDocument) -> str:
        if name and (fault := node_name_fault(name)) is not None:
            self.error(origin.at(*path), about, f"{quoted(name)} is not a node's name", fault)
        return name

    def bad_ports(self, spec: schema.Spec, about: str, origin: Origin) -> None:
        """Report what `_named_ports` could not read."""
        lists = (("containers", spec.containers), ("initContainers", spec.init_containers))
        for list_name, containers in lists:
            for index, container in enumerate(containers or ()):
                for position, port in enumerate(container.ports or ()):
                    at = origin.at("spec", list_name, index, "ports", position)
                    if not 1 <= port.container_port <= traffic.LAST_PORT:
                        message = f"{describe(port.container_port)} is not a port number"
                        self.error(at.at("containerPort"), about, message, "1 to 65535")
                    if port.protocol and port.protocol not in traffic.NUMBERS:
                        message = f"{quoted(port.protocol)} is not a protocol"
                        help = did_you_mean(port.protocol, traffic.NUMBERS)
                        self.error(at.at("protocol"), about, message, help)

    def compact_port(self, name: str, value: int | str, about: str, origin: Origin) -> ContainerPort | None:
        """`8080` (TCP), or `53/udp`."""
        number, _, protocol = str(value).partition("/")
        known = traffic.NUMBERS.get(protocol.upper() or "TCP")
        if (fault := port_name_fault(name)) is not None:
            self.error(origin.at("ports").key(name), about, f"{quoted(name)} is not a port name", fault)
        elif (
            known is None
            or not re.fullmatch(r"[0-9]{1,5}(/[a-zA-Z]+)?", str(value))
            or not 1 <= int(number) <= traffic.LAST_PORT
        ):
            self.error(
                origin.at("ports", name),
                about,
                f"{quoted(str(value))} is not a port",
                help="a number from 1 to 65535, and a protocol where it is not TCP: 53/udp",
            )
        else:
            return ContainerPort(name, known, int(number))
        return None

    def report_at(self, about: str, origin: Origin) -> Callable[[PathInDocument, str, str], None]:
        """Reports errors of an object, each at a path below an origin."""
        return lambda path, message, help: self.error(origin.at(*path), about, message, help)

    def labels(
        self, labels: schema.Labels | None, about: str, origin: Origin, path: PathInDocument
    ) -> Mapping[str, str]:
        if not labels:
            return _NO_LABELS
        if labels.items() <= self._valid_labels:
            return labels  # type: ignore[return-value]  # no valid label has the value None
        for label in labels.items():
            key, value = label
            if (fault := label_key_fault(key)) is not None:
                self.error(origin.at(*path).key(key), about, f"{quoted(key)} is not a label key", fault)
            elif (fault := label_value_fault(value or "")) is not None:
                message = f"{quoted(value or '')} is not a label value"
                self.error(origin.at(*path, key), about, message, fault)
            elif value is not None:
                self._valid_labels.add(label)
        if None in labels.values():
            return {key: value or "" for key, value in labels.items()}
        return labels  # type: ignore[return-value]  # no value is None

    def addresses(
        self, texts: list[tuple[str, PathInDocument]], about: str, origin: Origin
    ) -> tuple[int, ...]:
        """One address of each family at most, IPv4 first (E3)."""
        if len(texts) == 1:
            address = self.parse(*texts[0], about, origin)
            return () if address is None else (address,)
        read = {self.parse(text, path, about, origin) for text, path in texts}
        addresses = tuple(sorted(address for address in read if address is not None))
        if len({Family.of(address) for address in addresses}) < len(addresses):
            self._second_of_a_family(texts, about, origin)
        return addresses

    def _second_of_a_family(
        self, texts: list[tuple[str, PathInDocument]], about: str, origin: Origin
    ) -> None:
        firsts: dict[Family, int] = {}
        for text, path in texts:
            address = parse_address(text)
            if firsts.setdefault(Family.of(address), address) != address:
                self.error(
                    origin.at(*path),
                    about,
                    "a second address of one family",
                    "an endpoint has one IPv4 address, one IPv6 address, or one of each",
                )
                return

    def parse(self, text: str, path: PathInDocument, about: str, origin: Origin) -> int | None:
        try:
            address = parse_address(text)
        except ValueError:
            self.error(
                origin.at(*path), about, f"{quoted(text)} is not an IP address", "like 10.0.0.1 or fd00::1"
            )
            return None
        if is_mapped(address):
            self.error(
                origin.at(*path), about, f"{quoted(text)} is an IPv4 address in IPv6 form", "write it as IPv4"
            )
            return None
        if address in NO_HOSTS:
            self.error(
                origin.at(*path), about, f"{quoted(text)} is no host's address", "a unicast one like 10.0.0.1"
            )
            return None
        return address

    def bad_names(
        self, name: str, namespace: str, about: str, origin: Origin, named_at: PathInDocument
    ) -> None:
        """Report what is wrong with a name or a namespace."""
        if (fault := dns_subdomain_fault(name)) is not None:
            self.no_name(name, "a name", about, origin.at(*named_at, "name"), fault)
        if (fault := dns_label_fault(namespace)) is not None:
            self.no_name(namespace, "a namespace's name", about, origin.at(*named_at, "namespace"), fault)

    def no_name(self, name: str, expected: str, about: str, origin: Origin, fault: str) -> None:
        self.error(origin, about, f"{quoted(name)} is not {expected}", fault)

    def error(self, origin: Origin, about: str, message: str, help: str = "") -> None:
        path = origin.path
        while path[:1] == ("items",):  # as for policies, the path within the object
            path = path[2:]
        about = about[:LONGEST_ABOUT].strip()
        self.diagnostics.append(
            Diagnostic(codes.INVALID_INVENTORY, message, origin, format_path(path), help=help, about=about)
        )


def are_names(name: str, namespace: str) -> bool:
    """Whether an object's name and its namespace's are such."""
    return dns_subdomain_fault(name) is None and dns_label_fault(namespace) is None
