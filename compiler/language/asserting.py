"""From texts to assertions: as policies are read, with the same sets and services."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, has_errors
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Assertion, Called
from npc.compiler.language import tree
from npc.compiler.language.findings import Findings
from npc.compiler.language.including import read_files
from npc.compiler.language.library import Library
from npc.compiler.language.peers import PeerReader, Place
from npc.compiler.language.services import ServiceReader
from npc.compiler.language.table import Start

LONGEST_NAME = 100
"""Characters of an assertion's name; as many as a rule's may have."""


@dataclass(frozen=True, slots=True)
class Asserted:
    """The assertions of some files, in their order, and what is wrong with the files."""

    assertions: tuple[Assertion, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_assertions(sources: Iterable[Source]) -> Asserted:
    """The assertions in sources and in the files of assertions that they include.

    An assertion with an error is left out: the diagnostics have at least one error then.
    """
    files = read_files(sources, Start.ASSERTIONS)
    library = Library.of(files)
    found: list[Assertion] = []
    for file in files:
        peers, services = library.peers(file), library.services(file)
        for item in file.parsed.program.items:
            if isinstance(item, tree.Assertion):
                errors = file.findings.errors
                assertion = _read(item, file.findings, peers, services)
                if file.findings.errors == errors:
                    found.append(assertion)
        items = (item for one in file.reach() for item in one.parsed.program.items)
        is_empty = not any(isinstance(item, tree.Assertion) for item in items)
        if (
            is_empty
            and file.is_complete
            and not file.is_included
            and not has_errors(file.findings.diagnostics)
        ):
            message = f"there is no assertion in {file.source.name}"
            file.findings.diagnostics.append(Diagnostic(codes.NO_INPUT, message))
    diagnostics = tuple(one for file in files for one in file.findings.diagnostics)
    return Asserted(tuple(found), diagnostics)


def _read(item: tree.Assertion, findings: Findings, peers: PeerReader, services: ServiceReader) -> Assertion:
    label = item.label
    if label is not None and len(label.text) > LONGEST_NAME:
        message = f"Too long: {len(label.text):,} characters, at most {LONGEST_NAME}"
        findings.report(codes.TOO_LONG, message, label)
    return Assertion(
        item.action,
        services.read(item.services) if item.services else None,
        peers.read(_unnamed(item.sources), Place.ASSERTION).peers,
        peers.read(_unnamed(item.destinations), Place.ASSERTION).peers,
        findings.origin(item),
        "" if label is None else label.text,
        *(
            tuple(
                Called(one.name.text, findings.origin(one)) for one in ends if isinstance(one, tree.NamedEnd)
            )
            for ends in (item.sources, item.destinations)
        ),
    )


def _unnamed(ends: tuple[tree.Peer, ...]) -> tuple[tree.Peer, ...]:
    return tuple(one for one in ends if not isinstance(one, tree.NamedEnd))
