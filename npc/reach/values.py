"""What the page of a report is made of, as plain values: each thing once, and referred to by its place.

Sets of parties are numbers in hexadecimal, whose bit n stands for the party n. Explanations are by class:
what decides between two parties is looked up in the decisions of the classes that they are in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from npc.compiler.algebra import traffic
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.connections import Abroad, Party, Passing
from npc.compiler.ask.rulings import Decider, Ground, Ruling, SubjectClass
from npc.compiler.ask.wording import rule_text
from npc.compiler.frontend.locate import locate
from npc.compiler.frontend.render import printable
from npc.compiler.frontend.source import LINE_END, Source
from npc.compiler.frontend.syntax import ClusterPolicy, Direction, Policy
from npc.compiler.labels import Bits, members
from npc.reach.names import blocks
from npc.reach.nearest import has_few_pairs, nearest_rules
from npc.reach.report import Report
from npc.reach.text import stranger_text

_MOST_PODS = 50
"""Pods of a workload that the page names."""
_MOST_LINES = 200
"""Lines of a policy that the page shows, and the columns of each."""
_WIDTH = 300

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class _Table(Generic[K]):
    """Things by their places, each once."""

    places: dict[K, int] = field(default_factory=dict)

    def __call__(self, one: K) -> int:
        return self.places.setdefault(one, len(self.places))


def page_values(report: Report) -> dict[str, Any]:
    """All that the page shows."""
    return _Page(report).values()


@dataclass(slots=True)
class _Page:
    report: Report
    traffic: _Table[Intervals] = field(default_factory=_Table)
    blocks: _Table[Intervals] = field(default_factory=_Table)
    sets: _Table[Bits] = field(default_factory=_Table)
    rules: dict[tuple[int, Direction, int], tuple[int, Decider]] = field(default_factory=dict)
    """By policy, direction and index: their places, and they."""
    policies: dict[int, tuple[int, Policy]] = field(default_factory=dict)
    """By identity: their places, and they."""
    firsts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.firsts = [one.first for one in self.report.connections.parties]

    def values(self) -> dict[str, Any]:
        found = self.report.connections
        rows: _Table[tuple[Passing, ...]] = _Table()
        leaving: _Table[tuple[Abroad, ...]] = _Table()
        arriving: _Table[tuple[Abroad, ...]] = _Table()
        result: dict[str, Any] = {
            "parties": [self._party(number, one) for number, one in enumerate(found.parties)],
            "rowOf": [rows(one) for one in found.rows],
            "leavingOf": [leaving(one) for one in found.to_outside],
            "arrivingOf": [arriving(one) for one in found.from_outside],
            "egress": self._classes(Direction.EGRESS),
            "ingress": self._classes(Direction.INGRESS),
            "exposure": [
                {
                    "parties": self.sets(one.parties),
                    "direction": one.direction.value,
                    "ports": one.ports,
                    "pods": [stranger_text(self.report, place) for place in one.exposed.strangers],
                }
                for one in self.report.exposed
            ],
            "notes": list(self.report.notes),
        }
        result |= self._nearest()
        result["rows"] = [
            [
                [
                    self.traffic(one.traffic),
                    0 if one.family is None else one.family.value,
                    self.sets(one.parties),
                ]
                for one in row
            ]
            for row in rows.places
        ]
        for key, table in (("leaving", leaving), ("arriving", arriving)):
            result[key] = [
                [[self.traffic(one.traffic), self.blocks(one.addresses)] for one in row]
                for row in table.places
            ]
        result["traffic"] = [traffic.in_words(one) for one in self.traffic.places]
        result["numbers"] = [
            [] if one == traffic.ANY else [list(piece) for piece in one.ranges] for one in self.traffic.places
        ]
        result["sets"] = [f"{one:x}" for one in self.sets.places]
        result["blocks"] = [", ".join(blocks(one)) for one in self.blocks.places]
        return result | self._sources()

    def _party(self, number: int, party: Party) -> dict[str, Any]:
        endpoints = self.report.connections.relation.model.inventory.endpoints
        names = [printable(endpoints[one].name) for one in members(party.members)]
        has_others = self.report.connections.has_others(number)
        return {
            "name": self.report.names.parties[number],
            "ns": printable(party.workload.namespace),
            "pods": names[:_MOST_PODS],
            "size": party.size,
            "expected": not endpoints[party.first].addresses,
            "others": has_others,
        }

    def _classes(self, direction: Direction) -> dict[str, Any]:
        """The decisions of all classes that parties are in, and the class of each party."""
        relation = self.report.connections.relation
        places: dict[int, int] = {}
        listed: list[list[list[Any]]] = []
        of = []
        for first in self.firsts:
            one = relation.of(direction, first)
            if one.number not in places:
                places[one.number] = len(listed)
                listed.append(list(self._decisions(one)))
            of.append(places[one.number])
        return {"of": of, "classes": listed}

    def _decisions(self, subjects: SubjectClass) -> Iterator[list[Any]]:
        relation = self.report.connections.relation
        for ruling, packets in relation.rulings(subjects, relation.meaning.everything):
            words = self._ruling(ruling)
            for found, ends in packets.rectangles():
                v4, v6 = self._squeeze(ends.v4), self._squeeze(ends.v6)
                outside = self.blocks(ends.outside) if ends.outside else -1
                if v4 or v6 or ends.outside:
                    both = [self.sets(one) for one in dict.fromkeys((v4, v6))]
                    yield [self.traffic(found), both, outside, words]

    def _nearest(self) -> dict[str, Any]:
        """Of pairs that one end denies, the rules that come closest: by direction, who decides, the other."""
        told: _Table[tuple[tuple[int, str], ...]] = _Table()
        by_direction: dict[str, dict[int, dict[int, int]]] = {}
        for direction in Direction:
            pairs = by_direction.setdefault(direction.value, {})
            for subject, other, misses in nearest_rules(self.report.connections, direction, self._squeeze):
                words = tuple(
                    (self._rule(one.rule, direction), "; ".join(printable(miss.text) for miss in one.misses))
                    for one in misses
                )
                pairs.setdefault(subject, {})[other] = told(words)
        is_told = has_few_pairs(self.report.connections)
        return {"nearest": by_direction, "misses": list(told.places), "hasNearest": is_told}

    def _squeeze(self, endpoints: Bits) -> Bits:
        if not endpoints:
            return 0
        digits = bin(endpoints)[:1:-1].ljust(max(self.firsts, default=0) + 1, "0")
        return int("".join([digits[one] for one in reversed(self.firsts)]) or "0", 2)

    def _ruling(self, ruling: Ruling) -> dict[str, Any]:
        decider = ruling.decider
        isolating = ruling.isolating if ruling.ground is Ground.ISOLATED else ()
        return {
            "allowed": ruling.allowed,
            "ground": _GROUNDS[ruling.ground],
            "rule": -1 if decider is None else self._rule(decider, ruling.direction),
            "passed": -1 if ruling.passed is None else self._rule(ruling.passed, ruling.direction),
            "isolating": [self._policy(one) for one in isolating],
        }

    def _rule(self, decider: Decider, direction: Direction) -> int:
        key = id(decider.policy), direction, decider.index
        self._policy(decider.policy)
        return self.rules.setdefault(key, (len(self.rules), decider))[0]

    def _policy(self, policy: Policy) -> int:
        return self.policies.setdefault(id(policy), (len(self.policies), policy))[0]

    def _sources(self) -> dict[str, Any]:
        """The rules and the policies that decisions name, with the lines that they are written in."""
        origins = [one.rule.origin for _, one in self.rules.values()]
        origins += [one.origin for _, one in self.policies.values()]
        spans, pages = locate(origins)
        starts: dict[Source, list[int]] = {}
        for _, one in self.policies.values():
            starts.setdefault(one.origin.source, []).append(spans[one.origin].line)
        texts = {source: LINE_END.split(pages[source].lines.text) for source in starts}
        for listed in starts.values():
            listed.sort()
        return {
            "rules": [
                {
                    "policy": self.policies[id(one.policy)][0],
                    "text": printable(rule_text(one.rule, direction)),
                    "name": f"{direction.value} rule {one.index + 1}"
                    + (f" ({printable(one.rule.name)})" if one.rule.name else ""),
                    "line": spans[one.rule.origin].line,
                }
                for (_, direction, _), (_, one) in self.rules.items()
            ],
            "policies": [
                {
                    "name": printable(str(one)),
                    "kind": one.kind
                    + (
                        f", {one.tier.value} tier, priority {one.priority}"
                        if isinstance(one, ClusterPolicy)
                        else ""
                    ),
                    "file": printable(one.origin.source.name),
                    **_lines(spans[one.origin].line, texts[one.origin.source], starts[one.origin.source]),
                }
                for _, one in self.policies.values()
            ],
        }


def _lines(first: int, page: Sequence[str], starts: Sequence[int]) -> dict[str, Any]:
    """The lines of a policy: as far as the next that is named, the next document, or the end of the file.

    `starts` are the first lines of all policies of the page that are named, in order.
    """
    following = bisect_right(starts, first)
    before = starts[following] if following < len(starts) else len(page) + 1
    shown: list[str] = []
    for text in page[first - 1 : min(before, first + _MOST_LINES) - 1]:
        if text.startswith("---") and shown:
            break
        shown.append(printable(text[:_WIDTH], keep="\t"))
    while shown and not shown[-1].strip():
        shown.pop()
    return {"line": first, "lines": shown}


_GROUNDS = {
    Ground.ADMIN: "decided by",
    Ground.NETWORK_POLICY: "allowed by",
    Ground.ISOLATED: "isolated by these policies, and none of their rules matches:",
    Ground.BASELINE: "decided by",
    Ground.DEFAULT: "no policy isolates it",
    Ground.OUTSIDE: "no pod: no policy is for it",
    Ground.ITSELF: "a pod and itself",
    Ground.OWN_NODE: "its own node",
}
