"""Packets on their way through chains: rows that rules take their parts of, seen from one end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.products import Product
from npc.compiler.verify.program import Action, Kind
from npc.compiler.verify.regions import ALL, OF_FAMILY, End, Packets, Region, Row, union
from npc.compiler.verify.selections import Facts, meet


@dataclass(frozen=True, slots=True)
class Rest:
    """Packets of some subjects, less those that rules have taken."""

    subjects: Intervals
    packets: Packets
    taken: tuple[Packets, ...] = ()

    def row(self) -> Row:
        """What is left, worked out."""
        left = self.packets
        for one in self.taken:
            if _may_meet(left, one):
                left = left - one
        return self.subjects, left


@dataclass(frozen=True, slots=True)
class Flow:
    """Packets on their way, which are in all factors."""

    factors: tuple[Region, ...]
    end: End
    rests: tuple[Rest, ...]

    def region(self) -> Region:
        return Region.of(self.end, (rest.row() for rest in self.rests))


def everything(facts: Facts) -> tuple[Rest, ...]:
    """All packets; those of the diagonal have every address as the peer."""
    return tuple(Rest(family.every, ALL if facts.diagonal else OF_FAMILY[family]) for family in Family)


def products_of(flows: Iterable[Flow]) -> Iterator[Product]:
    """The union of flows: those of the same factors and end together."""
    found: dict[tuple[tuple[int, ...], End], list[Flow]] = {}
    for flow in flows:
        found.setdefault((tuple(map(id, flow.factors)), flow.end), []).append(flow)
    for (_, end), together in found.items():
        region = Region.of(end, (rest.row() for flow in together for rest in flow.rests))
        if region:
            yield Product.of((*together[0].factors, region))


def gathered(flows: Sequence[Flow]) -> list[Flow]:
    """Flows that arrive at a chain, those of the same factors as one with few rows."""
    found: dict[tuple[tuple[int, ...], End], list[Flow]] = {}
    for flow in flows:
        found.setdefault((tuple(map(id, flow.factors)), flow.end), []).append(flow)
    joined = []
    for together in found.values():
        by_packets: dict[tuple[Packets, tuple[Packets, ...]], list[Intervals]] = {}
        for rest in (rest for flow in together for rest in flow.rests):
            by_packets.setdefault((rest.packets, rest.taken), []).append(rest.subjects)
        by_subjects: dict[tuple[Intervals, tuple[Packets, ...]], list[Packets]] = {}
        for (packets, taken), parts in by_packets.items():
            by_subjects.setdefault((Intervals.union(parts), taken), []).append(packets)
        rests = tuple(Rest(subjects, union(sets), taken) for (subjects, taken), sets in by_subjects.items())
        joined.append(Flow(together[0].factors, together[0].end, rests))
    return joined


def hit_of(rest: Rest, subjects: Intervals, packets: Packets) -> Rest | None:
    """The packets of a row that a rule is for; None when there are none."""
    if not _may_meet(rest.packets, packets):
        return None
    part = meet(rest.subjects, subjects)
    if not part:
        return None
    found = rest.packets if packets == ALL else rest.packets & packets
    return Rest(part, found, rest.taken) if found else None


def after(action: Action, rest: Rest, hit: Rest, back: list[Rest] | None) -> list[Rest]:
    """What of a row goes on to the next rule, when a rule has taken a part and gave some back."""
    is_whole = hit.packets == rest.packets
    if back is None:
        is_accepted = action.kind is Kind.ACCEPT and is_whole and hit.subjects == rest.subjects
        return [] if is_accepted else [rest]
    going = list(back)
    if not is_whole:
        going.append(Rest(hit.subjects, rest.packets, (*rest.taken, hit.packets)))
    if hit.subjects != rest.subjects:
        left = rest.subjects - hit.subjects
        if left:
            going.append(Rest(left, rest.packets, rest.taken))
    return going


def _may_meet(one: Packets, two: Packets) -> bool:
    """A quick no: the traffic of two sets lies apart."""
    return bool(
        one.parts
        and two.parts
        and one.parts[0][0] <= two.parts[-1][1]
        and two.parts[0][0] <= one.parts[-1][1]
    )
