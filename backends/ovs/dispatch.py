"""The tables that say who a packet is from and for: numbers of classes and of peers, put into registers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from npc.backends.ovs.matches import address_match
from npc.backends.ovs.ruleset import Flow, Match
from npc.backends.ovs.settings import Settings, Step
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.plan import Plan

NOBODY = 0
"""The number of no class, and of no peer that rules speak of."""

Numbers = Mapping[int, int]
"""Numbers by address."""


def class_of_address(plan: Plan, direction: Direction, classes: Mapping[str, int]) -> dict[int, int]:
    """The number of the class of each subject's address; `classes` has them by key."""
    return {
        address: classes[one.key]
        for one in plan.classes
        if one.direction is direction
        for subject in one.subjects
        for address in subject.addresses
    }


def sources(
    settings: Settings,
    classes: Numbers,
    identities: Numbers,
    at_ports: Mapping[int, Endpoint],
    names: Mapping[int, str],
) -> Iterator[Flow]:
    """The egress class and the number of each source.

    What comes from the port of an endpoint has its class, whatever source address it claims; what has the
    address of an endpoint has its class, wherever it comes from.
    """
    direction = Direction.EGRESS
    load = _Load(settings, direction, classes, identities)
    for port, endpoint in sorted(at_ports.items()):
        at = Match("in_port", str(port))
        if identities:
            for address in endpoint.addresses:
                matches = (at, *address_match(address, direction))
                yield Flow(300, matches, load.of(address), names[address])
        number = classes[endpoint.addresses[0]]
        yield Flow(200, (at,), load.numbers(number, NOBODY), f"{endpoint}, whatever its address")
    yield from _by_address(load, names)


def destinations(
    settings: Settings, classes: Numbers, identities: Numbers, names: Mapping[int, str]
) -> Iterator[Flow]:
    """The ingress class and the number of each destination."""
    yield from _by_address(_Load(settings, Direction.INGRESS, classes, identities), names)


@dataclass(frozen=True, slots=True)
class _Load:
    """Actions that put numbers into registers: who is a subject in one direction is a peer in the other."""

    settings: Settings
    direction: Direction
    classes: Numbers
    identities: Numbers

    def of(self, address: int) -> tuple[str, ...]:
        return self.numbers(self.classes.get(address, NOBODY), self.identities.get(address, NOBODY))

    def numbers(self, class_number: int, identity: int) -> tuple[str, ...]:
        """Each register that is ever asked for is set: what another pipeline left in it must not count."""
        settings = self.settings
        if self.direction is Direction.EGRESS:
            other, following = Direction.INGRESS, Step.DESTINATION
        else:
            other, following = Direction.EGRESS, Step.EGRESS
        actions = [f"set_field:{class_number:#x}->{settings.class_register(self.direction)}"]
        if self.identities:
            actions.append(f"set_field:{identity:#x}->{settings.identity_register(other)}")
        return *actions, settings.goto(following)


def _by_address(load: _Load, names: Mapping[int, str]) -> Iterator[Flow]:
    for address in sorted(load.classes.keys() | load.identities.keys()):
        matches = address_match(address, load.direction)
        yield Flow(100, matches, load.of(address), names.get(address, ""))
    yield Flow(0, (), load.numbers(NOBODY, NOBODY))
