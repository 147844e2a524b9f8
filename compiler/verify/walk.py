"""The symbolic walk: all packets at once through a ruleset's chains, in one scenario.

Packets go as rows (subjects, what they exchange, what of that has left already), seen from one end. A rule
takes its part of each row. Chains are entered once with all that goes to them (`goto`), or where they are
called (`jump`). When rows of many sources meet a dispatch by destination, what they have come to is kept
aside as a factor and the walk goes on with all packets, seen from the destinations: what passes is the
product. Nothing here knows what an egress or an ingress is.

What was accepted goes on all the same: later verdicts on it change nothing, as acceptances are only added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from npc.compiler.algebra.addresses import Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.verify.flows import Flow, Rest, after, everything, gathered, hit_of, products_of
from npc.compiler.verify.products import Product, difference
from npc.compiler.verify.program import Box, Chain, Kind, Marked, Scenario, Unsupported
from npc.compiler.verify.regions import UNRESTRICTED, End, Views, size
from npc.compiler.verify.registers import Register, Setter
from npc.compiler.verify.selections import Facts, tells_apart
from npc.compiler.verify.steps import Clash, Rules, Step, clashes, index_of

FACTOR_FROM = 2
"""Rows that tell endpoints apart from which on they become a factor, before a dispatch by the other end."""


@dataclass(frozen=True, slots=True)
class Passing:
    """What passes: the union of products; and where the dataplane's choice is undefined."""

    products: tuple[Product, ...]
    clashes: tuple[Clash, ...]


def walk(
    chains: Mapping[str, Chain], scenario: Scenario, *, diagonal: bool, views: Views | None = None
) -> Passing:
    """What passes in a scenario, of the packets from an address to itself or of all others.

    `views` are those of earlier walks through the same chains. Packets of the diagonal are seen from their
    sources, with every address as the peer. Raises Unsupported where registers are used in a way whose effect
    the walk does not follow.
    """
    one = _Walk(Rules(chains, Facts(scenario.facts, diagonal), views or Views()))
    returned = one.run(scenario.chain, [one.all_packets()])
    if scenario.default is Kind.ACCEPT:
        one.accepted += returned
    return Passing(tuple(products_of(one.accepted)), tuple(one.clashes))


@dataclass
class _Walk:
    rules: Rules
    accepted: list[Flow] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    registers: dict[str, Register] = field(default_factory=dict)
    setters: Mapping[str, Setter] | None = None
    """Registers whose values a single chain is asked for, and packets go nowhere; None: all is walked."""

    def all_packets(self) -> Flow:
        return Flow((), End.SOURCE, everything(self.rules.facts))

    def run(self, name: str, flows: Sequence[Flow]) -> list[Flow]:
        """Send packets into a chain; those that come back from it, and from all chains that it goes to."""
        pending = {name: list(flows)}
        returned: list[Flow] = []
        for one in self.rules.order(name):
            for flow in gathered(pending.pop(one, ())):
                returned += self.through(self.rules.chains[one], flow, pending)
        return returned

    def through(self, chain: Chain, flow: Flow, pending: dict[str, list[Flow]]) -> list[Flow]:
        """Packets through the rules of one chain; those that come back."""
        self._mark(chain, flow)
        self._check(chain, flow)
        steps = self.rules.steps(chain, self._marked)
        if chain.by_priority:
            self.clashes += self._clashes(steps.single, flow)
        returned: list[Flow] = []
        flows = [flow]
        for together in steps.together:
            flows = [
                rest
                for one in flows
                if one.rests
                for rest in self._take(together, self._turned(one, together), pending, returned)
            ]
        return returned + [one for one in flows if one.rests]

    def _clashes(self, steps: Sequence[Step], flow: Flow) -> Iterator[Clash]:
        """Where the dataplane's choice is undefined for packets that are not accepted before."""
        for one in clashes(steps, flow):
            for packets in difference([one.packets], products_of(self.accepted)):
                yield Clash(one.rules, packets)

    def _mark(self, chain: Chain, flow: Flow) -> None:
        """Note who comes to a chain that sets registers; when the first do, which packets get which value."""
        if self.setters is not None:
            return
        marks = {name for rule in chain.rules if self.rules.static(rule) for name, _ in rule.action.marks}
        registers = [self.registers.setdefault(name, Register(name)) for name in sorted(marks)]
        if any(chain.name not in one.chains for one in registers):
            for one in registers:
                one.chains[chain.name] = Setter()
            setters = {one.name: one.chains[chain.name] for one in registers}
            asked = _Walk(self.rules, registers=self.registers, setters=setters)
            asked.through(chain, self.all_packets(), {})
        for one in registers:
            one.chains[chain.name].entered.append(Product.of((*flow.factors, flow.region())))

    def _check(self, chain: Chain, flow: Flow) -> None:
        """Raise Unsupported where rules ask for a register that packets may not have."""
        asked = {
            one.register: rule.line
            for rule in reversed(chain.rules)
            if self.rules.static(rule)
            for one in rule.conditions
            if isinstance(one, Marked)
        }
        for name, line in asked.items():
            if name not in self.registers:
                raise Unsupported(f"{name}, which no rule has set before", line)
            if self.setters is None:
                self.registers[name].check(flow, line)

    def _marked(self, condition: Marked) -> tuple[Box, ...]:
        """The packets of which a condition on a register holds."""
        return self.registers[condition.register].boxes(condition)

    def _turned(self, flow: Flow, steps: Sequence[Step]) -> Flow:
        """The flow as it goes through steps: seen from the end that they ask for, where that is cheap.

        Where its rows tell endpoints of the other end apart, among nearly all addresses, it becomes a factor.
        """
        other = flow.end.other
        if (
            self.rules.facts.diagonal
            or not any(step.action.chain and tells_apart(step.boxes, other) for step in steps)
            or any(tells_apart(step.boxes, flow.end) for step in steps)
        ):
            return flow
        told_apart = [rest.subjects for rest in flow.rests if rest.subjects not in UNRESTRICTED]
        if all(map(_is_most_of_a_family, told_apart)):
            turned = flow.region().seen_from(other)
            return Flow(flow.factors, other, tuple(Rest(*row) for row in turned.rows))
        if len(told_apart) < FACTOR_FROM or not any(map(_is_most_of_a_family, told_apart)):
            return flow
        return Flow((*flow.factors, flow.region()), other, everything(self.rules.facts))

    def _take(
        self,
        steps: Sequence[Step],
        flow: Flow,
        pending: dict[str, list[Flow]],
        returned: list[Flow],
    ) -> list[Flow]:
        """What goes on after a step, or after several for different subjects."""
        others: list[Flow] = []
        rests: Iterable[Rest] = flow.rests
        rows = [step.rows(flow.end) for step in steps]
        index = index_of(rows)
        if index is None:
            for step, selected in zip(steps, rows, strict=True):
                for subjects, packets in selected:
                    going: list[Rest] = []
                    for rest in rests:
                        hit = hit_of(rest, subjects, packets)
                        if hit is None:
                            going.append(rest)
                            continue
                        back = self._act(step, flow, hit, pending, returned, others)
                        going += after(step.action, rest, hit, back)
                    rests = going
        else:
            going = []
            for rest in rests:
                gone = []
                for number, part in index.parts(rest.subjects):
                    hit = Rest(part, rest.packets, rest.taken)
                    back = self._act(steps[number], flow, hit, pending, returned, others)
                    if back is not None:  # else all go on
                        going += back
                        gone.append(part)
                left = rest.subjects - Intervals.union(gone)
                if left:
                    going.append(Rest(left, rest.packets, rest.taken))
            rests = going
        return [Flow(flow.factors, flow.end, tuple(rests)), *others]

    def _act(
        self,
        step: Step,
        flow: Flow,
        hit: Rest,
        pending: dict[str, list[Flow]],
        returned: list[Flow],
        others: list[Flow],
    ) -> list[Rest] | None:
        """Do what a step does with its packets; those that come back. None: all go on."""
        one = Flow(flow.factors, flow.end, (hit,))
        if self.setters is not None:
            for register, value in step.action.marks:
                self.setters[register].set(register, value, step.rule, one)
        match step.action.kind:
            case Kind.GOTO if self.setters is not None:
                return []
            case Kind.JUMP if self.setters is not None:
                raise Unsupported("a jump in a chain that sets registers", step.rule.line)
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
                back: list[Rest] = []
                for found in self.run(step.action.chain, [one]):
                    if found.factors == flow.factors and found.end is flow.end:
                        back += found.rests
                    else:
                        others.append(found)
                return None if not others and back == [hit] else back


def _is_most_of_a_family(subjects: Intervals) -> bool:
    """Whether these are all endpoints but some, rather than some."""
    return any(2 * size(subjects & family.every) > 1 << family.bits for family in Family)
