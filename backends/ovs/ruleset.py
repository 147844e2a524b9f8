"""OpenFlow's own words: match, flow, table. What the template prints, line by line.

Fields and actions are written as ovs-ofctl reads them (ovs-fields(7), ovs-actions(7)).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """A packet field and its value, `VALUE/MASK` where only some bits count; `tcp` and such have none."""

    field: str
    value: str = ""

    def __str__(self) -> str:
        return f"{self.field}={self.value}" if self.value else self.field


@dataclass(frozen=True, slots=True)
class Flow:
    """What is done to packets that match, where no flow of a higher priority does."""

    priority: int
    matches: tuple[Match, ...]
    actions: tuple[str, ...]
    note: str = ""
    """Whom or what it is about, for people."""

    def __str__(self) -> str:
        words = [f"priority={self.priority}", *map(str, self.matches), f"actions={','.join(self.actions)}"]
        return ",".join(words)


@dataclass(frozen=True, slots=True)
class Section:
    """Flows that belong together, in order, under lines of comment."""

    flows: tuple[Flow, ...]
    comment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One step of the pipeline."""

    number: int
    title: str
    sections: tuple[Section, ...]

    @property
    def flows(self) -> tuple[Flow, ...]:
        return tuple(flow for section in self.sections for flow in section.flows)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """All flows that npc owns on a bridge; packets enter at the first table."""

    cookie: str
    tables: tuple[Table, ...]
    heading: tuple[str, ...] = ()
    """Lines of comment at the top of the file."""
