"""The symbolic walk: all packets at once through a ruleset's chains, in one scenario.

Packets go as rows (subjects, what they exchange, what of that has left already), seen from one end. A rule
takes its part of each row. Chains are entered once with all that goes to them (`goto`), or where they are
called (`jump`). When rows of many sources meet a dispatch by destination, what they have come to is kept
aside as a factor and the walk goes on with all packets, seen from the destinations: what passes is the
product. Nothing else knows what an egress or an ingress is.

What was accepted goes on all the same: later verdicts on it change nothing, as acceptances are only added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.index import Index
from npc.compiler.verify.products import Product, difference
from npc.compiler.verify.program import (
    CONTINUE,
    DROP,
    RETURN,
    Action,
    Box,
    Chain,
    Kind,
    Line,
    Marked,
    Rule,
    Scenario,
    Unsupported,
)
from npc.compiler.verify.regions import (
    ALL,
    OF_FAMILY,
    UNRESTRICTED,
    End,
    Packets,
    Region,
    Row,
    rows_of,
)
from npc.compiler.verify.selections import EVERYTHING, Facts, boxes_of, common, meet, tells_apart

FACTOR_FROM = 8
"""Rows of endpoints told apart from which on they become a factor where a dispatch asks for the other end."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Two rules of equal priority that do different things with the same packets."""

    rules: tuple[Rule, Rule]
    packets: Product


@dataclass(frozen=True, slots=True)
class Passing:
    """What passes: the union of products; and where the dataplane's choice is undefined."""

    products: tuple[Product, ...]
    clashes: tuple[Clash, ...]


@dataclass(frozen=True, slots=True)
class _Rest:
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
class _Flow:
    """Packets on their way, which are in all factors."""

    factors: tuple[Region, ...]
    end: End
    rests: tuple[_Rest, ...]

    def region(self) -> Region:
        return Region.of(self.end, (rest.row() for rest in self.rests))


@dataclass(frozen=True, slots=True)
class _Step:
    """Rules that follow each other and do the same."""

    action: Action
    boxes: tuple[Box, ...]
    rule: Rule
    """The first of them."""


def walk(chains: Mapping[str, Chain], scenario: Scenario, *, diagonal: bool) -> Passing:
    """What passes in a scenario, of the packets from an address to itself or of all others.

    Packets of the diagonal are seen from their sources, with every address as the peer. Raises Unsupported
    where registers are used in a way whose effect the walk does not follow.
    """
    facts = Facts(scenario.facts, diagonal)
    one = _Walk(chains, facts)
    start = Region.full(End.SOURCE)
    if diagonal:
        start = Region.of(End.SOURCE, ((subjects, ALL) for subjects, _ in start.rows))
    flow = _Flow((), End.SOURCE, tuple(_Rest(*row) for row in start.rows))
    returned = one.run(scenario.chain, [flow])
    if scenario.default is Kind.ACCEPT:
        one.accepted += returned
    return Passing(tuple(_products(one.accepted)), tuple(one.clashes))


def _products(flows: Iterable[_Flow]) -> Iterator[Product]:
    """The union of flows: those of the same factors and end together."""
    found: dict[tuple[tuple[int, ...], End], list[_Flow]] = {}
    for flow in flows:
        found.setdefault((tuple(map(id, flow.factors)), flow.end), []).append(flow)
    for (_, end), together in found.items():
        region = Region.of(end, (rest.row() for flow in together for rest in flow.rests))
        if region:
            yield Product.of((*together[0].factors, region))


@dataclass
class _Walk:
    chains: Mapping[str, Chain]
    facts: Facts
    accepted: list[_Flow] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    _marks: dict[str, _Register] = field(default_factory=dict)
    _actions: dict[str, Action] = field(default_factory=dict)
    _boxes: dict[int, tuple[Box, ...]] = field(default_factory=dict)
    """Of each rule, by its identity: the chains keep them."""

    def run(self, name: str, flows: Sequence[_Flow]) -> list[_Flow]:
        """Send packets into a chain; those that come back from it, and from all chains that it goes to."""
        pending = {name: list(flows)}
        returned: list[_Flow] = []
        for one in self._order(name):
            for flow in _gathered(pending.pop(one, ())):
                returned += self._pass(self.chains[one], flow, pending)
        return returned

    def _order(self, name: str) -> list[str]:
        """The chains that a chain may go to, each before those that it goes to itself."""
        found: dict[str, None] = {}
        stack: list[tuple[str, bool]] = [(name, False)]
        while stack:
            one, is_done = stack.pop()
            if is_done:
                found[one] = None
            elif one not in found:
                stack.append((one, True))
                targets = {rule.action.chain for rule in self.chains[one].rules if _goes(rule)}
                stack += [(target, False) for target in sorted(targets) if target not in found]
        return list(reversed(found))

    def _pass(self, chain: Chain, flow: _Flow, pending: dict[str, list[_Flow]]) -> list[_Flow]:
        """Packets through the rules of one chain."""
        returned: list[_Flow] = []
        flows = [flow]
        for steps in self._dispatches(self._steps(chain, flow)):
            flows = [
                rest
                for one in flows
                if one.rests
                for rest in self._group(chain, steps, self._turned(one, steps), pending, returned)
            ]
        return returned + [one for one in flows if one.rests]

    def _turned(self, flow: _Flow, steps: Sequence[_Step]) -> _Flow:
        """The flow, or all packets seen from the other end with the flow as a factor."""
        other = flow.end.other
        if (
            not self.facts.diagonal
            and sum(rest.subjects not in UNRESTRICTED for rest in flow.rests) > FACTOR_FROM
            and any(step.action.chain and tells_apart(step.boxes, other) for step in steps)
        ):
            rests = tuple(_Rest(family.every, OF_FAMILY[family]) for family in Family)
            return _Flow((*flow.factors, flow.region()), other, rests)
        return flow

    def _group(
        self,
        chain: Chain,
        steps: Sequence[_Step],
        flow: _Flow,
        pending: dict[str, list[_Flow]],
        returned: list[_Flow],
    ) -> list[_Flow]:
        """What goes on after a step, or after several for different subjects."""
        others: list[_Flow] = []
        rests: Iterable[_Rest] = flow.rests
        rows = [rows_of(flow.end, step.boxes) for step in steps]
        index = _index(rows)
        if index is None:
            for step, selected in zip(steps, rows, strict=True):
                for subjects, packets in selected:
                    going: list[_Rest] = []
                    for rest in rests:
                        part = _part(rest.subjects, subjects)
                        hit = _hit(rest, part, packets)
                        if hit is None:
                            going.append(rest)
                            continue
                        back = self._act(chain, step, flow, hit, pending, returned, others)
                        going += _after(step.action, rest, hit, back)
                    rests = going
        else:
            going = []
            for rest in rests:
                gone = []
                for number, part in index.parts(rest.subjects):
                    hit = _Rest(part, rest.packets, rest.taken)
                    back = self._act(chain, steps[number], flow, hit, pending, returned, others)
                    if back is not None:  # else all go on
                        going += back
                        gone.append(part)
                left = rest.subjects - Intervals.union(gone)
                if left:
                    going.append(_Rest(left, rest.packets, rest.taken))
            rests = going
        return [_Flow(flow.factors, flow.end, tuple(rests)), *others]

    def _act(
        self,
        chain: Chain,
        step: _Step,
        flow: _Flow,
        hit: _Rest,
        pending: dict[str, list[_Flow]],
        returned: list[_Flow],
        others: list[_Flow],
    ) -> list[_Rest] | None:
        """Do what a step does with its packets; those that come back. None: all go on."""
        one = _Flow(flow.factors, flow.end, (hit,))
        for register, value in step.action.marks:
            self._marks.setdefault(register, _Register(register)).set(value, chain, step, one)
        match step.action.kind:
            case Kind.ACCEPT:
                self.accepted.append(one)
                return None
            case Kind.DROP:
                return []
            case Kind.CONTINUE:
                return None
            case Kind.RETURN:
                returned.append(one)
                return []
            case Kind.GOTO:
                pending.setdefault(step.action.chain, []).append(one)
                return []
            case Kind.JUMP:
                back: list[_Rest] = []
                for found in self.run(step.action.chain, [one]):
                    if found.factors == flow.factors and found.end is flow.end:
                        back += found.rests
                    else:
                        others.append(found)
                return None if not others and back == [hit] else back

    def _steps(self, chain: Chain, flow: _Flow) -> list[_Step]:
        """The rules that can match in this scenario, neighbours that do the same together."""
        steps: list[_Step] = []
        unread = {one.register for rule in chain.rules for one in rule.conditions if isinstance(one, Marked)}
        for register in sorted(unread):
            self._register(register, chain).check(chain, flow)
        for rule in chain.rules:
            action = self._action(rule)
            if action == CONTINUE:
                continue
            boxes = self._static(rule)
            for condition in rule.conditions:
                if isinstance(condition, Marked):
                    boxes = common(boxes, self._register(condition.register, chain).boxes(condition, flow))
            if boxes:
                steps.append(_Step(action, boxes, rule))
        if chain.by_priority:
            self._find_clashes(steps, flow)
            steps.sort(key=lambda step: (-step.rule.priority, step.action.kind.value, step.action.chain))
        merged: list[_Step] = []
        for _, together in groupby(steps, lambda step: step.action):
            first, *rest = together
            boxes = (*first.boxes, *(box for step in rest for box in step.boxes)) if rest else first.boxes
            merged.append(_Step(first.action, boxes, first.rule))
        return merged

    def _dispatches(self, steps: Iterable[_Step]) -> Iterator[list[_Step]]:
        """Steps one by one, but those together that each take all packets of different endpoints."""
        pure: list[_Step] = []
        for step in steps:
            if all(_is_of_ends_alone(box) for box in step.boxes):
                pure.append(step)
                continue
            yield from _disjoint(pure)
            pure = []
            yield [step]
        yield from _disjoint(pure)

    def _find_clashes(self, steps: Sequence[_Step], flow: _Flow) -> None:
        ordered = sorted(steps, key=lambda step: -step.rule.priority)
        for _, level in groupby(ordered, lambda step: step.rule.priority):
            found = list(level)
            if len({step.action for step in found}) > 1:
                self.clashes += _clashes(found, flow)

    def _register(self, name: str, chain: Chain) -> _Register:
        if name not in self._marks:
            raise Unsupported(f"{name}, which no rule has set before", _reader(chain, name))
        return self._marks[name]

    def _action(self, rule: Rule) -> Action:
        """What a rule does: into a chain that drops all is a drop, into one that does nothing a return."""
        action = rule.action
        if not action.chain:
            return action
        known = self._summary(action.chain)
        match known.kind:
            case Kind.DROP:
                return known if not action.marks else Action(Kind.DROP, "", action.marks)
            case Kind.RETURN if not action.marks:
                return CONTINUE if action.kind is Kind.JUMP else RETURN
        return action

    def _summary(self, name: str) -> Action:
        """DROP for a chain that drops all packets, RETURN for one in which nothing happens; else a jump."""
        if name not in self._actions:
            self._actions[name] = self._summarize(name)
        return self._actions[name]

    def _summarize(self, name: str) -> Action:
        drops = returns = False
        for rule in self.chains[name].rules:
            boxes = self._static(rule)
            action = self._action(rule) if boxes else CONTINUE
            if action == CONTINUE:
                continue
            if action not in (DROP, RETURN):
                return Action(Kind.JUMP, name)
            drops |= action == DROP
            returns |= action == RETURN
            if boxes == EVERYTHING and not any(isinstance(one, Marked) for one in rule.conditions):
                break
        else:
            returns = True
        if drops and returns:
            return Action(Kind.JUMP, name)
        return DROP if drops else RETURN

    def _static(self, rule: Rule) -> tuple[Box, ...]:
        if id(rule) not in self._boxes:
            self._boxes[id(rule)] = boxes_of(rule.conditions, self.facts)
        return self._boxes[id(rule)]


@dataclass
class _Register:
    """Which packets have which value, by the rules that set it. No packet has two.

    It passes a chain once at most; packets of which another chain has set the register are refused.
    """

    name: str
    _flows: dict[int, list[_Flow]] = field(default_factory=dict)
    _by_chain: dict[str, list[_Flow]] = field(default_factory=dict)

    def set(self, value: int, chain: Chain, step: _Step, flow: _Flow) -> None:
        """Packets get a value; Unsupported where they may have another."""
        others = (one for name, flows in self._by_chain.items() if name != chain.name for one in flows)
        if any(_meet(one, flow) for one in others):
            raise Unsupported(f"{self.name}, which is set in more than one place", step.rule.line)
        if step.action.kind in (Kind.CONTINUE, Kind.JUMP):
            raise Unsupported(f"{self.name}, which is set before other rules of its chain", step.rule.line)
        self._by_chain.setdefault(chain.name, []).append(flow)
        self._flows.setdefault(value, []).append(flow)

    def boxes(self, condition: Marked, flow: _Flow) -> tuple[Box, ...]:
        """The packets of a flow that have a value, and maybe some of no flow."""
        wanted = condition.value & condition.mask
        found = [
            one for value, flows in self._flows.items() if value & condition.mask == wanted for one in flows
        ]
        return tuple(box for product in self._products(found, flow.factors) for box in _boxes(product))

    def check(self, chain: Chain, flow: _Flow) -> None:
        """Raise Unsupported where packets of a flow may have no value."""
        found = [one for flows in self._flows.values() for one in flows]
        known = list(self._products(found, flow.factors))
        left = difference([Product.of([flow.region()])], known)
        if any(True for product in left for _ in product.boxes()):
            left = difference([Product.of((*flow.factors, flow.region()))], known)  # dearer: asked rarely
        if any(True for product in left for _ in product.boxes()):
            raise Unsupported(f"{self.name}, which may not have been set before", _reader(chain, self.name))

    def _products(self, flows: Iterable[_Flow], factors: tuple[Region, ...]) -> Iterator[Product]:
        """What flows come to; factors that are known to hold are left out."""
        yield from _products(
            _Flow(tuple(one for one in flow.factors if one not in factors), flow.end, flow.rests)
            for flow in flows
        )


def _meet(one: _Flow, two: _Flow) -> bool:
    """Whether some packets may be in both of two flows."""
    both = Product.of((*one.factors, one.region(), *two.factors, two.region()))
    return any(True for _ in _boxes(both))


def _boxes(product: Product) -> Iterator[Box]:
    """The packets of a product, those of the diagonal too where one of its sides is all."""
    match product:
        case Product(Region() as one, None) | Product(None, Region() as one):
            yield from one.boxes()
        case _:
            yield from product.boxes()


def _index(steps: Sequence[Sequence[Row]]) -> Index | None:
    """The subjects of several steps; None where they overlap, or not all of their packets are meant."""
    if len(steps) < 2 or not all(_is_of_all_packets(row) for rows in steps for row in rows):
        return None
    return Index.of([Intervals.union(subjects for subjects, _ in rows) for rows in steps])


def _is_of_all_packets(row: Row) -> bool:
    subjects, packets = row
    return all(packets in (ALL, OF_FAMILY[Family.of(low)]) for low, _ in subjects.ranges)


def _gathered(flows: Sequence[_Flow]) -> list[_Flow]:
    """Flows that arrive at a chain, those of the same factors as one, subjects of equal packets together."""
    found: dict[tuple[tuple[int, ...], End], list[_Flow]] = {}
    for flow in flows:
        found.setdefault((tuple(map(id, flow.factors)), flow.end), []).append(flow)
    gathered = []
    for together in found.values():
        rests: dict[tuple[Packets, tuple[Packets, ...]], list[Intervals]] = {}
        for rest in (rest for flow in together for rest in flow.rests):
            rests.setdefault((rest.packets, rest.taken), []).append(rest.subjects)
        first = together[0]
        joined = tuple(_Rest(Intervals.union(parts), *key) for key, parts in rests.items())
        gathered.append(_Flow(first.factors, first.end, joined))
    return gathered


def _part(subjects: Intervals, wanted: Intervals) -> Intervals:
    """What is wanted of some subjects."""
    if len(wanted.ranges) == 1 and subjects.ranges:
        low, high = wanted.ranges[0]
        if low <= subjects.ranges[0][0] and subjects.ranges[-1][1] <= high:
            return subjects
        if low == high:
            return wanted if low in subjects else Intervals()
    return meet(subjects, wanted)


def _hit(rest: _Rest, part: Intervals, packets: Packets) -> _Rest | None:
    """The packets of a row that a rule is for; None when there are none."""
    if not part or not _may_meet(rest.packets, packets):
        return None
    found = rest.packets if packets == ALL else rest.packets & packets
    return _Rest(part, found, rest.taken) if found else None


def _after(action: Action, rest: _Rest, hit: _Rest, back: list[_Rest] | None) -> list[_Rest]:
    """What of a row goes on to the next rule, when a rule has taken a part and gave some back."""
    is_whole = hit.packets == rest.packets
    if back is None:
        is_accepted = action.kind is Kind.ACCEPT and is_whole and hit.subjects == rest.subjects
        return [] if is_accepted else [rest]
    going = list(back)
    if not is_whole:
        going.append(_Rest(hit.subjects, rest.packets, (*rest.taken, hit.packets)))
    if hit.subjects != rest.subjects:
        left = rest.subjects - hit.subjects
        if left:
            going.append(_Rest(left, rest.packets, rest.taken))
    return going


def _may_meet(one: Packets, two: Packets) -> bool:
    """A quick no: the traffic of two sets lies apart."""
    return bool(
        one.parts
        and two.parts
        and one.parts[0][0] <= two.parts[-1][1]
        and two.parts[0][0] <= one.parts[-1][1]
    )


def _clashes(steps: Sequence[_Step], flow: _Flow) -> Iterator[Clash]:
    """Steps of one priority that do different things with packets of a flow."""
    if any(_tell_apart(steps, end) for end in End):
        return
    for number, one in enumerate(steps):
        for two in steps[number + 1 :]:
            if one.action == two.action:
                continue
            both = common(one.boxes, two.boxes)
            if not both:
                continue
            packets = flow.region() & Region.of_boxes(flow.end, both)
            if packets:
                yield Clash((one.rule, two.rule), Product.of((*flow.factors, packets)))


def _tell_apart(steps: Sequence[_Step], end: End) -> bool:
    """Whether no packet is of two steps for its address at an end alone."""
    return Index.of([Intervals.union(end.of(box) for box in step.boxes) for step in steps]) is not None


def _disjoint(steps: Sequence[_Step]) -> Iterator[list[_Step]]:
    """Steps for all packets of some ends: those that are for different ones together, as far as they go."""
    group: list[_Step] = []
    end: End | None = None
    for step in steps:
        asked = [one for one in End if tells_apart(step.boxes, one)]
        if len(asked) != 1:
            if group:
                yield group
            yield [step]
            group, end = [], None
        elif end is not None and asked[0] is not end:
            yield group
            group, end = [step], asked[0]
        else:
            group, end = [*group, step], asked[0]
    if group:
        yield group


def _is_of_ends_alone(box: Box) -> bool:
    return box.traffic == EVERYTHING[0].traffic


def _is_static(rule: Rule) -> bool:
    return not any(isinstance(one, Marked) for one in rule.conditions)


def _reader(chain: Chain, register: str) -> Line:
    """The first rule that asks for a register."""
    return next(
        rule.line
        for rule in chain.rules
        if any(isinstance(one, Marked) and one.register == register for one in rule.conditions)
    )


def _goes(rule: Rule) -> bool:
    return rule.action.kind is Kind.GOTO
