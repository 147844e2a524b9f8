"""What the sets and services that a policy refers to come to, for those who write policies out in full.

Takes valid definitions (`definitions` has seen to it that names are defined, and not by themselves).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from npc.compiler.language.tree import (
    Peer,
    Service,
    ServiceDefinition,
    ServiceReference,
    SetDefinition,
    SetReference,
)

_E = TypeVar("_E")


@dataclass(frozen=True, slots=True)
class Names:
    """The sets and services that a policy may refer to, by name."""

    sets: Mapping[str, SetDefinition] = field(default_factory=dict)
    services: Mapping[str, ServiceDefinition] = field(default_factory=dict)

    def peers(self, peers: Sequence[Peer]) -> Iterator[tuple[Peer, Peer]]:
        """The peers that a list comes to, each with the entry of the list that it comes of."""
        for peer in peers:
            yield from ((peer, one) for one in _leaves(peer, self._set))

    def traffic(
        self, services: Sequence[Service | ServiceReference]
    ) -> Iterator[tuple[Service | ServiceReference, Service]]:
        """The services that a list comes to, each with the entry of the list that it comes of."""
        for service in services:
            for one in _leaves(service, self._service):
                if isinstance(one, Service):
                    yield service, one

    def _set(self, peer: Peer) -> tuple[str, Sequence[Peer]] | None:
        if not isinstance(peer, SetReference):
            return None
        return peer.name.text, self.sets[peer.name.text].peers

    def _service(
        self, service: Service | ServiceReference
    ) -> tuple[str, Sequence[Service | ServiceReference]] | None:
        if not isinstance(service, ServiceReference):
            return None
        return service.name.text, self.services[service.name.text].services


def _leaves(entry: _E, follow: Callable[[_E], tuple[str, Sequence[_E]] | None]) -> Iterator[_E]:
    """What an entry of a list comes to. `follow` gives a reference's name and the list behind it.

    A name that is met again adds nothing and is not followed again: a few lines can refer a billion times.
    """
    seen: set[str] = set()
    ways = [iter((entry,))]
    while ways:
        for one in ways[-1]:
            found = follow(one)
            if found is None:
                yield one
            elif found[0] not in seen:
                seen.add(found[0])
                ways.append(iter(found[1]))
                break
        else:
            ways.pop()
