"""The files that an editor works on: texts as its screen shows them, what they include, and the inventory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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


@dataclass(slots=True)
class Project:
    """What an editor works on. Trees are kept while texts stay the same, the inventory while its files do."""

    inventory: tuple[Path, ...] = ()
    opened: Opened = lambda _: None
    _documents: dict[Path, Document] = field(default_factory=dict)
    _cluster: tuple[object, Cluster | None] = (None, None)

    def document(self, path: Path) -> Document | None:
        """A file as the editor shows it, or as it is on disk; None where it cannot be read."""
        text = self.opened(path)
        if text is None:
            try:
                text = path.read_text(encoding="utf-8-sig", errors="replace")
            except OSError:
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
        if not self.inventory:
            return None
        found, _ = sources(map(str, self.inventory), bytes)
        stamp = tuple(_stamp(one) for one in found)
        if stamp != self._cluster[0]:
            self._cluster = stamp, _read_cluster(found)
        return self._cluster[1]


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


def _read_cluster(found: Sequence[Source]) -> Cluster | None:
    """What can be read of an inventory; None where nothing can."""
    loaded = load(found)
    return Cluster(build_inventory(loaded.inventory)[0]) if loaded.inventory else None
