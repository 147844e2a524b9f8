"""The notations that policies are written in."""

from __future__ import annotations

from enum import StrEnum


class Notation(StrEnum):
    """A notation, by the suffix of its files."""

    NPC = "npc"
    YAML = "yaml"
