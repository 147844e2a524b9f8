"""From files to a report of all connections in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from npc.asking import asked_sources
from npc.compiler.ask.assumptions import AS_COMPILED, Reading
from npc.compiler.ask.connections import Selection, connections
from npc.compiler.ask.ends import Ends
from npc.compiler.ask.exposure import populated
from npc.compiler.ask.naming import Names
from npc.compiler.ask.relation import Relation
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.documents import Progress
from npc.compiler.frontend.files import NOTHING, Exclude
from npc.compiler.frontend.source import Source
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.models import collector_paused, readable
from npc.reach.report import Report, report


def reach_paths(
    paths: Iterable[str],
    *,
    source: str | None = None,
    destination: str | None = None,
    focus: str | None = None,
    namespace: str | None = None,
    reading: Reading = AS_COMPILED,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
    exclude: Exclude = NOTHING,
    stdin: Callable[[], bytes] | None = None,
) -> tuple[Report, tuple[Diagnostic, ...]]:
    """All connections that the policies in files and directories allow, as `reach_sources`."""
    return reach_sources(
        readable(paths, stdin, exclude),
        source=source,
        destination=destination,
        focus=focus,
        namespace=namespace,
        reading=reading,
        progress=progress,
        today=today,
        levels=levels,
    )


def reach_sources(
    found: Iterable[Source],
    *,
    source: str | None = None,
    destination: str | None = None,
    focus: str | None = None,
    namespace: str | None = None,
    reading: Reading = AS_COMPILED,
    progress: Progress | None = None,
    today: date | None = None,
    levels: Levels = DEFAULTS,
) -> tuple[Report, tuple[Diagnostic, ...]]:
    """All connections that the policies in sources allow from `source`, to `destination` and with `focus`.

    These are as SRC and DST of `npc query`; None: everyone. InputError for what cannot be read, or names
    nobody.
    """
    model, diagnostics = asked_sources(found, reading=reading, progress=progress, today=today, levels=levels)
    if progress is not None:
        progress("connecting", 0, 1)
    with collector_paused():
        with_strangers = populated(model)
        relation = Relation(with_strangers.model, reading)
        names = Names(with_strangers.model, relation.meaning, namespace, present=with_strangers.present)

        def ends(text: str | None, option: str) -> Ends:
            return relation.census.everyone if text is None else names.find(text, option).ends

        selection = Selection(ends(source, "--from"), ends(destination, "--to"), ends(focus, "--focus"))
        listed = connections(relation, with_strangers.present, selection)
        return report(listed, with_strangers), diagnostics
