"""Whether the proof is right about a ruleset: what it says is compared with packets, one by one.

A refutation must be true: what should become of its packet is worked out anew from the plan alone. Where
there is a proof, packets at the edges of all that the plan and the text mention are sent through the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from random import Random
from typing import Final

from npc.backends.base import Options, OwnNode
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Plan
from npc.compiler.verify.program import (
    Among,
    Box,
    Expected,
    Known,
    Malformed,
    Program,
    Rule,
    Scenario,
    Unsupported,
)
from npc.compiler.verify.proof import Refutation, prove
from npc.compiler.verify.trace import Packet, trace
from tests.verify.mutations import ADDRESS, code
from tests.verify.rulesets import Ruleset, read

_FOREIGN: Final = {Family.V4: traffic.ICMPV6, Family.V6: traffic.ICMP}
_FAR: Final = ("203.0.113.9", "2001:db8::9")
_WITH_PORTS: Final = (traffic.TCP, traffic.UDP, traffic.SCTP)


class Finding(Enum):
    """What the proof made of a mutant."""

    CAUGHT = "caught"
    EQUIVALENT = "equivalent"
    MALFORMED = "malformed"
    UNSUPPORTED = "unsupported"
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Judgement:
    finding: Finding
    text: str = ""
    """Why it is wrong, or what was refused."""
    refutations: tuple[Refutation, ...] = ()


def judge(ruleset: Ruleset, texts: Mapping[str, str], chance: Random, packets: int) -> Judgement:
    """What becomes of a ruleset's proof when its texts are these, and whether that is right."""
    try:
        program = read(ruleset.target, texts, ruleset.plan, ruleset.options)
        proof = prove(program, ruleset.plan)
    except Malformed as error:
        return Judgement(Finding.MALFORMED, error.construct)
    except Unsupported as error:
        return Judgement(Finding.UNSUPPORTED, error.construct)
    except Exception as error:  # whatever a reader or the walk raises else is a bug of theirs
        return Judgement(Finding.WRONG, f"{type(error).__name__}: {error}")
    if proof:
        changed = "\n".join(changed_lines(ruleset.texts, texts))
        asked = edges(ruleset.plan, changed, chance, packets)
        faults = list(disagreements(program, ruleset.plan, ruleset.options, ruleset.target, asked))
        if faults:
            return Judgement(Finding.WRONG, f"proven, but {faults[0]}")
        return Judgement(Finding.EQUIVALENT)
    original = ruleset.program
    for refutation in proof.refutations:
        fault = untrue(program, original, ruleset, refutation)
        if fault:
            return Judgement(Finding.WRONG, fault, proof.refutations)
    return Judgement(Finding.CAUGHT, "", proof.refutations)


def untrue(program: Program, original: Program, ruleset: Ruleset, refutation: Refutation) -> str:
    """What is wrong with a refutation of a ruleset that was proven before; empty where it is true."""
    scenario, packet = refutation.scenario, refutation.packet
    if not any(is_in(packet, box) for box in scenario.space):
        return f"{packet} is no packet of the scenario {scenario.title}"
    if refutation.clash is not None:
        return _no_clash(refutation, scenario)
    if refutation.should_pass is not right(ruleset.plan, ruleset.options, ruleset.target, scenario, packet):
        return f"{packet}: the plan says {not refutation.should_pass}"
    if trace(program.chains, scenario, packet).passes is refutation.should_pass:
        return f"{packet}: the rules do what they should"
    for before in original.scenarios:
        alike = (before.title, before.facts) == (scenario.title, scenario.facts)
        if alike and trace(original.chains, before, packet).passes is not refutation.should_pass:
            return f"{packet}: the rules as they were did the same"
    return ""


def _no_clash(refutation: Refutation, scenario: Scenario) -> str:
    assert refutation.clash is not None
    one, two = refutation.clash
    if one.priority != two.priority or one.action == two.action:
        return "rules of different priority, or of equal action, do not clash"
    if not (holds(one, scenario, refutation.packet) and holds(two, scenario, refutation.packet)):
        return f"{refutation.packet} does not meet both rules that clash"
    return ""


def holds(rule: Rule, scenario: Scenario, packet: Packet) -> bool:
    """Whether a packet meets what a rule asks of its fields; registers are not looked at."""
    for condition in rule.conditions:
        match condition:
            case Among(boxes, negated):
                if any(is_in(packet, box) for box in boxes) is negated:
                    return False
            case Known(fact, values, negated):
                if (scenario.facts[fact] in values) is negated:
                    return False
    return True


def is_in(packet: Packet, box: Box) -> bool:
    """Whether a packet is in a box."""
    return (
        packet.source in box.sources
        and packet.destination in box.destinations
        and packet.traffic in box.traffic
    )


# --- what should pass ---------------------------------------------------------------------------------------


def right(plan: Plan, options: Options, target: str, scenario: Scenario, packet: Packet) -> bool | None:
    """Whether a packet should pass, by the plan alone and what is always allowed (A1, A3).

    None where both are right: of the other family's ICMP nobody reads the types, so such a packet may pass
    where policies allow some types of it, and need not.
    """
    if scenario.expected is Expected.EVERYTHING or is_neighbour_discovery(packet):
        return True
    if target == "ovs" and options.own_node is OwnNode.ALWAYS and is_own_node(plan, packet):
        return True
    source, destination, kind = packet.source, packet.destination, packet.traffic
    if kind >> 16 != _FOREIGN[Family.of(source)]:
        return plan.allows(source, destination, kind)
    types = [one for one in _edges_of(plan) if one >> 16 == kind >> 16]
    if source == destination:
        return None if any(one in plan.hairpin(source) for one in types) else False
    ends = ((Direction.EGRESS, source, destination), (Direction.INGRESS, destination, source))
    for direction, subject, peer in ends:
        decision = plan.decision(direction, subject)
        if not any((peers := decision.at(one)) is not None and peer in peers for one in types):
            return False
    return None


def is_neighbour_discovery(packet: Packet) -> bool:
    """Router and neighbour solicitation and advertisement, redirect (RFC 4861)."""
    first, last = traffic.ICMPV6 << 16 | 133 << 8, traffic.ICMPV6 << 16 | 137 << 8 | 255
    return Family.of(packet.source) is Family.V6 and first <= packet.traffic <= last


def is_own_node(plan: Plan, packet: Packet) -> bool:
    """Whether a packet is between a subject and the node that it runs on."""
    ends = packet.source, packet.destination
    return any(
        address in subject.addresses and node in plan.node_addresses.get(subject.node, ())
        for one in plan.classes
        for subject in one.subjects
        for address, node in (ends, ends[::-1])
    )


def _edges_of(plan: Plan) -> set[int]:
    """The traffic at which a plan changes its mind, from one number to the next."""
    found = {low for protocol in range(256) for low in (protocol << 16, (protocol << 16) + 0xFFFF)}
    for one in plan.classes:
        for low, high, _ in one.decision.parts:
            found |= {max(low - 1, 0), low, high, high + 1}
    for hairpin in plan.hairpins:
        for low, high in hairpin.traffic.ranges:
            found |= {max(low - 1, 0), low, high, high + 1}
    return {one for one in found if one >> 16 < 256}


# --- packets ------------------------------------------------------------------------------------------------


def disagreements(
    program: Program, plan: Plan, options: Options, target: str, asked: Sequence[Packet]
) -> Iterator[str]:
    """The packets with which rules do something else than they should."""
    for scenario in program.scenarios:
        for packet in asked:
            if any(is_in(packet, box) for box in scenario.space):
                should = right(plan, options, target, scenario, packet)
                if should is not None and trace(program.chains, scenario, packet).passes is not should:
                    yield f"{packet} in {scenario.title} should {'' if should else 'not '}pass"


def edges(plan: Plan, changed: str, chance: Random, count: int) -> list[Packet]:
    """Packets between addresses near those that a plan and a text mention, of traffic at the edges.

    Half of them are of what the text says.
    """
    near = _near(re.findall(ADDRESS, changed))
    every = near + _near(_FAR)
    for one in plan.classes:
        every += [address for subject in one.subjects for address in subject.addresses]
        for _, _, peers in one.decision.parts:
            for low, high in peers.addresses().ranges[:20]:
                every += [address for address in (low - 1, low, high, high + 1) if address >= 0]
    every = sorted({address for address in every if 0 <= address < 1 << 129})
    kinds = sorted(_edges_of(plan))
    told = _told(changed)
    families = {family: [one for one in every if Family.of(one) is family] for family in Family}
    subjects = sorted(
        {address for one in plan.classes for subject in one.subjects for address in subject.addresses}
    )
    found = []
    for _ in range(count):
        here = chance.choice(near if near and chance.random() < 0.5 else subjects or every)
        family = families[Family.of(here)]
        there = chance.choice([end for end in near if end in family] or [here])
        if chance.random() < 0.5:
            there = chance.choice(family)
        kind = chance.choice(told if told and chance.random() < 0.5 else kinds)
        found.append(Packet(here, there, kind) if chance.random() < 0.5 else Packet(there, here, kind))
    return found


def _near(texts: Sequence[str]) -> list[int]:
    """The addresses that texts are, and those before and after."""
    found = []
    for text in texts:
        try:
            address = ip_address(text)
        except ValueError:
            continue  # ether addresses and the like
        value = int(address) + (1 << 128 if address.version == 6 else 0)
        last = (1 << 32) - 1 if address.version == 4 else (1 << 129) - 1
        first = 0 if address.version == 4 else 1 << 128
        found += [one for one in (value - 1, value, value + 1) if first <= one <= last]
    return found


def _told(changed: str) -> list[int]:
    """Traffic of the numbers in a text: ports, types and protocols, and their neighbours."""
    found = set()
    for text in re.findall(r"(?<![\w.:])\d{1,5}(?![\w.:])", changed):
        for number in (int(text) - 1, int(text), int(text) + 1):
            if 0 <= number <= 0xFFFF:
                found |= {protocol << 16 | number for protocol in _WITH_PORTS}
            if 0 <= number <= 0xFF:
                found |= {protocol << 16 | number << 8 for protocol in (traffic.ICMP, traffic.ICMPV6)}
                found.add(number << 16)
    return sorted(found)


def changed_lines(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The lines that are in one of two texts alone."""
    found: list[str] = []
    for name, text in after.items():
        old, new = before[name].splitlines(), text.splitlines()
        found += sorted({code(line) for line in set(old) ^ set(new)})
        if not found and old != new:
            found += [code(two) for one, two in zip(old, new, strict=False) if one != two][:20]
    return found
