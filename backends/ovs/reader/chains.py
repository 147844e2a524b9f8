"""Tables as chains of rules: flows in the order of their priorities, conjunctions as the rules they are.

Whoever asks for a register mostly asks for one value of it: such a table becomes a chain for each value, so
that a packet meets the rules of its own class alone. Rules that do not ask for it stand in every one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from npc.backends.ovs.reader.actions import Actions
from npc.backends.ovs.reader.conditions import Tracking, conditions, marked
from npc.backends.ovs.reader.conjunctions import Joined, joined
from npc.backends.ovs.reader.flows import Flow
from npc.backends.ovs.reader.registers import Registers
from npc.compiler.verify.program import (
    ACCEPT,
    DROP,
    Action,
    Chain,
    Condition,
    Kind,
    Known,
    Line,
    Marked,
    Rule,
    Unsupported,
)

ASKED = "asked"
"""A fact: what a scenario asks for."""
PACKET, CONNECTION = "the packet", "the connection"
"""Whether the packet passes; whether its connection is committed, so that replies will."""
_WHOLE = 0xFFFF_FFFF
_COPIES = 4
"""How many rules a table split by a register may come to, for each that it has."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a packet is: a table, what conntrack was asked before, and what was not set before."""

    table: int
    tracking: Tracking
    unset: frozenset[str] = frozenset()
    """Registers that are still 0; of those alone that somebody asks for before every way has set them."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """npc's tables, the zone in which connections are known, and what is known of registers."""

    tables: range
    zone: int
    registers: Registers = Registers()
    unset: frozenset[str] = frozenset()
    """Registers that somebody asks for where they may not be set."""

    @property
    def entry(self) -> Step:
        """Where packets come in: nothing was asked at the first table of a bridge."""
        tracking = Tracking.UNKNOWN if self.tables.start else Tracking.UNTRACKED
        return Step(self.tables.start, tracking, self.unset)

    def name(self, step: Step) -> str:
        """The name of a chain."""
        is_usual = step == self.entry or step.tracking is Tracking.TRACKED
        words = [f"table {step.table}", *([] if is_usual else [step.tracking.value])]
        if step != self.entry:
            words += [f"{name} not set" for name in sorted(step.unset)]
        return ", ".join(words)


def chains(flows: Sequence[Flow], pipeline: Pipeline) -> dict[str, Chain]:
    """The chains of all tables that packets come to."""
    by_table: dict[int, list[Flow]] = {table: [] for table in pipeline.tables}
    for flow in flows:
        by_table[flow.table].append(flow)
        _check_way(flow, pipeline.tables)
    flows_of = {table: list(joined(own)) for table, own in by_table.items()}
    found: dict[str, Chain] = {}
    pending = [pipeline.entry]
    while pending:
        step = pending.pop()
        if pipeline.name(step) in found:
            continue
        own = flows_of[step.table]
        for name in sorted(step.unset):
            own = [one for flow in own if (one := _with(flow, name, 0)) is not None]
        for chain in _table(step, own, pipeline):
            found[chain.name] = chain
        actions = dict.fromkeys(flow.actions for flow in own)
        pending += [_following(one, step, pipeline) for one in actions if one.table is not None]
    return found


def _following(actions: Actions, step: Step, pipeline: Pipeline) -> Step:
    """Where a packet goes on to."""
    assert actions.table is not None
    tracking = step.tracking
    if actions.track is not None:
        tracking = Tracking.TRACKED if actions.track == pipeline.zone else Tracking.ELSEWHERE
    elif actions.untracks:
        tracking = Tracking.UNTRACKED
    return Step(actions.table, tracking, step.unset - {name for name, _ in actions.registers})


def _check_way(flow: Flow, tables: range) -> None:
    """Tables are passed in their order, so that every way ends."""
    table = flow.actions.table
    if table is None:
        return
    if table not in tables:
        raise Unsupported(
            f"table {table}, which is none of npc's, {tables.start} to {tables.stop - 1}",
            flow.line,
            "--set next= says where packets go on to",
        )
    if table <= flow.table:
        raise Unsupported(f"the way back from table {flow.table} to {table}", flow.line)


def _table(step: Step, flows: Sequence[Joined], pipeline: Pipeline) -> Iterator[Chain]:
    """A chain, or one for each value of the register that it is split by."""
    name = pipeline.name(step)
    dispatch = pipeline.registers.dispatches.get(step.table)
    if dispatch is not None:
        ((_, action),) = _outcomes(dispatch.actions, step, pipeline)
        yield Chain(name, (Rule((), action, _nowhere(dispatch.line), dispatch.priority),))
        return
    values = [(flow, _exact(flow)) for flow in flows]
    counts = Counter(register for _, exact in values for register in exact)
    register = max(counts, key=lambda one: (counts[one], one), default="")
    different: dict[int, list[Joined]] = {}
    for flow, exact in values:
        if register in exact:
            different.setdefault(exact[register], []).append(flow)
    others = [flow for flow, exact in values if register not in exact]
    if len(different) < 2 or len(others) * len(different) > _COPIES * len(flows) + 1000:
        yield Chain(name, _rules(flows, step, pipeline), by_priority=True)
        return
    ways = []
    for value, own in different.items():
        part = f"{name}, {register}={value:#x}"
        together = [one for flow in (*own, *others) if (one := _with(flow, register, value)) is not None]
        yield Chain(part, _rules(together, step, pipeline), by_priority=True)
        line = pipeline.registers.line(register, value) or own[0].line
        asked = marked(pipeline.registers, Marked(register, value))
        ways.append(Rule((asked,), Action(Kind.GOTO, part), line))
    rules = _rules(others, step, pipeline)
    if rules:
        rest = f"{name}, other {register}"
        yield Chain(rest, rules, by_priority=True)
        ways.append(Rule((), Action(Kind.GOTO, rest), _nowhere(rules[0].line)))
    yield Chain(name, tuple(ways))


def _nowhere(line: Line) -> Line:
    """Of a rule that no flow is by itself: those that packets meet are told by the rules that follow."""
    return Line(line.file, 0)


def _exact(flow: Joined) -> dict[str, int]:
    """The registers of which a flow asks for one value."""
    return {
        name: value for part in flow.parts for name, value, mask in part.match.registers if mask == _WHOLE
    }


def _with(flow: Joined, register: str, value: int) -> Joined | None:
    """A flow where a register has a value: it is asked no more; None where it asks for another."""
    asked = [one for part in flow.parts for one in part.match.registers if one[0] == register]
    if not asked:
        return flow
    if any((value ^ wanted) & mask for _, wanted, mask in asked):
        return None
    return replace(
        flow,
        parts=tuple(
            replace(
                part,
                match=replace(
                    part.match,
                    registers=tuple(one for one in part.match.registers if one[0] != register),
                ),
            )
            for part in flow.parts
        ),
    )


def _rules(flows: Sequence[Joined], step: Step, pipeline: Pipeline) -> tuple[Rule, ...]:
    found = []
    for flow in flows:
        wanted = conditions(flow.parts, step.tracking, pipeline.registers, flow.line)
        if wanted is not None:
            for asked, action in _outcomes(flow.actions, step, pipeline):
                found.append(Rule((*wanted, *asked), action, flow.line, flow.priority))
    return tuple(sorted(found, key=lambda rule: (-rule.priority, rule.line)))


def _outcomes(
    actions: Actions, step: Step, pipeline: Pipeline
) -> Iterator[tuple[tuple[Condition, ...], Action]]:
    """What becomes of the packet, and of its connection: replies pass only where it is committed."""
    if actions.table is not None:
        following = pipeline.name(_following(actions, step, pipeline))
        marks = tuple(one for one in actions.registers if one[0] not in pipeline.registers.values)
        yield (), Action(Kind.GOTO, following, marks)
        return
    is_committed = actions.commit == pipeline.zone
    if is_committed == actions.is_output:
        yield (), ACCEPT if is_committed else DROP
        return
    for what, passes in ((PACKET, actions.is_output), (CONNECTION, is_committed)):
        yield (Known(ASKED, frozenset({what})),), ACCEPT if passes else DROP


def asked_unset(flows: Sequence[Flow], tables: range) -> Mapping[str, Line]:
    """Registers that some flow asks for before every way to it has set them, each with that flow's line."""
    sure: dict[int, set[str]] = {tables.start: set()}
    found: dict[str, Line] = {}
    for flow in sorted(flows, key=lambda one: one.table):
        known = sure.get(flow.table)
        if known is None:
            continue  # no way leads there
        for name, _, _ in flow.match.registers:
            if name not in known:
                found.setdefault(name, flow.line)
        if flow.actions.table is not None:
            after = known | {name for name, _ in flow.actions.registers}
            sure[flow.actions.table] = sure.get(flow.actions.table, after) & after
    return found
