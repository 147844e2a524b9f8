"""Chains of statements to chains of conditions and actions, from the chains with hooks on.

Rules that decide nothing are left out, as are chains that no packet comes to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from npc.backends.nft.reader.fields import FIELDS, HELP, Axis, Field, narrowed
from npc.backends.nft.reader.sets import Parts, Sets, boxes
from npc.backends.nft.reader.tree import (
    Chain,
    Match,
    Opaque,
    Reject,
    Statement,
    Table,
    Verdict,
    VerdictMap,
)
from npc.backends.nft.reader.tree import Rule as Written
from npc.backends.nft.reader.values import KINDS
from npc.backends.nft.reader.words import CT_STATES
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_V4, EVERY_V6
from npc.compiler.algebra.intervals import Intervals, Range
from npc.compiler.verify import program
from npc.compiler.verify.program import (
    ACCEPT,
    DROP,
    RETURN,
    Action,
    Among,
    Box,
    Condition,
    Kind,
    Known,
    Line,
    Malformed,
    Rule,
    Unsupported,
)

STATE = "ct state"
"""The fact that rules ask for."""
_STATES = tuple(CT_STATES)
_MOST_JUMPS = 15
"""Chains below one with a hook; the kernel counts `goto` like `jump` (NFT_JUMP_STACK_SIZE less one)."""
_ANSWERED: Mapping[str, Box] = {
    "": Box(),
    "ip": Box(EVERY_V4, EVERY_V4),
    "ip6": Box(EVERY_V6, EVERY_V6),
    "tcp": Box(traffic=traffic.every(traffic.TCP)),
}
_ACTIONS = {"accept": ACCEPT, "drop": DROP, "return": RETURN}
_JUMPS = {"jump": Kind.JUMP, "goto": Kind.GOTO}


def chains_from(table: Table, entries: Sequence[Chain]) -> dict[str, program.Chain]:
    """The chains that packets come to from some with hooks, by name.

    Malformed for chains that are not there, for loops, and where jumps lead deeper than the kernel follows.
    """
    reading = _Reading(table)
    for entry in entries:
        reading.chain(entry, 0)
    return reading.chains


class _Reading:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._sets = Sets(table.sets)
        self._known: dict[tuple[str, Intervals], tuple[Condition, ...]] = {}
        self._heights: dict[str, int] = {}
        self.chains: dict[str, program.Chain] = {}

    def chain(self, chain: Chain, depth: int) -> int:
        """Read a chain and those below it; how many are below, one after another."""
        if chain.name not in self.chains:
            self.chains[chain.name] = program.Chain(
                chain.name, tuple(rule for written in chain.rules for rule in self._rules(written))
            )
        height = 0
        for rule in self.chains[chain.name].rules:
            target = rule.action.chain
            if target:
                if depth == _MOST_JUMPS:
                    raise Malformed(f"a loop of jumps, or more than {_MOST_JUMPS} in a row", rule.line)
                below = self._heights.get(target)
                if below is None:
                    below = self.chain(self._table.chains[target], depth + 1)
                if depth + 1 + below > _MOST_JUMPS:
                    raise Malformed(f"more than {_MOST_JUMPS} jumps in a row", rule.line)
                height = max(height, 1 + below)
        self._heights[chain.name] = height
        return height

    def _rules(self, rule: Written) -> Iterator[Rule]:
        if not rule.statements:
            return
        *before, last = rule.statements
        if any(isinstance(one, VerdictMap) for one in before):
            raise Unsupported("the statement after a verdict map", rule.line)
        if isinstance(last, Match | Opaque) or last == Verdict("continue"):
            return
        end = [_ANSWERED[last.header]] if isinstance(last, Reject) else []
        conditions = self._conditions(before, end, rule.line)
        match last:
            case Verdict():
                yield Rule(conditions, self._action(last, rule.line), rule.line)
            case Reject():
                asked = () if last.header == "" else (Among(tuple(end), text="reject"),)
                yield Rule((*conditions, *asked), DROP, rule.line)
            case _:
                parts = self._keys(last, rule.line)
                for verdict, keys in parts.items():
                    if verdict is not None and verdict.word != "continue":
                        found = self._of_keys(last, keys, _meeting(conditions), rule.line)
                        yield Rule((*conditions, found), self._action(verdict, rule.line), rule.line)

    def _action(self, verdict: Verdict, line: Line) -> Action:
        if verdict.word in _ACTIONS:
            return _ACTIONS[verdict.word]
        chain = self._table.chains.get(verdict.chain)
        if chain is None:
            raise Malformed(f"the chain `{verdict.chain}`, which is not there", line)
        if chain.hook is not None:
            raise Malformed(f"the chain `{verdict.chain}`, which has a hook, as the end of a jump", line)
        return Action(_JUMPS[verdict.word], verdict.chain)

    def _conditions(
        self, statements: Sequence[Statement], end: Sequence[Box], line: Line
    ) -> tuple[Condition, ...]:
        """Of all matches of a rule; those that read ports of any protocol last, as the others say which."""
        found: list[Condition] = []
        for one in statements:
            if isinstance(one, Opaque):
                raise Unsupported(one.construct, line, one.help)
        matches = [one for one in statements if isinstance(one, Match)]
        for one in sorted(matches, key=_reads_any_protocol):
            asks = _reads_any_protocol(one)
            before = _meeting((*found, *(Among((box,)) for box in end))) if asks else traffic.ANY
            key = str(one), before
            if isinstance(one.right, str) and key in self._known:
                found += self._known[key]
                continue
            made = self._match(one, before, line)
            self._known[key] = made
            found += made
        return tuple(found)

    def _match(self, one: Match, before: Intervals, line: Line) -> tuple[Condition, ...]:
        fields = _fields(one, line)
        keys = self._sets.keys(fields, one.right, line, is_map=False).get(None, [])
        if fields[0].axis is Axis.STATE and len(fields) == 1:
            return (_state(one, keys, line),)
        if one.operator == "in":
            raise Unsupported(f"the match of bits of `{one.fields[0]}`", line)
        within = Box(traffic=before)
        text = str(one)
        if one.operator == "==":
            return (Among(boxes(fields, keys, within, line), text=text),)
        if len(fields) == 1:
            spans = _compared(one, [key[0] for key in keys], fields[0], line)
            return (Among((narrowed(within, fields[0], spans, line),), text=text),)
        if one.operator != "!=":
            raise Malformed(f"the operator `{one.operator}` between several fields and a set", line)
        for field in fields:
            within = narrowed(within, field, KINDS[field.kind].every.ranges, line)
        return Among((within,), text=text), Among(boxes(fields, keys, within, line), negated=True, text=text)

    def _keys(self, last: VerdictMap, line: Line) -> Parts:
        return self._sets.keys(_fields(last, line), last.right, line, is_map=True)

    def _of_keys(
        self, last: VerdictMap, keys: Sequence[tuple[Range, ...]], before: Intervals, line: Line
    ) -> Condition:
        fields = _fields(last, line)
        if fields[0].axis is Axis.STATE and len(fields) == 1:
            return _known(keys, negated=False, line=line)
        return Among(boxes(fields, keys, Box(traffic=before), line), text=str(last))


def _fields(one: Match | VerdictMap, line: Line) -> list[Field]:
    unknown = next((name for name in one.fields if name not in FIELDS), None)
    if unknown is not None:
        raise Unsupported(f"the match `{unknown}`", line, HELP.get(unknown))
    return [FIELDS[name] for name in one.fields]


def _reads_any_protocol(one: Match) -> bool:
    return any(name in FIELDS and FIELDS[name].any_protocol for name in one.fields)


def _meeting(conditions: Sequence[Condition]) -> Intervals:
    """The traffic of packets for which conditions may hold."""
    found = traffic.ANY
    for one in conditions:
        if isinstance(one, Among) and not one.negated:
            found &= Intervals.union(box.traffic for box in one.boxes)
    return found


def _state(one: Match, keys: Sequence[tuple[Range, ...]], line: Line) -> Known:
    if one.operator not in ("==", "!=", "in"):
        raise Unsupported(f"the match `{one}`", line)
    return _known(keys, negated=one.operator == "!=", line=line)


def _known(keys: Sequence[tuple[Range, ...]], *, negated: bool, line: Line) -> Known:
    values = set()
    for ((low, high),) in keys:
        if low != high:
            raise Unsupported("the range of values of `ct state`", line)
        values.add(_STATES[low])
    return Known(STATE, frozenset(values), negated)


def _compared(one: Match, spans: Sequence[Range], field: Field, line: Line) -> Sequence[Range]:
    """The values for which a comparison of one field holds."""
    every = KINDS[field.kind].every
    if one.operator == "!=":
        return (every - Intervals.of(*spans)).ranges
    (first, last), (low, high) = every.ranges[0], spans[0] if len(spans) == 1 else (0, -1)
    if low != high:
        raise Malformed(f"the operator `{one.operator}` before more than one value", line)
    bounds = {"<": (first, low - 1), "<=": (first, low), ">": (low + 1, last), ">=": (low, last)}
    low, high = bounds[one.operator]
    return [(low, high)] if low <= high else []
