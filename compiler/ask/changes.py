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
    return whole


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
