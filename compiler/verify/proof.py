"""The proof itself: in every scenario of a ruleset, for every packet, what passes is what should.

Else the packet that shows it, chosen to tell people most: between endpoints that have names, of a protocol
that they know, small. The packet is sent through the rules one by one, too; it must come to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_ADDRESS, NO_HOSTS
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.plan import Plan
from npc.compiler.verify.expected import READ, decided, expected_hairpins
from npc.compiler.verify.products import Product, difference
from npc.compiler.verify.program import (
    MOST_DEEP,
    Box,
    Chain,
    Expected,
    Known,
    Malformed,
    Program,
    Rule,
    Scenario,
    Unsupported,
)
from npc.compiler.verify.regions import ALL, End, Region, Views
from npc.compiler.verify.selections import common
from npc.compiler.verify.steps import Clash
from npc.compiler.verify.trace import Packet, Trace, trace
from npc.compiler.verify.walk import walk

MOST_BOXES = 2_000
"""Boxes of packets among which the one to show is chosen."""


@dataclass(frozen=True, slots=True)
class Refutation:
    """A packet with which a ruleset does not do what the policies say."""

    scenario: Scenario
    packet: Packet
    should_pass: bool
    trace: Trace
    clash: tuple[Rule, Rule] | None = None
    """Two rules of equal priority, of which the dataplane may take either."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven, or where it fails."""

    refutations: tuple[Refutation, ...]
    """One for each scenario in which something is wrong; none: the ruleset enforces the policies."""
    scenarios: tuple[str, ...]
    """Their titles."""
    subjects: int
    """Addresses for which the plan decides."""
    packets: int
    """Different sets of packets that were compared: of a set of addresses, and of a range of traffic."""
    rules: int

    def __bool__(self) -> bool:
        return not self.refutations


def prove(program: Program, plan: Plan) -> Proof:
    """Whether a ruleset enforces a plan for every packet.

    Raises Malformed where chains are missing or call each other in a ring, Unsupported where the walk
    cannot follow.
    """
    for start in sorted({scenario.chain for scenario in program.scenarios}):
        _check(program.chains, start)
    judge = _Judge(program.chains, plan)
    refutations = [
        found for scenario in _different(program) if (found := judge.refutation(scenario)) is not None
    ]
    return Proof(
        tuple(refutations),
        tuple(scenario.title for scenario in program.scenarios),
        len({address for one in plan.classes for subject in one.subjects for address in subject.addresses}),
        judge.compared,
        sum(len(chain.rules) for chain in program.chains.values()),
    )


def _check(chains: Mapping[str, Chain], start: str) -> None:
    """Raise Malformed where chains that a chain leads to are missing, or lead back to it; Unsupported where
    they are so deep that walking them, which is recursive, would end in the middle.
    """
    done: set[str] = set()
    way: dict[str, None] = {}
    stack: list[tuple[str, bool]] = [(start, False)]
    while stack:
        name, is_left = stack.pop()
        if is_left:
            way.pop(name)
            done.add(name)
            continue
        if name in done or name in way:
            continue
        way[name] = None
        stack.append((name, True))
        for rule in chains[name].rules:
            target = rule.action.chain
            if not target:
                continue
            if target not in chains:
                raise Malformed(f"the chain {target}, which there is not", rule.line)
            if target in way:
                raise Malformed(f"the chain {target}, which leads back to itself", rule.line)
            if len(way) == MOST_DEEP:
                raise Unsupported(f"more than {MOST_DEEP} chains that lead from one to the next", rule.line)
            stack.append((target, False))


def _different(program: Program) -> Iterator[Scenario]:
    """The scenarios, but for those that no rule can tell from one before, of which the same is expected."""
    asked = sorted(
        {
            (condition.fact, tuple(sorted(condition.values)))
            for chain in program.chains.values()
            for rule in chain.rules
            for condition in rule.conditions
            if isinstance(condition, Known)
        }
    )
    seen = set()
    for one in program.scenarios:
        answers = tuple(one.facts.get(fact) in values for fact, values in asked)
        key = one.chain, one.default, one.expected, one.always, one.space, answers
        if key not in seen:
            seen.add(key)
            yield one


@dataclass
class _Judge:
    chains: Mapping[str, Chain]
    plan: Plan
    compared: int = 0
    _views: Views = field(default_factory=Views)

    def refutation(self, scenario: Scenario) -> Refutation | None:
        """A packet with which something else happens than should; None when there is none."""
        passing = walk(self.chains, scenario, diagonal=False, views=self._views)
        if (clash := self._clash(scenario, passing.clashes)) is not None:
            return clash
        wanted, wanted_hairpins = self._wanted(scenario)
        passes: Sequence[Product] = passing.products
        self.compared += sum(
            len(packets.parts)
            for one in passes
            for side in (one.sent, one.received)
            if side is not None
            for _, packets in side.rows
        )
        space = _region(scenario.space)
        passes, wanted = ([one.within(space) for one in products] for products in (passes, wanted))
        for should_pass, ones, others in ((False, passes, wanted), (True, wanted, passes)):
            asked = _region(_spaces(scenario, should_pass))
            wrong = (one.within(asked) for one in difference(ones, others))
            packet = self._telling(box for one in wrong for box in one.boxes())
            if packet is not None:
                return self._refutation(scenario, packet, should_pass)
        return self._refuted_hairpin(scenario, wanted_hairpins)

    def _refuted_hairpin(self, scenario: Scenario, wanted: Region) -> Refutation | None:
        passing = walk(self.chains, scenario, diagonal=True, views=self._views)
        if (clash := self._clash(scenario, passing.clashes, diagonal=True)) is not None:
            return clash
        rows = [row for one in passing.products if one.sent is not None for row in one.sent.rows]
        passes = Region.of(End.SOURCE, rows)
        for should_pass, wrong in ((False, passes - wanted), (True, wanted - passes)):
            space = Region.of_boxes(End.SOURCE, map(_on_diagonal, _spaces(scenario, should_pass)))
            boxes = (Box(box.sources, box.sources, box.traffic) for box in (wrong & space).boxes())
            packet = self._telling(boxes, diagonal=True)
            if packet is not None:
                return self._refutation(scenario, packet, should_pass)
        return None

    def _wanted(self, scenario: Scenario) -> tuple[Sequence[Product], Region]:
        if scenario.expected is Expected.EVERYTHING:
            everything = Region.of(End.SOURCE, [(EVERY_ADDRESS, ALL)])
            return [Product()], everything
        always = Product(Region.of_boxes(End.SOURCE, scenario.always))
        return [self._decided, always], expected_hairpins(self.plan, scenario.always)

    @cached_property
    def _decided(self) -> Product:
        return decided(self.plan)

    def _refutation(self, scenario: Scenario, packet: Packet, should_pass: bool) -> Refutation:
        found = trace(self.chains, scenario, packet)
        assert found.passes is not should_pass, f"the walk and the trace differ on {packet}"
        return Refutation(scenario, packet, should_pass, found)

    def _clash(
        self, scenario: Scenario, clashes: Iterable[Clash], *, diagonal: bool = False
    ) -> Refutation | None:
        """A packet that two rules of equal priority are for; None where there is none after all."""
        for clash in clashes:
            space = _region(map(_on_diagonal, scenario.space) if diagonal else scenario.space)
            boxes = clash.packets.within(space).boxes()
            if diagonal:
                boxes = (Box(box.sources, box.sources, box.traffic) for box in boxes)
            packet = self._telling(boxes, diagonal=diagonal)
            if packet is not None:
                found = trace(self.chains, scenario, packet)
                return Refutation(scenario, packet, not found.passes, found, clash.rules)
        return None

    def _telling(self, boxes: Iterable[Box], *, diagonal: bool = False) -> Packet | None:
        """The packet that tells people most; None when there is none."""
        shown = list(islice(boxes, MOST_BOXES))
        if not shown:
            return None
        named = Intervals.of(*((address, address) for address in self.plan.names))
        _, packet = min((_example(box, named, diagonal) for box in shown), key=lambda one: one[0])
        return packet


def _spaces(scenario: Scenario, should_pass: bool) -> Iterator[Box]:
    """The packets that there can be; where it is asked what should pass, those that policies can tell."""
    if should_pass and scenario.expected is Expected.PLAN:
        return iter(common(scenario.space, READ))
    return iter(scenario.space)


def _region(boxes: Iterable[Box]) -> Region:
    return Region.full(End.SOURCE) & Region.of_boxes(End.SOURCE, boxes)


def _on_diagonal(box: Box) -> Box:
    """The packets of a box from an address to itself, from their sources: every address is the peer."""
    return Box(box.sources & box.destinations, EVERY_ADDRESS, box.traffic)


def _example(box: Box, named: Intervals, diagonal: bool) -> tuple[tuple[int, ...], Packet]:
    """The smallest packet of a box that shows much, and how little it shows: to be compared."""
    sources = _shown(box.sources, named)
    source = sources.ranges[0][0]
    if diagonal:
        destination = source
    else:
        others = box.destinations - Intervals(((source, source),))
        if not others:  # the one destination is a source, too
            destination = box.destinations.ranges[0][0]
            source = (box.sources - box.destinations).ranges[0][0]
        else:
            destination = _shown(others, named).ranges[0][0]
    kind = traffic.example(box.traffic)
    strangers = (source not in named) + (destination not in named)
    return (strangers, traffic.rank(kind), source, destination, kind), Packet(source, destination, kind)


def _shown(addresses: Intervals, named: Intervals) -> Intervals:
    """Those of some addresses that are of endpoints, else of hosts, else all."""
    return (addresses & named) or (addresses - NO_HOSTS) or addresses
