"""Where things were written: sources, paths inside their documents, and places on the page.

Reading keeps no positions: an `Origin` names a source, a document and a path in it, and
`locate.Locator` turns it into a `Span` when a diagnostic must be shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

Step = str | int
PathInDocument = tuple[Step, ...]
"""Keys and list indices from a document's root."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input: the name that people know it by, and its bytes or where to read them."""

    name: str
    path: Path | None = None
    content: bytes = field(default=b"", repr=False)

    def data(self) -> bytes:
        """The bytes, read again for a file: nothing large is kept for the rare diagnostic."""
        return self.content if self.path is None else self.path.read_bytes()


@dataclass(frozen=True, slots=True)
class Span:
    """A place on the page; lines and columns count from 1, `end` is the column after the last."""

    line: int
    column: int
    end: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: by its path, or by its place where that is known already."""

    source: Source
    document: int = 0
    """The index of the YAML document; 0 in JSON."""
    path: PathInDocument = ()
    on_key: bool = False
    """Whether the key at the end of `path` is meant rather than its value."""
    span: Span | None = None

    def at(self, *steps: Step) -> Origin:
        """The origin of something inside this value."""
        return Origin(self.source, self.document, self.path + steps)

    def key(self, name: Step) -> Origin:
        """The origin of a key of this mapping."""
        return Origin(self.source, self.document, (*self.path, name), on_key=True)


@cache
def format_path(path: PathInDocument) -> str:
    """A path in the API server's notation.

    >>> format_path(("spec", "ingress", 0, "from", 1, "ipBlock", "cidr"))
    'spec.ingress[0].from[1].ipBlock.cidr'
    """
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
