"""The files that an editor works on: texts as its screen shows them, what they include, and the inventory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import Severity
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.documents import load
from npc.compiler.frontend.files import sources
from npc.compiler.frontend.source import Source
from npc.compiler.inventory_builder import build_inventory
from npc.compiler.language import tree
from npc.compiler.language.parser import parse
from npc.compiler.language.tree import Program
from npc.lsp.cluster import Cluster
from npc.lsp.trees import Node

SUFFIX = ".npc"
"""Of files in npc's language."""

Opened = Callable[[Path], str | None]
"""The text of a file that is open in the editor; None for one that is not."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text of the policy language, and its tree."""

    path: Path
    text: str = field(repr=False)
    program: Program = field(repr=False)

    def slice(self, node: Node) -> str:
        """The characters of a node, on one line."""
        return " ".join(self.text[node.start : node.end].split())


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of the inventory when its files were as the stamp says."""

    stamp: object = None
    cluster: Cluster | None = None
    errors: tuple[Diagnostic, ...] = ()


@dataclass(slots=True)
class Project:
    """What an editor works on. Trees are kept while texts stay the same, the inventory while its files do."""

    inventory: tuple[Path, ...] = ()
    opened: Opened = lambda _: None
    today: Callable[[], date | None] = lambda: None
    """The day that rules with a last day are held against; None: all hold."""
    _documents: dict[Path, Document] = field(default_factory=dict)
    _known: _Known = field(default_factory=_Known)

    def document(self, path: Path) -> Document | None:
        """A file as the editor shows it, or as it is on disk; None where it cannot be read."""
        text = self.opened(path)
        if text is None:
            text = read(path)
        if text is None:
            return None
        known = self._documents.get(path)
        if known is None or known.text != text:
            known = self._documents[path] = Document(path, text, parse(Source(str(path), path), text).program)
        return known

    def with_includes(self, document: Document) -> Iterator[Document]:
        """A document and those that it includes, directly or not, each once."""
        seen = {document.path}
        waiting = [document]
        while waiting:
            current = waiting.pop(0)
            yield current
            for item in current.program.items:
                if isinstance(item, tree.Include):
                    path = included(current, item)
                    if path not in seen and (found := self.document(path)) is not None:
                        seen.add(path)
                        waiting.append(found)

    def definition(
        self, document: Document, reference: tree.SetReference | tree.ServiceReference
    ) -> tuple[Document, tree.SetDefinition | tree.ServiceDefinition] | None:
        """What a reference in a document names, and where that is."""
        kind = tree.SetDefinition if isinstance(reference, tree.SetReference) else tree.ServiceDefinition
        for one, definition in self.definitions(document):
            if isinstance(definition, kind) and definition.name.text == reference.name.text:
                return one, definition
        return None

    def definitions(
        self, document: Document
    ) -> Iterator[tuple[Document, tree.SetDefinition | tree.ServiceDefinition]]:
        """The sets and services that a document can name."""
        for one in self.with_includes(document):
            for item in one.program.items:
                if isinstance(item, tree.SetDefinition | tree.ServiceDefinition):
                    yield one, item

    def cluster(self) -> Cluster | None:
        """The inventory as its files are now; None without one, or where they cannot be read."""
        return self._inventory_now().cluster

    def inventory_errors(self) -> tuple[Diagnostic, ...]:
        """What is wrong with the inventory."""
        return self._inventory_now().errors

    def _inventory_now(self) -> _Known:
        if not self.inventory:
            return _Known()
        listed, faults = sources(map(str, self.inventory), bytes)
        found = [one for one in listed if not one.name.endswith(SUFFIX)]
        stamp = (*(one.message for one in faults), *map(_stamp, found))
        if stamp != self._known.stamp:
            self._known = _read_inventory(stamp, found, faults)
        return self._known


def read(path: Path) -> str | None:
    """The text of a file on disk; None for what is no file, such as a pipe, or cannot be read."""
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for names that are too long
        return None
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return None


def included(document: Document, item: tree.Include) -> Path:
    """The file that an include names: relative to the file that it stands in."""
    return Path(os.path.normpath(document.path.parent / item.path.text))


def _stamp(source: Source) -> tuple[str, int, int]:
    """What changes when a file does."""
    try:
        status = Path(source.name).stat()
    except OSError:
        return source.name, 0, 0
    return source.name, status.st_mtime_ns, status.st_size


def _read_inventory(stamp: object, found: Sequence[Source], faults: Iterable[Diagnostic]) -> _Known:
    """What can be read of an inventory, and what is wrong with it."""
    loaded = load(found)
    inventory, of_objects = build_inventory(loaded.inventory)
    errors = [one for one in (*faults, *loaded.diagnostics, *of_objects) if one.severity is Severity.ERROR]
    if not loaded.inventory and not errors:
        names = ", ".join(one.name for one in found)
        errors.append(Diagnostic(codes.NO_INVENTORY, f"there is no pod, namespace or node in {names}"))
    return _Known(stamp, Cluster(inventory) if loaded.inventory else None, tuple(errors))
