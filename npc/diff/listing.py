"""What a comparison comes to, line by line: connections that came, went and changed, with examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.answers import Answer, Between
from npc.compiler.ask.changes import Change, Presence, Witness
from npc.compiler.ask.differences import Comparison
from npc.compiler.ask.ends import Ends
from npc.compiler.ask.rulings import Decider, Ruling
from npc.compiler.ask.wording import ends_text
from npc.compiler.ask.written import WrittenRules
from npc.compiler.inventory import Inventory


class Kind(StrEnum):
    """How what passes between two ends changed."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Cause(StrEnum):
    """Why it did."""

    DECISION = "decision"
    """Both ends are on both sides: policies decide otherwise, or labels, addresses or nodes are others."""
    NEW_ENDPOINT = "new-endpoint"
    """An end is an endpoint that the old side does not have."""
    GONE_ENDPOINT = "gone-endpoint"
    """An end is an endpoint that the new side does not have."""


@dataclass(frozen=True, slots=True)
class Row:
    """A change, with its ends as people name them."""

    change: Change
    kind: Kind
    cause: Cause
    source: str
    destination: str
    witnesses: tuple[Witness, ...]

    @property
    def before(self) -> str:
        """What passed."""
        return described(self.change.before)

    @property
    def after(self) -> str:
        """What passes now."""
        return described(self.change.after)


@dataclass(frozen=True, slots=True)
class Listing:
    """All that differs."""

    rows: tuple[Row, ...]
    gone: tuple[str, ...]
    """The endpoints that the old side alone has."""
    new: tuple[str, ...]
    inventory: Inventory
    """The endpoints of both sides."""
    written: WrittenRules
    """Where the rules are that witnesses name."""

    @staticmethod
    def of(comparison: Comparison) -> Listing:
        endpoints = comparison.alignment.endpoints
        inventory = Inventory(endpoints)
        rows = [_row(comparison, one, inventory) for one in comparison.changes()]
        rows.sort(key=lambda row: (list(Cause).index(row.cause), list(Kind).index(row.kind)))
        gone, new = (
            tuple(str(endpoints[place]) for place in comparison.places(presence))
            for presence in (Presence.OLD, Presence.NEW)
        )
        return Listing(tuple(rows), gone, new, inventory, WrittenRules.of(_deciders(rows)))

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not self.rows and not self.gone and not self.new


def described(found: Intervals) -> str:
    """Some traffic; `nothing`."""
    return traffic.in_words(found) or "nothing"


def packet_text(witness: Witness) -> str:
    """What a witness carries."""
    return traffic.describe(Intervals.of((witness.traffic, witness.traffic)))


def deciding(witness: Witness, answer: Answer) -> list[Ruling]:
    """The rulings of one side that the other side decides otherwise: they tell why."""
    other = witness.after if answer is witness.before else witness.before
    rulings = list(answer.rulings)
    if other is None:
        return rulings
    return [
        one for one, against in zip(rulings, other.rulings, strict=True) if one.allowed is not against.allowed
    ]


def _row(comparison: Comparison, change: Change, inventory: Inventory) -> Row:
    kind = Kind.CHANGED
    if not change.before:
        kind = Kind.ADDED
    elif not change.after:
        kind = Kind.REMOVED
    presences = {change.sources, change.destinations}
    cause = Cause.DECISION
    if Presence.NEW in presences:
        cause = Cause.NEW_ENDPOINT
    elif Presence.OLD in presences:
        cause = Cause.GONE_ENDPOINT
    families = not _is_of_all_families(comparison, change)
    source, destination = (
        ends_text(one, inventory, families=families) for one in (change.source, change.destination)
    )
    if change.between is Between.ITSELF:
        destination = "itself through a Service"
    return Row(change, kind, cause, source, destination, comparison.witnesses(change))


def _is_of_all_families(comparison: Comparison, change: Change) -> bool:
    """Whether a change is about all addresses of its endpoints, as far as packets can run between them."""
    old, new = comparison.alignment.old, comparison.alignment.new
    everyone = Ends(old.v4 | new.v4, old.v6 | new.v6, EVERY_ADDRESS)
    source, destination = (
        Ends(one.endpoints, one.endpoints, one.outside) & everyone
        for one in (change.source, change.destination)
    )
    for family in Family:
        here, there = source.of_family(family), destination.of_family(family)
        is_whole = here == change.source.of_family(family) and there == change.destination.of_family(family)
        if here and there and not is_whole:
            return False
    return True


def _deciders(rows: list[Row]) -> Iterator[Decider]:
    for row in rows:
        for witness in row.witnesses:
            for answer in (witness.before, witness.after):
                for ruling in answer.rulings if answer is not None else ():
                    yield from (one for one in (ruling.decider, ruling.passed) if one is not None)
