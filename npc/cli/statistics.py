"""What the optimizer did to a ruleset, as a table or as JSON, to standard error."""

from __future__ import annotations

import sys
from dataclasses import asdict

import msgspec

from npc.backends.statistics import Statistics
from npc.compiler.frontend.diagnostics import Format

_TITLES = {
    "rules": "rules or flows",
    "sets": "sets and maps",
    "elements": "elements of them",
    "tried": "tried for a packet, at most",
    "lookups": "look-ups for a packet, at most",
}


def tell(before: Statistics, after: Statistics, format: Format) -> None:
    """Write both, one beside the other."""
    if sys.stderr is None:  # the process was started without one
        return
    if format is Format.JSON:
        both = {"statistics": {"before": asdict(before), "after": asdict(after)}}
        sys.stderr.write(msgspec.json.encode(both).decode() + "\n")
        return
    old, new = asdict(before), asdict(after)
    row = "{:<32}{:>12}{:>12}\n".format
    sys.stderr.write(row("", "as written", "optimized"))
    for name, title in _TITLES.items():
        sys.stderr.write(row(title, f"{old[name]:,}", f"{new[name]:,}"))
