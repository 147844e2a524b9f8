"""A report as text for a terminal: by who sends, with what they may send to whom."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from npc.compiler.algebra.intervals import Intervals
from npc.compiler.frontend.syntax import Direction
from npc.compiler.labels import Bits, members
from npc.reach.names import blocks
from npc.reach.report import Exposure, Report, Sentence

WIDTH = 110
"""Columns, where a list of names does not ask for more."""
_PORTS = 24
"""Columns of the ports, where they need no more."""


def text(report: Report) -> str:
    """The report; every line ends with a newline."""
    lines = [*_connections(report), *_parts(report), *_exposure(report)]
    if not lines:
        lines = ["Nothing passes that was asked about.", ""]
    return "\n".join([*lines, *report.notes]).rstrip("\n") + "\n"


def _connections(report: Report) -> Iterator[str]:
    by_source: dict[Bits, list[Sentence]] = {}
    for one in (*report.inside, *report.leaving):
        assert not isinstance(one.source, Intervals)
        by_source.setdefault(one.source, []).append(one)
    if report.arriving:
        yield "from outside"
        for one in report.arriving:
            yield from _row(one.ports, "from", _who(report, one.source))
            yield from _row("", "  to", _who(report, one.destination))
        yield ""
    for source, sentences in sorted(by_source.items(), key=lambda pair: next(members(pair[0]))):
        yield from _wrapped("from ", _who(report, source))
        for one in sentences:
            if destination := _others(report, source, one.destination):
                yield from _row(one.ports, "to", _who(report, destination))
        yield ""
    silent = report.connections.open_to_others[0]
    for source in by_source:
        silent &= ~source
    if silent:
        yield from _wrapped("nothing may leave ", report.names.together(silent))
        yield ""


def _others(report: Report, source: Bits, destination: Bits | Intervals) -> Bits | Intervals:
    """Destinations without a single pod that would be its own."""
    if isinstance(destination, Intervals) or source.bit_count() > 1 or source != source & destination:
        return destination
    has_others = report.connections.has_others(next(members(source)))
    return destination if has_others else destination & ~source


def _who(report: Report, who: Bits | Intervals) -> Sequence[str]:
    if isinstance(who, Intervals):
        return blocks(who)
    return report.names.together(who)


def _parts(report: Report) -> Iterator[str]:
    """Which pods the parts of workloads are."""
    endpoints = report.connections.relation.model.inventory.endpoints
    parts = [(number, one) for number, one in enumerate(report.connections.parties) if one.part]
    for number, party in parts:
        pods = [endpoints[member].name for member in members(party.members)]
        yield from _wrapped(f"{report.names.parties[number]} is ", pods)
    if parts:
        yield ""


def _exposure(report: Report) -> Iterator[str]:
    by_parties: dict[Bits, list[Exposure]] = {}
    for one in report.exposed:
        by_parties.setdefault(one.parties, []).append(one)
    if not by_parties:
        return
    yield "pods that do not exist yet, by what the other end decides:"
    for parties, exposed in sorted(by_parties.items(), key=lambda pair: next(members(pair[0]))):
        yield from _wrapped("  ", report.names.together(parties))
        for one in exposed:
            way = "from" if one.direction is Direction.INGRESS else "to"
            who = [stranger_text(report, place) for place in one.exposed.strangers]
            yield from _row(one.ports, way, who, indent=4)
    yield ""


def stranger_text(report: Report, place: int) -> str:
    """Who a stranger is, and whether there is nobody like that yet."""
    name = report.stranger(place)
    return name if report.strangers[place].matching else f"{name} (none yet)"


def _row(ports: str, way: str, who: Sequence[str], indent: int = 2) -> Iterator[str]:
    """`  tcp/443   to shop/deploy/web`; ports that need more room have their own lines."""
    head = " " * indent
    pad = " " * (indent + _PORTS)
    if len(ports) < _PORTS:
        yield from _wrapped(f"{head}{ports:{_PORTS}}{way} ", who, len(pad) + len(way) + 1)
        return
    yield from textwrap.wrap(
        ports,
        WIDTH,
        initial_indent=head,
        subsequent_indent=head,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from _wrapped(f"{pad}{way} ", who, len(pad) + len(way) + 1)


def _wrapped(head: str, words: Sequence[str], indent: int | None = None) -> Iterator[str]:
    """Words with commas between them, none broken."""
    indent = len(head) if indent is None else indent
    line = head
    for number, word in enumerate(words):
        ending = "," if number + 1 < len(words) else ""
        if line.strip() and line != head and len(line) + len(word) + len(ending) > WIDTH:
            yield line.rstrip()
            line = " " * indent
        line += f"{word}{ending} "
    yield line.rstrip()
