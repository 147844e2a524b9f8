"""What is wrong with a text as it stands in the editor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from npc.checking import check_sources
from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import Code, Severity
from npc.compiler.frontend.diagnostics import Diagnostic, InputError
from npc.compiler.frontend.locate import locate
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.language import tree
from npc.compiler.lint.levels import DEFAULTS, Levels
from npc.configuration import configuration
from npc.lsp.definition import Place
from npc.lsp.project import SUFFIX, Document, Project, included

_OURS = re.compile(r"\bnetworking\.k8s\.io/|\bpolicy\.networking\.k8s\.io/")
"""What a YAML or JSON text says that holds policies."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic as editors show it: some characters, a text, and other places with what is there."""

    code: Code
    message: str
    start: int
    end: int
    related: tuple[tuple[Place, str], ...] = ()
    severity: Severity = Severity.WARNING
    """What it counts as: a configuration may have another opinion than its code."""


def findings(path: Path, text: str, project: Project) -> Iterator[Finding]:
    """What npc finds in a text; of YAML and JSON only where it holds policies. No notes.

    What the text includes is taken as the editor has it, and what is wrong there is said at the include.
    """
    document = project.document(path) if path.suffix == SUFFIX else None
    if document is not None:
        sources = [_source(one.path, one.text) for one in project.with_includes(document)]
    elif _OURS.search(text):
        sources = [_source(path, text)]
    else:
        return
    cluster = project.cluster() if not project.inventory_errors() else None
    inventory = cluster.inventory if cluster is not None else None
    checked = check_sources(sources, today=project.today(), inventory=inventory, levels=_levels(path.parent))
    found = [one for one in checked if _is_worth_telling(one)]
    origins = [one.origin for one in found if one.origin is not None]
    origins += [related.origin for one in found for related in one.related]
    places = _places(origins)
    for one in found:
        message = _message(one)
        related = tuple((places[other.origin], other.label) for other in one.related)
        place = places[one.origin] if one.origin is not None else Place(path, 0, 0)
        if place.path != path:
            related = ((place, one.message), *related)
            message = f"in {place.path.name}: {message}"
            place = _include_of(place.path, path, document)
        yield Finding(one.code, message, place.start, place.end, related, one.severity)


def _levels(folder: Path) -> Levels:
    """What the configuration of a folder says; one with mistakes, which `npc check` tells, says nothing."""
    try:
        return configuration(start=folder).levels
    except InputError:
        return DEFAULTS


def _is_worth_telling(one: Diagnostic) -> bool:
    """Whether an author wants to know while writing: not that the text is still empty."""
    return one.severity is not Severity.NOTE and one.code is not codes.NO_INPUT


def _source(path: Path, text: str) -> Source:
    return Source(str(path), path, text.encode("utf-8", "surrogatepass"))


def _message(one: Diagnostic) -> str:
    head = f"{one.field}: {one.message}" if one.field else one.message
    return "\n".join(filter(None, [head, one.label, f"help: {one.help}" if one.help else ""]))


def _places(origins: list[Origin]) -> dict[Origin, Place]:
    """The characters that each origin means."""
    spans, pages = locate(origins)
    found = {}
    for origin, span in spans.items():
        lines = pages[origin.source].lines
        start = lines.starts[span.line - 1] + span.column - 1
        path = origin.source.path or Path(origin.source.name)
        found[origin] = Place(path, start, start + span.end - span.column)
    return found


def _include_of(path: Path, of: Path, document: Document | None) -> Place:
    """Where a document includes a file, directly; its first include, for what that includes in turn."""
    includes = [one for one in document.program.items if isinstance(one, tree.Include)] if document else []
    for one in includes:
        if document is not None and included(document, one) == path:
            return Place(of, one.path.start, one.path.end)
    return Place(of, includes[0].path.start, includes[0].path.end) if includes else Place(of, 0, 0)
