"""A listing of differences as text, JSON (documented in docs/diff.md), CSV and Markdown."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.answers import Answer
from npc.compiler.ask.changes import Witness
from npc.compiler.ask.ends import Ends
from npc.compiler.ask.reasons import because
from npc.compiler.ask.rulings import Decider, Ruling
from npc.compiler.ask.wording import blocks, listed, place_text, rule_text
from npc.compiler.frontend.render import printable
from npc.compiler.frontend.syntax import Direction
from npc.compiler.labels import members
from npc.diff.listing import Cause, Kind, Listing, Row, deciding, packet_text

Paint = Callable[[str, str], str]
"""A text in a colour: `added`, `removed`, `changed`, `dim`."""


class Notation(StrEnum):
    """How differences are written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


SIGNS: Mapping[Kind, str] = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~"}
_TITLES: Mapping[Cause, str] = {
    Cause.DECISION: "",
    Cause.NEW_ENDPOINT: "With endpoints that are new",
    Cause.GONE_ENDPOINT: "With endpoints that are gone",
}
NOTHING = "No difference: the same connections are allowed."


def write(listing: Listing, notation: Notation, paint: Paint) -> str:
    """The listing in a notation; ends with a newline."""
    match notation:
        case Notation.TEXT:
            return "\n".join(_text(listing, paint)) + "\n"
        case Notation.JSON:
            return msgspec.json.format(msgspec.json.encode(values(listing)), indent=2).decode() + "\n"
        case Notation.CSV:
            return _csv(listing)
        case Notation.MARKDOWN:
            return "\n".join(_markdown(listing)) + "\n"


# --- text


def summary(listing: Listing) -> str:
    """How much differs, in one line."""
    if listing.is_empty:
        return NOTHING
    counts = Counter(row.kind for row in listing.rows)
    words = [f"{counts[kind]:,} {kind.value}" for kind in Kind if counts[kind]]
    parts = [f"connections: {', '.join(words)}" if words else "connections: no difference"]
    for word, names in (("new", listing.new), ("gone", listing.gone)):
        if names:
            parts.append(f"endpoints {word}: {listed(names)}")
    return "; ".join(parts)


def _text(listing: Listing, paint: Paint) -> Iterator[str]:
    yield printable(summary(listing))
    title = ""
    for row in listing.rows:
        if _TITLES[row.cause] != title:
            title = _TITLES[row.cause]
            yield ""
            yield f"{title}:"
        yield ""
        head = f"{SIGNS[row.kind]} {printable(_head(row))}"
        yield paint(head, row.kind.value)
        for witness in row.witnesses:
            yield from _example(listing, witness, paint)


def _head(row: Row) -> str:
    ends = f"from {row.source} to {row.destination}"
    match row.kind:
        case Kind.ADDED:
            return f"{_any(row.after)} {ends}"
        case Kind.REMOVED:
            return f"{_any(row.before)} {ends}"
        case Kind.CHANGED:
            return f"{ends}: {_any(row.before)} is now {_any(row.after)}"


def _any(text: str) -> str:
    return "any traffic" if text == "any" else text


def _example(listing: Listing, witness: Witness, paint: Paint) -> Iterator[str]:
    ends = (place_text(one, listing.inventory) for one in (witness.source, witness.destination))
    packet = f"{packet_text(witness)} from {' to '.join(ends)}"
    yield f"    {printable(packet)} {'passes now' if witness.passes else 'passes no more'}"
    for word, answer in (("before", witness.before), ("now", witness.after)):
        for ruling in deciding(witness, answer) if answer is not None else ():
            yield f"      {f'{word}:':<8}{printable(_reason(ruling))}"
            if ruling.decider is not None:
                file, line, column, said = listing.written.line(ruling.decider)
                yield paint(f"              {file}:{line}:{column} | {said}", "dim")


def _reason(ruling: Ruling) -> str:
    return f"{ruling.direction.value} {'allowed' if ruling.allowed else 'denied'}{because(ruling)}"


# --- JSON


def values(listing: Listing) -> dict[str, Any]:
    """The listing as plain values."""
    return {
        "differs": not listing.is_empty,
        "endpoints": {"new": list(listing.new), "gone": list(listing.gone)},
        "changes": [_row_values(listing, row) for row in listing.rows],
    }


def _row_values(listing: Listing, row: Row) -> dict[str, Any]:
    change = row.change
    return {
        "change": row.kind.value,
        "cause": row.cause.value,
        "between": change.between.value,
        "src": _ends_values(listing, row.source, change.source),
        "dst": _ends_values(listing, row.destination, change.destination),
        "before": _traffic_values(change.before),
        "after": _traffic_values(change.after),
        "gained": _traffic_values(change.gained),
        "lost": _traffic_values(change.lost),
        "examples": [_witness_values(listing, one) for one in row.witnesses],
    }


def _ends_values(listing: Listing, text: str, ends: Ends) -> dict[str, Any]:
    both = {"ipv4": ends.v4, "ipv6": ends.v6}
    endpoints = listing.inventory.endpoints
    return {
        "text": text,
        "endpoints": [
            {
                "name": str(endpoints[number]),
                "families": [family for family, bits in both.items() if bits >> number & 1],
            }
            for number in members(ends.endpoints)
        ],
        "addresses": list(blocks(ends.outside)),
    }


def _traffic_values(found: Intervals) -> dict[str, Any]:
    """Ranges of ports by protocol number; of all traffic, none."""
    return {
        "text": traffic.describe(found),
        "ports": [
            {"protocol": protocol, "first": first, "last": last}
            for protocol, ranges in (() if found == traffic.ANY else traffic.by_protocol(found).items())
            for first, last in ranges
        ],
    }


def _witness_values(listing: Listing, witness: Witness) -> dict[str, Any]:
    return {
        "src": place_text(witness.source, listing.inventory),
        "dst": place_text(witness.destination, listing.inventory),
        "protocol": witness.traffic >> 16,
        "port": witness.traffic & traffic.LAST_PORT,
        "passes": witness.passes,
        "before": _answer_values(listing, witness.before),
        "after": _answer_values(listing, witness.after),
    }


def _answer_values(listing: Listing, answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    found: dict[str, Any] = {"allowed": answer.allowed}
    for ruling in answer.rulings:
        found[ruling.direction.value] = {
            "allowed": ruling.allowed,
            "ground": ruling.ground.value,
            "reason": _reason(ruling),
            "rule": _rule_values(listing, ruling.decider, ruling.direction),
            "passed_by": _rule_values(listing, ruling.passed, ruling.direction),
            "isolated_by": [str(one) for one in ruling.isolating],
        }
    return found


def _rule_values(listing: Listing, decider: Decider | None, direction: Direction) -> dict[str, Any] | None:
    if decider is None:
        return None
    file, line, column, said = listing.written.line(decider)
    return {
        "kind": decider.policy.kind,
        "policy": str(decider.policy),
        "direction": direction.value,
        "index": decider.index,
        "text": rule_text(decider.rule, direction),
        "file": file,
        "line": line,
        "column": column,
        "source": said,
    }


# --- tables

_COLUMNS = ("change", "cause", "src", "dst", "before", "after", "example", "why before", "why after")


def _rows(listing: Listing) -> Iterator[tuple[str, ...]]:
    """A row for each example of each change."""
    for row in listing.rows:
        for witness in row.witnesses:
            ends = (place_text(one, listing.inventory) for one in (witness.source, witness.destination))
            yield (
                row.kind.value,
                row.cause.value,
                row.source,
                row.destination,
                row.before,
                row.after,
                f"{packet_text(witness)} from {' to '.join(ends)}",
                _why(listing, witness, witness.before),
                _why(listing, witness, witness.after),
            )


def _why(listing: Listing, witness: Witness, answer: Answer | None) -> str:
    if answer is None:
        return "there is no such endpoint"
    return "; ".join(_reason_with_place(listing, one) for one in deciding(witness, answer))


def _reason_with_place(listing: Listing, ruling: Ruling) -> str:
    if ruling.decider is None:
        return _reason(ruling)
    file, line, column, _ = listing.written.line(ruling.decider)
    return f"{_reason(ruling)} ({file}:{line}:{column})"


def _csv(listing: Listing) -> str:
    """RFC 4180; a cell that a spreadsheet would take for a formula begins with a quote."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(_COLUMNS)
    for row in _rows(listing):
        writer.writerow([f"'{cell}" if cell[:1] in "=+-@" and cell else cell for cell in map(printable, row)])
    return stream.getvalue()


_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~@!&])")


def _markdown(listing: Listing) -> Iterator[str]:
    """For a comment on a change: a table of what differs."""
    yield _escaped(summary(listing))
    if not listing.rows:
        return
    yield ""
    yield "| | from | to | before | now | for example | why |"
    yield "|---|---|---|---|---|---|---|"
    for change, _, source, destination, before, after, example, was, now in _rows(listing):
        reasons = (f"{word}: {_escaped(text)}" for word, text in (("before", was), ("now", now)) if text)
        cells = (source, destination, before, after, example)
        yield f"| {change} | {' | '.join(map(_escaped, cells))} | {'<br>'.join(reasons)} |"


def _escaped(text: str) -> str:
    """A text that is nothing but text in Markdown."""
    return _SPECIAL.sub(r"\\\1", printable(text))
