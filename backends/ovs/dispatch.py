"""The tables that say who a packet is from and for: numbers of classes and of peers, put into registers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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

    def load(class_number: int, identity: int) -> tuple[str, ...]:
        return _load(settings, direction, class_number, identity)

    for port, endpoint in sorted(at_ports.items()):
        at = Match("in_port", str(port))
        for address in endpoint.addresses:
            matches = (at, *address_match(address, direction))
            yield Flow(300, matches, load(classes[address], identities.get(address, NOBODY)), names[address])
        yield Flow(200, (at,), load(classes[endpoint.addresses[0]], NOBODY), f"{endpoint}, any address")
    yield from _by_address(settings, direction, classes, identities, names)


def destinations(
    settings: Settings, classes: Numbers, identities: Numbers, names: Mapping[int, str]
) -> Iterator[Flow]:
    """The ingress class and the number of each destination."""
    yield from _by_address(settings, Direction.INGRESS, classes, identities, names)


def _by_address(
    settings: Settings, direction: Direction, classes: Numbers, identities: Numbers, names: Mapping[int, str]
) -> Iterator[Flow]:
    for address in sorted(classes.keys() | identities.keys()):
        numbers = classes.get(address, NOBODY), identities.get(address, NOBODY)
        actions = _load(settings, direction, *numbers)
        yield Flow(100, address_match(address, direction), actions, names.get(address, ""))
    yield Flow(0, (), _load(settings, direction, NOBODY, NOBODY))


def _load(settings: Settings, direction: Direction, class_number: int, identity: int) -> tuple[str, ...]:
    """Set both registers, always: what another pipeline left in them must not count.

    Who is a subject in one direction is a peer in the other.
    """
    other, following = (
        (Direction.INGRESS, Step.DESTINATION)
        if direction is Direction.EGRESS
        else (Direction.EGRESS, Step.EGRESS)
    )
    return (
        f"set_field:{class_number:#x}->{settings.class_register(direction)}",
        f"set_field:{identity:#x}->{settings.identity_register(other)}",
        settings.goto(following),
    )
