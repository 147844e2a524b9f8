"""From files to a report of all connections in them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import date

from npc.api import asked_sources, collector_paused
from npc.compiler.ask.assumptions import AS_COMPILED, Reading
from npc.compiler.ask.connections import Selection, connections
from npc.compiler.ask.exposure import populated
from npc.compiler.ask.relation import Relation
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.documents import Progress
from npc.compiler.frontend.files import sources
from npc.compiler.frontend.source import Source
from npc.reach.report import Report, report


def reach_paths(
    paths: Iterable[str],
    *,
    reading: Reading = AS_COMPILED,
    progress: Progress | None = None,
    today: date | None = None,
    stdin: Callable[[], bytes] | None = None,
) -> tuple[Report, tuple[Diagnostic, ...]]:
    """All connections that the policies in files and directories allow, as `reach_sources`."""
    found, faults = sources(paths, stdin or sys.stdin.buffer.read)
    if faults:
        raise InputError(faults)
    return reach_sources(
        found,
        reading=reading,
        progress=progress,
        today=today,
    )


def reach_sources(
    found: Iterable[Source],
    *,
    reading: Reading = AS_COMPILED,
    progress: Progress | None = None,
    today: date | None = None,
) -> tuple[Report, tuple[Diagnostic, ...]]:
    """All connections that the policies in sources allow; InputError for what cannot be read."""
    model, diagnostics = asked_sources(found, reading=reading, progress=progress, today=today)
    if progress is not None:
        progress("connecting", 0, 1)
    with collector_paused():
        with_strangers = populated(model)
        relation = Relation(with_strangers.model, reading)
        everyone = relation.census.everyone
        selection = Selection(everyone, everyone, everyone)
        listed = connections(relation, with_strangers.present, selection)
        return report(listed, with_strangers), diagnostics
