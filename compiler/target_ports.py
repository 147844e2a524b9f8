"""Where a Service sends what it gets: the ports of the endpoints behind it (X5).

Takes ports as Kubernetes and as the compact inventory write them, gives `TargetPort`s; what is none of
these is told to `report` with its place below the list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from npc.compiler.algebra import traffic
from npc.compiler.frontend import schema
from npc.compiler.frontend.diagnostics import did_you_mean
from npc.compiler.frontend.names import port_name_fault
from npc.compiler.frontend.shapes import quoted
from npc.compiler.frontend.source import PathInDocument
from npc.compiler.inventory import TargetPort

Report = Callable[[PathInDocument, str, str], None]
"""Told of a fault: where, what is wrong, and what would be right."""

_RANGE = f"1 to {traffic.LAST_PORT}"
_COMPACT = re.compile(r"([0-9]{1,5}|[a-z0-9-]*[a-z][a-z0-9-]*)(?:/([a-zA-Z]+))?")


def read_target_ports(ports: Iterable[schema.ServicePort], report: Report) -> Iterator[TargetPort]:
    """The ports of a Kubernetes Service; a targetPort that is not given, or 0, is the Service's own port."""
    for index, one in enumerate(ports):
        protocol = traffic.NUMBERS.get(one.protocol or "TCP")
        if protocol is None:
            help = did_you_mean(one.protocol or "", traffic.NUMBERS)
            report((index, "protocol"), f"{quoted(one.protocol or '')} is not a protocol", help)
            continue
        field = "targetPort" if one.target_port else "port"
        match one.target_port or one.port:
            case str(name) if (fault := port_name_fault(name)) is not None:
                report((index, field), f"{quoted(name)} is not a port name", fault)
            case int(number) if not 1 <= number <= traffic.LAST_PORT:
                report((index, field), f"{number} is not a port number", _RANGE)
            case port:
                yield TargetPort(protocol, port)


def read_compact_target_ports(values: Iterable[int | str], report: Report) -> Iterator[TargetPort]:
    """`5432` or `postgres` (TCP), `53/udp` or `dns/udp`."""
    for index, value in enumerate(values):
        match = _COMPACT.fullmatch(str(value))
        protocol = traffic.NUMBERS.get((match[2] or "TCP").upper()) if match is not None else None
        port = _number_or_name(match[1]) if match is not None else None
        if protocol is None or port is None:
            help = "a port's number or name, and a protocol where it is not TCP: 5432, postgres, 53/udp"
            report((index,), f"{quoted(str(value))} is not a port", help)
        else:
            yield TargetPort(protocol, port)


def _number_or_name(text: str) -> int | str | None:
    if not text.isdigit():
        return text if port_name_fault(text) is None else None
    return int(text) if 1 <= int(text) <= traffic.LAST_PORT else None
