"""Where the thing that a word names is written: a set, a service, an included file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from npc.compiler.language import tree
from npc.lsp.project import Document, Project, included
from npc.lsp.trees import path_at


@dataclass(frozen=True, slots=True)
class Place:
    """Some characters of a file."""

    path: Path
    start: int
    end: int


def definition(document: Document, offset: int, project: Project) -> Place | None:
    """Where the word at an offset leads; None where it names nothing."""
    for node in reversed(path_at(document.program, offset)):
        match node:
            case tree.SetReference() | tree.ServiceReference():
                if (found := project.definition(document, node)) is None:
                    return None
                where, target = found
                return Place(where.path, target.name.start, target.name.end)
            case tree.Include():
                path = included(document, node)
                # Path.is_file raises for names that are too long.
                return Place(path, 0, 0) if os.path.isfile(path) else None  # noqa: PTH113
    return None
