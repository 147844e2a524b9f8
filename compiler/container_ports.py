"""The ports that a pod's containers name (P10)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from npc.compiler.algebra import traffic
from npc.compiler.frontend import schema
from npc.compiler.inventory import ContainerPort


def named_ports(spec: schema.Spec) -> tuple[ContainerPort, ...]:
    """The named ports of regular containers and of restartable init containers (P10).

    ValueError when one has a number or a protocol that is none of a port's.
    """
    ports: list[ContainerPort] = []
    for container in spec.containers or ():
        if container.ports:
            ports.extend(_ports_of(container))
    for container in spec.init_containers or ():
        if container.restart_policy == "Always":
            ports.extend(_ports_of(container))
    return tuple(dict.fromkeys(ports)) if len(ports) > 1 else tuple(ports)


def _ports_of(container: schema.Container) -> Iterable[ContainerPort]:
    for port in container.ports or ():
        if port.name:
            yield _interned(port.name, port.protocol or "TCP", port.container_port)


@lru_cache(maxsize=65536)
def _interned(name: str, protocol: str, number: int) -> ContainerPort:
    """Pods of one workload share their ports. ValueError: the number or the protocol is none of a port's."""
    if protocol not in traffic.NUMBERS or not 1 <= number <= traffic.LAST_PORT:
        raise ValueError(number)
    return ContainerPort(name, traffic.NUMBERS[protocol], number)
