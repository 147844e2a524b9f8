"""What packets come in, and which of them should pass (A1-A3, docs/ovs.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from npc.backends.base import Options, OwnNode
from npc.backends.ovs.reader.chains import ASKED, CONNECTION, PACKET
from npc.backends.ovs.reader.conditions import ETHERTYPE, IN_PORT, IP, ORIGINAL_PORT, STATE, ethertype_name
from npc.backends.ovs.reader.flows import Flow
from npc.backends.ovs.reader.matches import STATES
from npc.backends.ovs.reader.numbers import number
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import EVERY_V6, Family
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.plan import Plan
from npc.compiler.verify.program import (
    NEIGHBOUR_DISCOVERY,
    Box,
    Expected,
    Kind,
    Scenario,
    Unsupported,
)

_OTHER = "other"
_ETHERTYPES = {"arp": "ARP packets", _OTHER: "packets that are neither IP nor ARP"}
_SCTP = traffic.every(traffic.SCTP)
_REPLY = ", reply"
_DECIDED = ("new", "invalid")
"""States of packets that policies decide on; the others are of known connections."""


def scenarios(flows: Sequence[Flow], plan: Plan, options: Options, chain: str) -> Iterator[Scenario]:
    """All that flows can tell apart of packets, and a fact that nobody asks for only once."""
    ethertypes = {flow.match.ethertype for flow in flows if flow.match.ethertype is not None}
    names = sorted({ethertype_name(one) for one in ethertypes} - {IP} | {"arp", _OTHER})
    always = (NEIGHBOUR_DISCOVERY, *_own_nodes(plan, options))
    at_ports = _at_ports(plan, options)
    for port in (_OTHER, *sorted(_ports(flows, at_ports))):
        for scenario in _tracked(_groups(flows), at_ports.get(port), plan, chain, always):
            yield _at(scenario, port)
        for name in names:
            facts = {ETHERTYPE: name, STATE: "new", ORIGINAL_PORT: _OTHER, ASKED: PACKET}
            what = _ETHERTYPES.get(name, f"packets of Ethernet type {name}")
            one = Scenario(what, chain, Kind.DROP, facts, Expected.EVERYTHING, without_ip=what)
            yield _at(one, port)


def _at(scenario: Scenario, port: str) -> Scenario:
    """A scenario of packets that come in at a port."""
    title = scenario.title if port == _OTHER else f"{scenario.title}, from port {port}"
    facts = {**scenario.facts, IN_PORT: port}
    return replace(scenario, title=title, facts=facts)


def _tracked(
    groups: Sequence[Sequence[str]],
    sender: Endpoint | None,
    plan: Plan,
    chain: str,
    always: tuple[Box, ...],
) -> Iterator[Scenario]:
    """IP, by what conntrack says of it; from the port of a `sender`, as far as it is the sender's."""
    every = _space(traffic.ANY)
    own = _space(traffic.ANY) if sender is None else _from(sender)

    def facts(state: str, port: str, asked: str = PACKET) -> Mapping[str, str]:
        return {ETHERTYPE: IP, STATE: state, ORIGINAL_PORT: port, ASKED: asked}

    for states in groups:
        told = [one for one in states if not one.endswith(_REPLY) or one.removesuffix(_REPLY) not in states]
        title = f"packets that conntrack calls {' or '.join(told)}"
        if states[0] in _DECIDED:
            yield Scenario(title, chain, Kind.DROP, facts(states[0], _OTHER), Expected.PLAN, always, own)
            if "new" in states:
                title = "first packets, whose connections are committed so that replies pass"
                yield Scenario(
                    title,
                    chain,
                    Kind.DROP,
                    facts("new", _OTHER, CONNECTION),
                    Expected.PLAN,
                    always[1:],
                    _isolated(plan, own),
                )
            continue
        yield Scenario(title, chain, Kind.DROP, facts(states[0], _OTHER), Expected.EVERYTHING, (), every)
        if states[0].startswith("established"):
            without = _space(traffic.ANY - _SCTP)
            yield Scenario(
                f"{title}, to port 0",
                chain,
                Kind.DROP,
                facts(states[0], "0"),
                Expected.EVERYTHING,
                (),
                without,
            )
            yield Scenario(
                f"SCTP {title}, where it tracks no ports",
                chain,
                Kind.DROP,
                facts(states[0], "0"),
                Expected.PLAN,
                always,
                _within(own, _SCTP),
            )


def _groups(flows: Sequence[Flow]) -> list[list[str]]:
    """The states of conntrack; together are those that no flow tells apart, if the same is expected."""
    asked = {flow.match.state for flow in flows if flow.match.state is not None}
    found: dict[tuple[object, ...], list[str]] = {}
    for name, flags in STATES.items():
        told = tuple(flags & mask == value for value, mask in sorted(asked))
        found.setdefault((name in _DECIDED, *told), []).append(name)
    return list(found.values())


def _space(kinds: Intervals) -> tuple[Box, ...]:
    """Packets with both ends of one family."""
    return tuple(Box(family.every, family.every, kinds) for family in Family)


def _within(space: Sequence[Box], kinds: Intervals) -> tuple[Box, ...]:
    return tuple(Box(one.sources, one.destinations, one.traffic & kinds) for one in space)


def _from(sender: Endpoint) -> tuple[Box, ...]:
    """Packets under an endpoint's own addresses."""
    own = Intervals.of(*((address, address) for address in sender.addresses))
    found = (Box(one.sources & own, one.destinations, one.traffic) for one in _space(traffic.ANY))
    return tuple(one for one in found if one.sources)


def _isolated(plan: Plan, space: Sequence[Box]) -> tuple[Box, ...]:
    """Packets from or to isolated endpoints, without neighbour discovery: others need no connection."""
    isolated = {subject for one in plan.classes for subject in one.subjects}
    subjects = Intervals.of(*((one, one) for subject in isolated for one in subject.addresses))
    found = []
    for one in space:
        kinds = one.traffic - traffic.NEIGHBOUR_DISCOVERY if one.sources <= EVERY_V6 else one.traffic
        inside, outside = one.sources & subjects, one.sources - subjects
        found.append(Box(inside, one.destinations, kinds))
        found.append(Box(outside, one.destinations & subjects, kinds))
    return tuple(box for box in found if box.sources and box.destinations)


def _own_nodes(plan: Plan, options: Options) -> Iterator[Box]:
    """Endpoints to and from the node that they run on (A3)."""
    if options.own_node is not OwnNode.ALWAYS:
        return
    by_node: dict[str, set[Endpoint]] = {}
    for one in plan.classes:
        for subject in one.subjects:
            by_node.setdefault(subject.node, set()).add(subject)
    for node, subjects in sorted(by_node.items()):
        of_node = Intervals.of(*((one, one) for one in plan.node_addresses.get(node, ())))
        of_subjects = Intervals.of(*((one, one) for subject in subjects for one in subject.addresses))
        for family in Family:
            ends = of_node & family.every, of_subjects & family.every
            if all(ends):
                yield Box(*ends)
                yield Box(*reversed(ends))


def spoofing_notes(flows: Sequence[Flow], plan: Plan, options: Options) -> Iterator[str]:
    """What is not asked of packets from known ports, and which ports no flow asks for."""
    asked = {flow.match.in_port for flow in flows}
    known = set(plan.names.values())
    for name in sorted(_stated(options).keys() - known):
        yield f"The inventory has no pod {name}, whose port the options give."
    at_ports = _at_ports(plan, options)
    for port, pod in at_ports.items():
        if port not in asked:
            yield (
                f"No flow asks for port {port} of {pod}: what guards against forged addresses from there"
                " is not loaded."
            )
    if at_ports:
        yield (
            "Packets from the known port of an endpoint are asked for under its own addresses alone;"
            " under others they are no part of the proof."
        )


def _ports(flows: Sequence[Flow], at_ports: Mapping[str, Endpoint]) -> set[str]:
    """The ports that flows ask for."""
    found = {flow.match.in_port: flow.line for flow in flows if flow.match.in_port is not None}
    for name, line in found.items():
        if at_ports and name != "LOCAL" and number(name) is None:
            raise Unsupported(
                f"the port `{name}`", line, "list ports by their numbers: ovs-ofctl --no-names dump-flows"
            )
    return set(found)


def _at_ports(plan: Plan, options: Options) -> dict[str, Endpoint]:
    """The endpoints whose egress is isolated and whose port is known, by the port."""
    stated = _stated(options)
    found: dict[str, Endpoint] = {}
    for one in plan.classes:
        if one.direction is Direction.EGRESS:
            for subject in one.subjects:
                known = "" if subject.ovs_port is None else str(subject.ovs_port)
                port = number(stated.get(str(subject), known))
                if port is not None:
                    found[str(port)] = subject
    return found


def _stated(options: Options) -> dict[str, str]:
    """The ports that `--ovs-port` gives, by the pod."""
    stated: dict[str, str] = {}
    for word in filter(None, map(str.strip, options.settings.get("ports", "").split(","))):
        pod, _, text = word.rpartition("=")
        stated[pod if "/" in pod else f"default/{pod}"] = text
    return stated
