"""Changes of what passes between ends: what they say, and how equal ones become one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.answers import Answer, Between
from npc.compiler.ask.ends import Ends, Place
from npc.compiler.labels import members


class Presence(Enum):
    """Which side has an end of a connection."""

    BOTH = "both"
    OLD = "old"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Change:
    """Each source with each destination, but with itself and its own node: what passes before and after.

    Addresses outside are meant as far as no endpoint of either side has them.
    """

    source: Ends
    destination: Ends
    before: Intervals
    after: Intervals
    sources: Presence = Presence.BOTH
    destinations: Presence = Presence.BOTH
    between: Between = Between.OTHERS
    """OTHERS, or ITSELF: each endpoint with itself, through a Service (C6)."""

    @property
    def gained(self) -> Intervals:
        """What passes now, and did not."""
        return self.after - self.before

    @property
    def lost(self) -> Intervals:
        """What passed, and does not now."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Witness:
    """A packet that is decided differently, and why; None where a side does not have one of its ends."""

    source: Place
    destination: Place
    traffic: int
    passes: bool
    """Whether it passes now."""
    before: Answer | None
    after: Answer | None


def merged(parts: Iterable[Change]) -> list[Change]:
    """Equal changes as few."""
    found = _joined(parts, lambda one: one.between is Between.ITSELF or one.source)
    found = _joined(found, lambda one: one.between is Between.ITSELF or one.destination)
    groups: dict[Hashable, list[Change]] = {}
    for one in found:
        groups.setdefault((_kind(one), one.source.endpoints, one.destination.endpoints), []).append(one)
    whole = []
    for alike in groups.values():
        is_pair = len(alike) == 2 and not any(
            alike[0].source.of_family(one) and alike[1].destination.of_family(one) for one in Family
        )
        whole += [_union(*alike)] if is_pair else alike
    return _of_both_families(whole)


def _of_both_families(parts: Iterable[Change]) -> list[Change]:
    """Of equal changes one by IPv4 and one by IPv6 as one, where one end has the same endpoints.

    The other end's endpoints of the one are among those of the other: pods with addresses of both families,
    and some of one alone. No packet runs between families, so together they say no more than each.
    """
    found = list(parts)
    for end in (_destination, _source):
        groups: dict[Hashable, list[Change]] = {}
        for one in found:
            alike = groups.setdefault((_kind(one), end(one).endpoints), [])
            if len(alike) == 1 and _are_of_two_families(one, alike[0]) and _is_part(one, alike[0]):
                alike[0] = _union(alike[0], one)
            else:
                alike.append(one)
        found = [one for alike in groups.values() for one in alike]
    return found


def _source(one: Change) -> Ends:
    return one.source


def _destination(one: Change) -> Ends:
    return one.destination


def _are_of_two_families(one: Change, other: Change) -> bool:
    """Whether all packets of a change are of one family, and those of the other change of the other."""
    families = [
        {family for family in Family for ends in (each.source, each.destination) if ends.of_family(family)}
        for each in (one, other)
    ]
    return len(families[0]) == len(families[1]) == 1 and families[0] != families[1]


def _is_part(one: Change, other: Change) -> bool:
    """Whether the endpoints of either change are, at both ends, among those of the other."""
    here, there = ((each.source.endpoints, each.destination.endpoints) for each in (one, other))
    return any(
        less[0] & ~more[0] == 0 and less[1] & ~more[1] == 0 for less, more in ((here, there), (there, here))
    )


def _joined(parts: Iterable[Change], key: Callable[[Change], Hashable]) -> list[Change]:
    groups: dict[Hashable, Change] = {}
    for one in parts:
        whole = _kind(one), key(one)
        groups[whole] = _union(groups[whole], one) if whole in groups else one
    return list(groups.values())


def _kind(one: Change) -> Hashable:
    return one.before, one.after, one.sources, one.destinations, one.between


def _union(one: Change, other: Change) -> Change:
    return replace(one, source=one.source | other.source, destination=one.destination | other.destination)


def order_of(one: Change) -> tuple[object, ...]:
    """What changes are sorted by: their ends."""
    ends = (
        (next(members(ends.endpoints), -1), ends.outside.ranges, ends.endpoints)
        for ends in (one.source, one.destination)
    )
    return (one.between.value, *ends, one.before.ranges, one.after.ranges)
