"""A chain as steps: its rules in one scenario, those together that can be asked together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, product
from operator import attrgetter

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.flows import Flow
from npc.compiler.verify.index import Index
from npc.compiler.verify.products import Product
from npc.compiler.verify.program import CONTINUE, DROP, RETURN, Action, Box, Chain, Kind, Marked, Rule
from npc.compiler.verify.regions import ALL, OF_FAMILY, End, Region, Row, Views
from npc.compiler.verify.selections import EVERYTHING, Facts, boxes_of, common, tells_apart


@dataclass(frozen=True, slots=True)
class Clash:
    """Two rules of equal priority that do different things with the same packets."""

    rules: tuple[Rule, Rule]
    packets: Product


@dataclass(frozen=True, slots=True)
class Step:
    """Rules that follow each other and do the same."""

    action: Action
    boxes: tuple[Box, ...]
    rule: Rule
    """The first of them."""
    views: Views = field(compare=False, repr=False)
    _rows: dict[End, tuple[Row, ...]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def rows(self, end: End) -> tuple[Row, ...]:
        """The packets that it is for, seen from an end: worked out when they are first asked for."""
        if end not in self._rows:
            self._rows[end] = self.views.rows(end, self.boxes)
        return self._rows[end]


@dataclass(frozen=True, slots=True)
class Steps:
    """The rules of a chain that can match and do something."""

    single: Sequence[Step]
    """Each rule, in the order of asking."""
    together: Sequence[Sequence[Step]]
    """Those that do the same as one step, and steps for different endpoints together."""


@dataclass
class Rules:
    """The rules of all chains, as far as they can match in one scenario."""

    chains: Mapping[str, Chain]
    facts: Facts
    views: Views = field(default_factory=Views)
    _actions: dict[str, Action] = field(default_factory=dict)
    _boxes: dict[int, tuple[Box, ...]] = field(default_factory=dict)
    """Of each rule, by its identity: the chains keep them."""
    _orders: dict[str, list[str]] = field(default_factory=dict)
    _steps: dict[str, Steps] = field(default_factory=dict)
    """Of each chain whose rules ask for no register."""

    def order(self, name: str) -> list[str]:
        """The chains that a chain may go to, itself first, each before those that it goes to itself."""
        if name in self._orders:
            return self._orders[name]
        found: dict[str, None] = {}
        stack: list[tuple[str, bool]] = [(name, False)]
        while stack:
            one, is_done = stack.pop()
            if is_done:
                found[one] = None
            elif one not in found:
                stack.append((one, True))
                targets = {
                    rule.action.chain for rule in self.chains[one].rules if rule.action.kind is Kind.GOTO
                }
                stack += [(target, False) for target in sorted(targets) if target not in found]
        self._orders[name] = list(reversed(found))
        return self._orders[name]

    def steps(self, chain: Chain, marked: Callable[[Marked], tuple[Box, ...]]) -> Steps:
        """The rules of a chain that can match and do something; `marked` says who has a register's value."""
        if chain.name in self._steps:
            return self._steps[chain.name]
        single = []
        asks_registers = False
        for rule in chain.rules:
            action = self.action(rule)
            boxes = () if action == CONTINUE else self.static(rule)
            for condition in rule.conditions:
                if boxes and isinstance(condition, Marked):
                    asks_registers = True
                    boxes = common(boxes, marked(condition))
            if boxes:
                single.append(Step(action, boxes, rule, self.views))
        if chain.by_priority:
            single.sort(key=lambda step: (-step.rule.priority, step.action.kind.value, step.action.chain))
        steps = Steps(single, list(_dispatches(_merged(single))))
        if not asks_registers:
            self._steps[chain.name] = steps
        return steps

    def action(self, rule: Rule) -> Action:
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
        chain = self.chains[name]
        ended: Rule | None = None
        for rule in chain.rules:
            # Of rules of equal priority either may be taken: one for all packets hides those below alone.
            if ended is not None and not (chain.by_priority and rule.priority == ended.priority):
                break
            boxes = self.static(rule)
            action = self.action(rule) if boxes else CONTINUE
            if action == CONTINUE:
                continue
            if action not in (DROP, RETURN):
                return Action(Kind.JUMP, name)
            drops |= action == DROP
            returns |= action == RETURN
            if boxes == EVERYTHING and not any(isinstance(one, Marked) for one in rule.conditions):
                ended = rule
        returns |= ended is None
        if drops and returns:
            return Action(Kind.JUMP, name)
        return DROP if drops else RETURN

    def static(self, rule: Rule) -> tuple[Box, ...]:
        """The packets that a rule is for, but for registers."""
        if id(rule) not in self._boxes:
            self._boxes[id(rule)] = boxes_of(rule.conditions, self.facts)
        return self._boxes[id(rule)]


def _merged(steps: Iterable[Step]) -> Iterator[Step]:
    """Neighbours that do the same as one."""
    for action, together in groupby(steps, lambda step: step.action):
        first, *rest = together
        boxes = (*first.boxes, *(box for step in rest for box in step.boxes))
        yield Step(action, boxes, first.rule, first.views)


def _dispatches(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Steps one by one, but those together that each take all packets of some endpoints, at one end."""
    for end, together in groupby(steps, _dispatches_by):
        if end is None:
            yield from ([step] for step in together)
        else:
            yield list(together)


def _dispatches_by(step: Step) -> End | None:
    if any(box.traffic != traffic.ANY for box in step.boxes):
        return None
    asked = [end for end in End if tells_apart(step.boxes, end)]
    return asked[0] if len(asked) == 1 else None


def index_of(steps: Sequence[Sequence[Row]]) -> Index | None:
    """The subjects of several steps; None where they overlap, or not all of their packets are meant."""
    if len(steps) < 2 or not all(_is_of_all_packets(row) for rows in steps for row in rows):
        return None
    return Index.of([Intervals.union(subjects for subjects, _ in rows) for rows in steps])


def _is_of_all_packets(row: Row) -> bool:
    subjects, packets = row
    return all(packets in (ALL, OF_FAMILY[Family.of(low)]) for low, _ in subjects.ranges)


def clashes(steps: Sequence[Step], flow: Flow) -> Iterator[Clash]:
    """Steps of equal priority that do different things with packets of a flow, which none above takes."""
    above: list[Step] = []
    for _, together in groupby(steps, lambda step: step.rule.priority):
        level = list(together)
        by_action: dict[Action, list[Step]] = {}
        for step in level:
            by_action.setdefault(step.action, []).append(step)
        if len(by_action) > 1 and not any(_lie_apart(by_action.values(), field) for field in _FIELDS):
            yield from _meeting(list(by_action.values()), above, flow)
        above += level


def _meeting(groups: Sequence[Sequence[Step]], above: Sequence[Step], flow: Flow) -> Iterator[Clash]:
    region = flow.region()
    for number, ones in enumerate(groups):
        for one, two in product(ones, (two for others in groups[number + 1 :] for two in others)):
            packets = region & Region.of_boxes(flow.end, common(one.boxes, two.boxes))
            if packets:
                packets -= Region.of_boxes(flow.end, (box for step in above for box in step.boxes))
            if packets:
                yield Clash((one.rule, two.rule), Product.of((*flow.factors, packets)))


_FIELDS: tuple[Callable[[Box], Intervals], ...] = (
    attrgetter("sources"),
    attrgetter("destinations"),
    attrgetter("traffic"),
)


def _lie_apart(groups: Iterable[Sequence[Step]], field: Callable[[Box], Intervals]) -> bool:
    """Whether a field alone tells apart what groups of steps are for."""
    sets = [Intervals.union(field(box) for step in steps for box in step.boxes) for steps in groups]
    return Index.of(sets) is not None
