"""A refutation put so that it can be acted on: who sends what to whom, why it should or should not pass, and
the rules of the ruleset that it met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from npc.backends.base import Options, OwnNode
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.answers import Between
from npc.compiler.ask.asking import Reply, ask_packet
from npc.compiler.ask.assumptions import Reading
from npc.compiler.frontend.source import Origin
from npc.compiler.frontend.syntax import Direction
from npc.compiler.labels import members
from npc.compiler.plan import Plan
from npc.compiler.resolve import Model
from npc.compiler.verify.program import Action, Expected, Kind, Line, Rule, Scenario
from npc.compiler.verify.proof import Refutation
from npc.compiler.verify.trace import Packet
from npc.verifying.elements import element, own_flow
from npc.verifying.pages import Pages


@dataclass(frozen=True, slots=True)
class Met:
    """A rule of the ruleset that a packet met."""

    place: str
    """Its file and line, or handle; empty where it stands in none."""
    text: str
    """As it is written; empty where it has no line."""
    action: str
    """What it does: `accept`, `goto i4_db`."""
    line: Line
    element: Met | None = None
    """The element of the set that it asks by which it found the packet, where that is plain."""


@dataclass(frozen=True, slots=True)
class Refuted:
    """A packet with which the ruleset does not do what the policies say."""

    packet: Packet
    source: str
    """By its name, with the address: `shop/db-0 (10.244.2.30)`."""
    destination: str
    kind: str
    """The traffic: `tcp/5432`."""
    scenarios: tuple[str, ...]
    """As what the packet comes where it is so: "forwarded packets of new connections"."""
    should_pass: bool
    passes: bool
    reply: Reply | None
    """What the policies say, as `npc query` answers; None where they have no say."""
    elsewhere: Mapping[Direction, str]
    """The node of an end whose decision is not this ruleset's, as its pod runs there."""
    always: str
    """Why it passes whatever the policies say; empty where it does not."""
    met: tuple[Met, ...]
    """The rules that it met, in order."""
    default: str
    """What becomes of it where none of them decides; empty where one does."""
    without_ip: str = ""
    """What the packets are where they are not IP: addresses and traffic mean nothing then."""
    clash: tuple[Met, Met] | None = None
    """Two rules of equal priority, of which the dataplane may take either."""
    origin: Origin | None = field(default=None, repr=False)
    """The last of the rules."""


def explained(
    refutations: Iterable[Refutation], plan: Plan, model: Model, options: Options, pages: Pages
) -> Iterator[Refuted]:
    """What refutes a ruleset, each packet once: one that is wrong wherever it comes in tells nothing new."""
    reading = Reading(own_node_is_policed=options.own_node is OwnNode.POLICED)
    found: dict[tuple[Packet, str, bool, bool, tuple[Rule, ...]], list[Refutation]] = {}
    for one in refutations:
        clash = one.clash or ()
        key = one.packet, one.scenario.without_ip, one.should_pass, one.clash is None, clash
        found.setdefault(key, []).append(one)
    for alike in found.values():
        yield _explained(alike, plan, model, reading, pages)


def _explained(alike: list[Refutation], plan: Plan, model: Model, reading: Reading, pages: Pages) -> Refuted:
    one = alike[0]
    packet, scenario = one.packet, one.scenario
    always = _always(scenario, packet)
    reply = None
    if not always:
        reply = ask_packet(model, packet.source, packet.destination, packet.traffic, reading=reading)
        if reply.parts[0].answer.between is Between.OWN_NODE:
            always, reply = "a pod and the node that it runs on always reach each other", None
    met = tuple(_met(rule, pages, packet) for rule in one.trace.met if rule.line.number > 0)
    decides = bool(one.trace.met) and one.trace.met[-1].action.kind in (Kind.ACCEPT, Kind.DROP)
    return Refuted(
        packet,
        _name(packet.source, plan, model),
        _name(packet.destination, plan, model),
        traffic.describe(Intervals.of((packet.traffic, packet.traffic))),
        tuple(dict.fromkeys(each.scenario.title for each in alike)),
        one.should_pass,
        one.trace.passes,
        reply,
        {} if reply is None else dict(_elsewhere(reply, plan)),
        always,
        met,
        "" if decides else _word(scenario.default),
        scenario.without_ip,
        None if one.clash is None else (_met(one.clash[0], pages, packet), _met(one.clash[1], pages, packet)),
        pages.origin(met[-1].line) if met else None,
    )


def _always(scenario: Scenario, packet: Packet) -> str:
    """Why a packet passes whatever the policies say, as far as the scenario says it."""
    if scenario.expected is Expected.EVERYTHING:
        return "packets like these pass whatever the policies say"
    is_listed = any(
        packet.source in box.sources
        and packet.destination in box.destinations
        and packet.traffic in box.traffic
        for box in scenario.always
    )
    if not is_listed:
        return ""
    if packet.traffic >> 16 == traffic.ICMPV6:
        return "IPv6 neighbour discovery always passes"
    return "a pod and the node that it runs on always reach each other"


def _elsewhere(reply: Reply, plan: Plan) -> Iterator[tuple[Direction, str]]:
    """The ends whose pods run on other nodes than the plan is for."""
    if plan.node is None:
        return
    answer, endpoints = reply.parts[0].answer, reply.relation.model.inventory.endpoints
    for direction, ends in ((Direction.EGRESS, answer.source), (Direction.INGRESS, answer.destination)):
        for number in members(ends.endpoints):
            if endpoints[number].node != plan.node:
                yield direction, endpoints[number].node


def _name(address: int, plan: Plan, model: Model) -> str:
    """`shop/db-0 (10.244.2.30)`, `node node-a (172.18.0.3)`, or the address alone."""
    text = format_address(address)
    if name := plan.names.get(address):
        return f"{name} ({text})"
    node = next((one.name for one in model.inventory.nodes if address in one.addresses), None)
    return text if node is None else f"node {node} ({text})"


def _met(rule: Rule, pages: Pages, packet: Packet) -> Met:
    line = own_flow(pages, rule.line, packet)
    found = element(pages, line, packet)
    shown = None if found is None else Met(pages.place(found), pages.line(found).strip(), "", found)
    return Met(pages.place(line), pages.line(line).strip(), _action(rule.action), line, shown)


def _action(action: Action) -> str:
    marks = "".join(f"{register} = {value:#x}, " for register, value in action.marks)
    return f"{marks}{action.kind.value} {action.chain}".rstrip()


def _word(kind: Kind) -> str:
    return "accepted" if kind is Kind.ACCEPT else "dropped"
