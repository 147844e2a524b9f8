"""Which packets a rule is for, in one scenario: its conditions as a union of boxes.

Packets whose two ends are one address are walked apart from all others (`diagonal`). For them a box is what
its two ends have in common, and only sources are looked at; for all others, boxes of one address at both ends
are of nobody. So a set of `ADDRESS . ADDRESS` for hairpins, however long, costs the walk of neither anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.program import Among, Box, Condition, Known, Marked
from npc.compiler.verify.regions import ALL, UNRESTRICTED, End, Region

EVERYTHING = (Box(),)
"""The boxes of a rule without conditions."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of packets beside their fields."""

    values: Mapping[str, str]
    diagonal: bool
    """Source and destination are one address; else they are two."""


def boxes_of(conditions: tuple[Condition, ...], facts: Facts) -> tuple[Box, ...]:
    """The packets for which conditions hold, but for registers, which the walk alone knows."""
    found: tuple[Box, ...] = EVERYTHING
    for condition in conditions:
        match condition:
            case Known(fact, values, negated):
                if (facts.values[fact] in values) is negated:
                    return ()
            case Among():
                found = common(found, _boxes(condition, facts))
            case Marked():
                pass
    return found


def common(one: tuple[Box, ...], two: tuple[Box, ...]) -> tuple[Box, ...]:
    """What is in both of two unions of boxes, as a union of boxes."""
    if one == EVERYTHING:
        return two
    if two == EVERYTHING:
        return one
    return tuple(both for a in one for b in two if (both := _common(a, b)) is not None)


def tells_apart(boxes: tuple[Box, ...], end: End) -> bool:
    """Whether it depends on the endpoint at an end if a packet is in the boxes."""
    return any(end.of(box) not in UNRESTRICTED for box in boxes)


def meet(one: Intervals, two: Intervals) -> Intervals:
    """What two sets of addresses have in common; quick where one of them is everything."""
    if two == EVERY_ADDRESS or one == two:
        return one
    if one == EVERY_ADDRESS:
        return two
    return one & two


def _common(one: Box, two: Box) -> Box | None:
    sources = meet(one.sources, two.sources)
    if not sources:
        return None
    destinations = meet(one.destinations, two.destinations)
    if not destinations:
        return None
    if one.traffic == traffic.ANY:
        kinds = two.traffic
    else:
        kinds = one.traffic if two.traffic == traffic.ANY else one.traffic & two.traffic
    return Box(sources, destinations, kinds) if kinds else None


def _boxes(among: Among, facts: Facts) -> tuple[Box, ...]:
    if facts.diagonal:
        boxes = tuple(
            Box(ends, EVERY_ADDRESS, box.traffic)
            for box in among.boxes
            if (ends := meet(box.sources, box.destinations))
        )
    else:
        boxes = tuple(box for box in among.boxes if not box.is_of_one_address)
    return boxes if not among.negated else _complement(boxes)


def _complement(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    if not boxes:
        return EVERYTHING
    if len(boxes) > 1:
        whole = Region(End.SOURCE, ((EVERY_ADDRESS, ALL),))
        return tuple((whole - Region.of_boxes(End.SOURCE, boxes)).boxes())
    (box,) = boxes
    found = (
        Box(EVERY_ADDRESS - box.sources),
        Box(box.sources, EVERY_ADDRESS - box.destinations),
        Box(box.sources, box.destinations, traffic.ANY - box.traffic),
    )
    return tuple(one for one in found if one.sources and one.destinations and one.traffic)
