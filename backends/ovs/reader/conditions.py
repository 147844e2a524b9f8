"""What flows ask for, as conditions that the walk evaluates."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from npc.backends.ovs.reader.conjunctions import Part
from npc.backends.ovs.reader.matches import ARP, FAMILIES, NEW, STATES, TRACKED, Match
from npc.backends.ovs.reader.registers import Registers
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_V4, EVERY_V6
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.program import Among, Box, Condition, Known, Line, Marked, Unsupported


class Tracking(Enum):
    """What conntrack was asked of a packet before it came to a table."""

    UNTRACKED = "untracked"
    TRACKED = "tracked"
    """It was looked up in npc's zone: its state is the scenario's."""
    ELSEWHERE = "tracked in another zone"
    """Npc's flows commit nothing there, so that every connection is new."""
    UNKNOWN = "from other tables"
    """It may have been looked up before."""


ETHERTYPE, STATE, IN_PORT, ORIGINAL_PORT = "ethertype", "ct_state", "in_port", "ct_tp_dst"
"""The facts that flows ask for."""
IP = "ip"
"""The value of ETHERTYPE for both address families."""

_EVERYTHING = Box()
_WHOLE = (EVERY_V4, EVERY_V6)


def ethertype_name(number: int) -> str:
    """The value of ETHERTYPE."""
    if number in FAMILIES:
        return IP
    return "arp" if number == ARP else f"{number:#06x}"


def conditions(
    parts: Sequence[Part], tracking: Tracking, registers: Registers, line: Line
) -> tuple[Condition, ...] | None:
    """The conditions that hold where all parts do; None where they contradict each other."""
    matches = [part.match for part in parts]
    marks = dict.fromkeys(Marked(*asked) for one in matches for asked in one.registers)
    if any(_contradict(one, two) for one in marks for two in marks):
        return None
    found: list[Condition] = []
    unions = [part.boxes for part in parts if part.boxes != (_EVERYTHING,)]
    family = next((one.family for one in matches if one.family is not None), None)
    for one in marks:
        boxes = registers.packets(one.register, one.value, one.mask, family)
        if boxes is None:
            found.append(one)
        elif len(unions) == 1 and len(unions[0]) == len(boxes) == 1:
            unions = [(_common(unions[0][0], boxes[0]),)]
        else:
            unions.append(boxes)
    for fact, values in (
        (ETHERTYPE, {ethertype_name(one.ethertype) for one in matches if one.ethertype is not None}),
        (IN_PORT, {one.in_port for one in matches if one.in_port is not None}),
    ):
        if len(values) > 1:
            return None
        if values:
            found.append(Known(fact, frozenset(values)))
    state = _state(matches, tracking, line)
    filled = [tuple(box for box in union if box.sources and box.destinations) for union in unions]
    if state is None or not all(filled):
        return None
    return (*found, *state, *(Among(union) for union in dict.fromkeys(filled)))


def _common(one: Box, two: Box) -> Box:
    return Box(_meet(one.sources, two.sources), _meet(one.destinations, two.destinations), one.traffic)


def _meet(one: Intervals, two: Intervals) -> Intervals:
    """What two sets of addresses have in common, of which `two` is of the first one's family."""
    return two if one in _WHOLE else one & two


def marked(registers: Registers, asked: Marked) -> Condition:
    """What is asked of a register, as addresses where they say it."""
    boxes = registers.packets(asked.register, asked.value, asked.mask)
    return asked if boxes is None else Among(boxes)


def _contradict(one: Marked, two: Marked) -> bool:
    return one.register == two.register and bool((one.value ^ two.value) & one.mask & two.mask)


def _state(matches: Sequence[Match], tracking: Tracking, line: Line) -> tuple[Condition, ...] | None:
    """What is asked of the packet's connection; None where it is not so."""
    asking = [one for one in matches if one.state is not None]
    if not asking:
        return ()
    match tracking:
        case Tracking.UNKNOWN:
            raise Unsupported("`ct_state` of packets that other tables may have tracked", line)
        case Tracking.UNTRACKED:
            return () if _all_have(asking, 0) else None
        case Tracking.ELSEWHERE:
            if not _all_have(asking, NEW | TRACKED):
                return None
            if any(one.original is not None for one in asking):
                raise Unsupported("`ct_nw_proto` of connections in another zone", line)
            return ()
    states = frozenset(name for name, flags in STATES.items() if _all_have(asking, flags))
    if not states:
        return None
    known = (Known(STATE, states),) if len(states) < len(STATES) else ()
    return (*known, *(condition for one in asking for condition in _original(one, states, line)))


def _original(match: Match, states: frozenset[str], line: Line) -> list[Condition]:
    """The connection's first packet: of the same protocol as any of it, where no error is related to it."""
    if match.original is None:
        return []
    if not states <= {"established", "established, reply"}:
        raise Unsupported("`ct_nw_proto` without `ct_state=+est`", line)
    found: list[Condition] = [Among((Box(traffic=traffic.every(match.original)),))]
    if match.original_port is not None:
        if match.original_port != 0:
            raise Unsupported("the match `ct_tp_dst`, but for 0", line)
        found.append(Known(ORIGINAL_PORT, frozenset({"0"})))
    return found


def _all_have(matches: Sequence[Match], flags: int) -> bool:
    return all(one.has_state(flags) for one in matches)
