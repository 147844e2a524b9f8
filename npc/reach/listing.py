"""A report for programs and for documents: JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import cidrs, format_address, format_cidr
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.labels import Bits, members
from npc.reach.names import blocks
from npc.reach.report import Exposure, Report, Sentence, family_note
from npc.reach.text import stranger_text


def as_json(report: Report) -> str:
    """The report as plain values (documented in docs/reach.md)."""
    connections = report.connections
    endpoints = connections.relation.model.inventory.endpoints
    found: dict[str, Any] = {
        "workloads": [
            {
                "name": report.names.parties[number],
                "namespace": party.workload.namespace,
                "kind": party.workload.kind.value,
                "pods": [_pod(endpoints[one]) for one in members(party.members)],
            }
            for number, party in enumerate(connections.parties)
        ],
        "connections": [
            _sentence(report, one) for one in (*report.arriving, *report.inside, *report.leaving)
        ],
        "exposure": [_exposure(report, one) for one in report.exposed],
        "notes": list(report.notes),
    }
    return json.dumps(found, indent=2) + "\n"


def as_csv(report: Report) -> str:
    """A line for each pair and each range of addresses: from, to, protocol, first and last port, family."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("from", "to", "traffic", "family"))
    names = [_cell(name) for name in report.names.parties]
    for source, destination, passing in report.connections.between():
        family = "" if passing.family is None else f"IPv{passing.family.value}"
        writer.writerow((names[source], names[destination], traffic.in_words(passing.traffic), family))
    for number, row in enumerate(report.connections.to_outside):
        for abroad in row:
            for block in _cidrs(abroad.addresses):
                writer.writerow((names[number], block, traffic.in_words(abroad.traffic), ""))
    for number, row in enumerate(report.connections.from_outside):
        for abroad in row:
            for block in _cidrs(abroad.addresses):
                writer.writerow((block, names[number], traffic.in_words(abroad.traffic), ""))
    return file.getvalue()


def as_markdown(report: Report) -> str:
    """Tables of connections and of what workloads are exposed to."""
    lines = ["| From | To | Ports |", "|---|---|---|"]
    for one in (*report.arriving, *report.inside, *report.leaving):
        cells = _who(report, one.source), _who(report, one.destination), one.ports
        lines.append(_table_row(cells))
    if report.exposed:
        lines += ["", "Pods that do not exist yet, by what the other end decides:", ""]
        lines += ["| Workloads | Direction | Pods | Ports |", "|---|---|---|---|"]
        for exposed in report.exposed:
            way = "from" if exposed.direction is Direction.INGRESS else "to"
            who = ", ".join(stranger_text(report, place) for place in exposed.exposed.strangers)
            lines.append(_table_row((_who(report, exposed.parties), way, who, exposed.ports)))
    for note in report.notes:
        lines += ["", markdown(note)]
    return "\n".join(lines) + "\n"


def markdown(text: str) -> str:
    r"""A text with nothing in it that Markdown or HTML would take for more than characters.

    >>> print(markdown("a|b *c* <d>"))
    a\|b \*c\* \<d\>
    """
    return re.sub(r"([\\`*_{}\[\]<>#|~&!@])", r"\\\1", text)


def _table_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(markdown, cells))} |"


def _who(report: Report, who: Bits | Intervals) -> str:
    return ", ".join(blocks(who) if isinstance(who, Intervals) else report.names.together(who))


def _pod(endpoint: Endpoint) -> dict[str, Any]:
    return {"name": endpoint.name, "addresses": [format_address(one) for one in endpoint.addresses]}


def _sentence(report: Report, one: Sentence) -> dict[str, Any]:
    return {
        "from": _side(report, one.source),
        "to": _side(report, one.destination),
        "traffic": _traffic(one.traffic),
        "text": traffic.in_words(one.traffic),
        "family": None if one.family is None else family_note(one.family).strip(" ()"),
    }


def _side(report: Report, who: Bits | Intervals) -> dict[str, Any]:
    if isinstance(who, Intervals):
        return {"addresses": list(_cidrs(who))}
    return {"workloads": report.names.each(who)}


def _exposure(report: Report, one: Exposure) -> dict[str, Any]:
    return {
        "workloads": report.names.each(one.parties),
        "direction": one.direction.value,
        "pods": [
            {"selector": report.stranger(place), "present": report.strangers[place].matching.bit_count()}
            for place in one.exposed.strangers
        ],
        "traffic": _traffic(one.exposed.traffic),
        "text": one.ports,
        "named": list(one.exposed.named),
    }


def _traffic(found: Intervals) -> list[str]:
    return traffic.describe(found).split(", ") if found else []


def _cidrs(addresses: Intervals) -> Iterator[str]:
    return (format_cidr(block) for piece in addresses.ranges for block in cidrs(piece))


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t" else text
