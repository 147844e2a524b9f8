"""A plan as a table: a row says what one subject may exchange by one protocol, and with whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from npc.backends.base import Options
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import cidrs, format_cidr
from npc.compiler.algebra.intervals import Range
from npc.compiler.algebra.peers import ANYONE, Peers
from npc.compiler.arms import by_traffic
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.optimize.blocks import hulls
from npc.compiler.plan import Class, Plan

SEPARATOR = "separator"
ALL = "all"


class Row(NamedTuple):
    """The fields of a row; a subject that may exchange nothing has one with no protocol, ports and peers."""

    direction: str
    subject: str
    protocol: str
    ports: str
    peers: str
    policies: str


@dataclass(frozen=True, slots=True)
class Table:
    """What the template prints."""

    separator: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def lower(plan: Plan, options: Options) -> Table:
    """The table of a plan. InputError for an option that says more than a table can."""
    unknown = {
        "--own-node policed": options.own_node is not Options().own_node,
        "--deny-with reject": options.deny_with is not Options().deny_with,
        "--log-denied": options.log_denied,
    }
    faults = [
        Diagnostic(codes.OPTION, f"the target csv has no {option}: a table only says what is allowed")
        for option, is_given in unknown.items()
        if is_given
    ]
    separator = options.settings.get(SEPARATOR, ",")
    if len(separator) != 1 or separator in '"\r\n':
        faults.append(Diagnostic(codes.OPTION, f"the separator {separator!r} is not one character"))
    if faults:
        raise InputError(faults)
    rows = [row for one in plan.classes for row in _rows(one)]
    return Table(separator, Row._fields, tuple(sorted(rows, key=lambda row: row[:2])))


def _rows(one: Class) -> Iterator[Row]:
    policies = " ".join(one.policies)
    for subject in map(str, one.subjects):
        if not one.decision:
            yield Row(one.direction.value, subject, "", "", "", policies)
        for arm in by_traffic(one.decision):
            peers = _peers(arm.peers)
            for protocol, ports in _protocols(arm.traffic == traffic.ANY, traffic.by_protocol(arm.traffic)):
                yield Row(one.direction.value, subject, protocol, ports, peers, policies)


def _protocols(is_any: bool, ports: dict[int, tuple[tuple[int, int], ...]]) -> Iterator[tuple[str, str]]:
    """Each protocol with its ports, as text."""
    if is_any:
        yield ALL, ALL
        return
    for protocol, ranges in ports.items():
        whole = ranges == ((0, traffic.LAST_PORT),)
        words = [str(low) if low == high else f"{low}-{high}" for low, high in ranges]
        yield traffic.NAMES.get(protocol, str(protocol)), ALL if whole else " ".join(words)


def _peers(peers: Peers) -> str:
    """Groups by their selectors, then blocks."""
    if peers == ANYONE:
        return ALL
    words = [group.key for group in sorted(peers.groups)]
    for hull, holes in hulls(peers.blocks):
        excepts = _cidrs(*holes)
        words.append(_cidrs(hull) + (f" except {excepts}" if excepts else ""))
    return "; ".join(words)


def _cidrs(*ranges: Range) -> str:
    return " ".join(format_cidr(block) for one in ranges for block in cidrs(one))
