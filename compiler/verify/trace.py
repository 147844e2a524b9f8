"""One packet through a ruleset, rule by rule: which rules it meets, and what becomes of it.

The plainest reading of a `Program` that there is: the oracle of the symbolic walk, and what is shown of a
witness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from npc.compiler.verify.program import Among, Chain, Condition, Kind, Known, Rule, Scenario


@dataclass(frozen=True, slots=True, order=True)
class Packet:
    """The first packet of a connection: addresses on the number line, and its kind of traffic."""

    source: int
    destination: int
    traffic: int


@dataclass(frozen=True, slots=True)
class Trace:
    """The rules that a packet met, in order, and whether it passed."""

    passes: bool
    met: tuple[Rule, ...]


def trace(chains: Mapping[str, Chain], scenario: Scenario, packet: Packet) -> Trace:
    """What a ruleset does with one packet."""
    way = _Way(chains, scenario.facts, packet)
    verdict = way.through(scenario.chain)
    return Trace((scenario.default if verdict is Kind.RETURN else verdict) is Kind.ACCEPT, tuple(way.met))


@dataclass
class _Way:
    chains: Mapping[str, Chain]
    facts: Mapping[str, str]
    packet: Packet
    met: list[Rule] = field(default_factory=list)
    registers: dict[str, int] = field(default_factory=dict)

    def through(self, name: str) -> Kind:
        """ACCEPT, DROP, or RETURN where no rule decides."""
        for rule in self.chains[name].rules:
            if not all(map(self._holds, rule.conditions)):
                continue
            self.met.append(rule)
            self.registers.update(rule.action.marks)
            match rule.action.kind:
                case Kind.JUMP:
                    verdict = self.through(rule.action.chain)
                    if verdict is not Kind.RETURN:
                        return verdict
                case Kind.GOTO:
                    return self.through(rule.action.chain)
                case Kind.CONTINUE:
                    pass
                case verdict:
                    return verdict
        return Kind.RETURN

    def _holds(self, condition: Condition) -> bool:
        match condition:
            case Known(fact, values, negated):
                return (self.facts[fact] in values) is not negated
            case Among(boxes, negated):
                found = any(
                    self.packet.source in box.sources
                    and self.packet.destination in box.destinations
                    and self.packet.traffic in box.traffic
                    for box in boxes
                )
                return found is not negated
            case _:
                value = self.registers.get(condition.register)
                return value is not None and value & condition.mask == condition.value & condition.mask
