"""What is wrong with the inventory: said to the author once, for it is no text that is being written."""

from __future__ import annotations

from npc.compiler.frontend.locate import locate
from npc.lsp.project import Project

MOST = 3
"""Errors that are told; the rest is counted."""


def inventory_trouble(project: Project) -> str:
    """The errors of the inventory, each with its file and line; empty where there are none."""
    errors = project.inventory_errors()
    spans, _ = locate(one.origin for one in errors if one.origin is not None)
    lines = []
    for one in errors[:MOST]:
        message = f"{one.field}: {one.message}" if one.field else one.message
        if one.origin is not None:
            line = f":{spans[one.origin].line}" if one.origin in spans else ""
            message = f"{one.origin.source.name}{line}: {message}"
        lines.append(message)
    if len(errors) > MOST:
        lines.append(f"and {len(errors) - MOST:,} more")
    return "\n".join(["The inventory has errors.", *lines]) if lines else ""
