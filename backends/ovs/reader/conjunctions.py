"""Conjunctions as the rules that they stand for (ovs-fields(7), "Conjunctive match fields").

Flows with the action `conjunction(ID,K/N)` are alternatives of the K-th of N dimensions. A packet for which
every dimension has one that matches, at one priority, is looked up again as one with that `conj_id`, among
all flows but those of conjunctions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from npc.backends.ovs.reader.actions import Actions
from npc.backends.ovs.reader.flows import Flow
from npc.backends.ovs.reader.matches import Match
from npc.compiler.algebra import traffic
from npc.compiler.verify.program import Box, Line, Malformed, Unsupported
from npc.compiler.verify.selections import common

MOST = 10_000
"""Rules that one conjunction may come to: its dimensions' alternatives but for addresses and traffic."""


@dataclass(frozen=True, slots=True)
class Part:
    """Conditions that hold together: what is asked beside addresses and traffic, and boxes of both."""

    match: Match
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """What acts at a priority: a flow by itself, or a conjunction, all of whose parts hold."""

    priority: int
    parts: tuple[Part, ...]
    actions: Actions
    line: Line


def joined(flows: Sequence[Flow]) -> Iterator[Joined]:
    """All flows of a table, conjunctions as one each."""
    for flow in flows:
        if not flow.actions.clauses and flow.match.conjunction is None:
            yield Joined(flow.priority, (_part(flow),), flow.actions, flow.line)
    ends: dict[int, list[Flow]] = {}
    for flow in flows:
        if flow.match.conjunction is not None and not flow.actions.clauses:
            ends.setdefault(flow.match.conjunction, []).append(flow)
    conjunctions = _dimensions(flows)
    for (priority, number), dimensions in conjunctions.items():
        if number not in ends and not any(
            _may_hide(dimensions, other)
            for (below, _), other in conjunctions.items()
            if below <= priority and other is not dimensions
        ):
            # It is looked up, and what is found is what would have been without it.
            _check_not_hidden(number, flows)
            continue
        yield from _conjunction(priority, number, dimensions, ends.get(number, []))


def _check_not_hidden(number: int, flows: Sequence[Flow]) -> None:
    """Raise Unsupported where a flow may not be found after a conjunction that has no flow with `conj_id`.

    The second look-up passes over flows of conjunctions, and with them over those below that ask the same.
    """
    clauses: dict[Match, list[Flow]] = {}
    for flow in flows:
        if flow.actions.clauses:
            clauses.setdefault(flow.match, []).append(flow)
    for flow in flows:
        if flow.actions.clauses:
            continue
        for other in clauses.get(flow.match, ()):
            if flow.priority < other.priority and common(flow.boxes, other.boxes):
                what = f"conjunction {number}, which has no flow with `conj_id`"
                raise Unsupported(f"{what}, above a flow that asks the same", flow.line)


Dimension = dict[Match, list[Box]]
"""The alternatives of a dimension: boxes, by what is asked beside them."""


@dataclass(slots=True)
class _Dimensions:
    """All dimensions of a conjunction, and the first flow of any."""

    size: int
    line: Line
    found: dict[int, Dimension]


def _dimensions(flows: Iterable[Flow]) -> dict[tuple[int, int], _Dimensions]:
    """The conjunctions, by priority and number."""
    conjunctions: dict[tuple[int, int], _Dimensions] = {}
    for flow in flows:
        for clause in flow.actions.clauses:
            key = flow.priority, clause.number
            conjunction = conjunctions.setdefault(key, _Dimensions(clause.size, flow.line, {}))
            if conjunction.size != clause.size:
                message = f"conjunction {clause.number} of {conjunction.size} and of {clause.size} dimensions"
                raise Malformed(message, flow.line)
            boxes = conjunction.found.setdefault(clause.dimension, {})
            boxes.setdefault(_beside_boxes(flow.match), []).extend(flow.boxes)
    return conjunctions


def _may_hide(one: _Dimensions, other: _Dimensions) -> bool:
    """Whether some packet may be of two conjunctions: a register of which both ask has not two values."""
    values = _exact(one)
    return not any(values.get(name, value) != value for name, value in _exact(other).items())


def _exact(dimensions: _Dimensions) -> dict[str, int]:
    """The registers of which some dimension asks for one value, whatever its alternative."""
    found: dict[str, int] = {}
    for dimension in dimensions.found.values():
        asked = [set(match.registers) for match in dimension]
        found |= {name: value for name, value, mask in set.intersection(*asked) if mask == 0xFFFF_FFFF}
    return found


def _conjunction(
    priority: int, number: int, dimensions: _Dimensions, ends: Sequence[Flow]
) -> Iterator[Joined]:
    """The rules that a conjunction stands for: one for each choice of what is asked beside boxes."""
    if len(dimensions.found) < dimensions.size:
        return  # some dimension has no flow: it never matches
    count = 1
    for dimension in dimensions.found.values():
        count *= len(dimension)
    if count > MOST:
        raise Unsupported(f"conjunction {number} of more than {MOST} rules", dimensions.line)
    if len(ends) != 1 or ends[0].priority < priority or not _is_implied(ends[0], dimensions):
        raise Unsupported(f"conjunction {number}, whose flow with `conj_id` asks for more", dimensions.line)
    (end,) = ends
    for parts in product(*(dimension.items() for dimension in dimensions.found.values())):
        yield Joined(
            priority, tuple(Part(match, tuple(boxes)) for match, boxes in parts), end.actions, end.line
        )


def _is_implied(end: Flow, dimensions: _Dimensions) -> bool:
    """Whether a flow with `conj_id` matches whatever its conjunction does."""
    asked = end.match
    every = [list(dimension) for dimension in dimensions.found.values()]
    if asked.original is not None:
        return False
    for name in ("ethertype", "state", "in_port"):
        wanted = getattr(asked, name)
        alike = (all(getattr(one, name) == wanted for one in some) for some in every)
        if wanted is not None and not any(alike):
            return False
    for register in asked.registers:
        if not any(all(register in one.registers for one in some) for some in every):
            return False
    return any(
        all(_is_inside(box, end.boxes) for boxes in dimension.values() for box in boxes)
        for dimension in dimensions.found.values()
    )


def _is_inside(box: Box, boxes: Sequence[Box]) -> bool:
    return any(
        box.sources <= one.sources and box.destinations <= one.destinations and box.traffic <= one.traffic
        for one in boxes
    )


def _part(flow: Flow) -> Part:
    return Part(_beside_boxes(flow.match), flow.boxes)


def _beside_boxes(match: Match) -> Match:
    return match if match.traffic == traffic.ANY else replace(match, traffic=traffic.ANY)
