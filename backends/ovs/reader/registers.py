"""Registers that say nothing but whose address a packet has: what asks for one asks for addresses.

Tables that do nothing but set registers, by one end's address alone, are not walked through flow by flow:
each value stands for the addresses that get it. All other registers stay registers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from npc.backends.ovs.reader.actions import Actions
from npc.backends.ovs.reader.flows import Flow
from npc.backends.ovs.reader.matches import Match
from npc.compiler.algebra.addresses import EVERY_ADDRESS, EVERY_V4, EVERY_V6, Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.program import Box, Line

_UNRESTRICTED = (EVERY_ADDRESS, EVERY_V4, EVERY_V6)


@dataclass(frozen=True, slots=True)
class Value:
    """The packets with a value in a register, and the first flow that gives it to them."""

    value: int
    packets: Mapping[Family | None, Box]
    """All, and those of each address family."""
    line: Line


@dataclass(frozen=True, slots=True)
class Registers:
    """What is known of registers."""

    values: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    """All values that a register may have, each once."""
    dispatches: Mapping[int, Flow] = field(default_factory=dict)
    """By table, those that only set registers that are known; each with the flow for whom it has no other."""

    def packets(
        self, name: str, value: int, mask: int, family: Family | None = None
    ) -> tuple[Box, ...] | None:
        """The packets that have a value where a mask has ones; None where it is not known."""
        if name not in self.values:
            return None
        return tuple(one.packets[family] for one in self.values[name] if not (one.value ^ value) & mask)

    def line(self, name: str, value: int) -> Line | None:
        """The first flow that gives a register a value."""
        return next((one.line for one in self.values.get(name, ()) if one.value == value), None)


def known_registers(flows: Sequence[Flow], first_table: int) -> Registers:
    """What the tables of a pipeline tell."""
    by_table: dict[int, list[Flow]] = {}
    setters: dict[str, set[int]] = {}
    for flow in flows:
        by_table.setdefault(flow.table, []).append(flow)
        for name, _ in flow.actions.registers:
            setters.setdefault(name, set()).add(flow.table)
    without_address = _reached_without_address(by_table, first_table)
    values: dict[str, tuple[Value, ...]] = {}
    dispatches: dict[int, Flow] = {}
    for table, own in by_table.items():
        names = {name for flow in own for name, _ in flow.actions.registers}
        if not names or table in without_address or any(len(setters[name]) > 1 for name in names):
            continue
        parts = _parts(own, names)
        if parts is not None:
            values |= {name: _values(name, parts) for name in names}
            dispatches[table] = min(own, key=lambda flow: flow.priority)
    return Registers(values, dispatches)


def _reached_without_address(by_table: Mapping[int, Sequence[Flow]], first: int) -> set[int]:
    """The tables to which packets come that are not IP."""
    found = {first}
    for table in sorted(by_table):
        if table in found:
            found |= {
                flow.actions.table
                for flow in by_table[table]
                if flow.match.family is None and flow.actions.table is not None
            }
    return found


_Part = tuple[Flow, Box]
"""A flow, and the packets that it gets."""


def _parts(flows: Sequence[Flow], names: set[str]) -> list[_Part] | None:
    """Which packets each flow gets; None where that is not a matter of one end's address alone."""
    if len({_after(flow.actions) for flow in flows}) > 1 or flows[0].actions.table is None:
        return None
    if any({name for name, _ in flow.actions.registers} != names for flow in flows):
        return None
    if any(flow.match != Match(flow.match.ethertype) for flow in flows):
        return None
    boxes = [box for flow in flows for box in flow.boxes]
    by_source = all(box.destinations in _UNRESTRICTED for box in boxes)
    if not by_source and not all(box.sources in _UNRESTRICTED for box in boxes):
        return None
    found: list[_Part] = []
    taken = Intervals()
    ordered = sorted(flows, key=lambda flow: -flow.priority)
    for _, level in groupby(ordered, lambda flow: flow.priority):
        together = [
            (flow, Intervals.union(box.sources if by_source else box.destinations for box in flow.boxes))
            for flow in level
        ]
        union = Intervals.union(own for _, own in together)
        if sum(_size(own) for _, own in together) != _size(union):
            return None  # which flow an address gets is undefined
        for flow, own in together:
            left = own - taken if taken else own
            found.append((flow, Box(left) if by_source else Box(destinations=left)))
        taken |= union
    return found if taken == EVERY_ADDRESS else None


def _after(actions: Actions) -> Actions:
    """What is done besides setting registers."""
    return replace(actions, registers=())


def _values(name: str, parts: Iterable[_Part]) -> tuple[Value, ...]:
    boxes: dict[int, list[Box]] = {}
    lines: dict[int, Line] = {}
    for flow, box in parts:
        value = dict(flow.actions.registers)[name]
        boxes.setdefault(value, []).append(box)
        lines[value] = min(lines.get(value, flow.line), flow.line)
    return tuple(Value(value, _by_family(_union(own)), lines[value]) for value, own in boxes.items())


def _by_family(box: Box) -> dict[Family | None, Box]:
    found: dict[Family | None, Box] = {None: box}
    for family in Family:
        found[family] = Box(box.sources & family.every, box.destinations & family.every)
    return found


def _union(boxes: Sequence[Box]) -> Box:
    """The union of boxes that differ at one end."""
    return Box(
        Intervals.union({box.sources for box in boxes}),
        Intervals.union({box.destinations for box in boxes}),
    )


def _size(addresses: Intervals) -> int:
    return sum(high - low + 1 for low, high in addresses.ranges)
