"""The tables around the policies': into conntrack, what passes whatever they say, and the commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from npc.backends.base import Options, OwnNode
from npc.backends.ovs.hairpins import by_address, hairpin
from npc.backends.ovs.matches import address_match, family_match, pair_match
from npc.backends.ovs.ruleset import Flow, Match, Section
from npc.backends.ovs.settings import Settings, Step
from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family
from npc.compiler.frontend.syntax import Direction
from npc.compiler.inventory import Endpoint
from npc.compiler.plan import Plan

NEIGHBOUR_DISCOVERY = range(133, 138)
"""ICMPv6 types: router and neighbour solicitation and advertisement, redirect (RFC 4861, section 4)."""
_SCTP = traffic.every(traffic.SCTP)
_ALWAYS = 200
_AT_PORT, _ELSEWHERE_AT_PORT, _EXEMPT = 350, 340, 330
"""Of the exceptions: before known connections, which the userspace datapath may have decided again."""
_HAIRPIN_WITHOUT_PORT, _HAIRPIN = 325, 290
"""Of packets from an endpoint to itself that are decided on: known connections have passed, but for SCTP."""


def entry(settings: Settings) -> Iterator[Flow]:
    """ARP and neighbour discovery pass (A1), IP goes to conntrack, the rest is no policy's business."""
    through = (settings.next,)
    yield Flow(_ALWAYS, (Match("arp"),), through)
    for number in NEIGHBOUR_DISCOVERY:
        yield Flow(_ALWAYS, (Match("icmp6"), Match("icmpv6_type", str(number))), through)
    track = f"ct(table={settings.number(Step.STATE)},zone={settings.zone})"
    for family in Family:
        yield Flow(100, (family_match(family),), (track,))
    yield Flow(0, (), through)


def state(
    plan: Plan, options: Options, settings: Settings, at_ports: Mapping[int, Endpoint]
) -> Iterator[Section]:
    """Replies and related errors (A1), endpoints to themselves (A2) and to and from their own nodes (A3).

    What comes from the known port of an endpoint is excepted only under the endpoint's own address: with
    another's, or its node's, it is decided as that endpoint's.

    Packets that conntrack calls invalid belong to no connection, so they are decided as first packets are:
    as their own direction alone allows, never as a reply.
    """
    through, accept, decide = (settings.next,), (settings.goto(Step.ACCEPT),), (settings.goto(Step.SOURCE),)
    established = Match("ct_state", "+est+trk")
    without_port = (established, Match("ct_nw_proto", str(traffic.SCTP)), Match("ct_tp_dst", "0"))
    yield Section(
        (Flow(320, without_port, decide),),
        (
            "The userspace datapath tracks SCTP without ports: to it, whatever two addresses exchange is one",
            "connection. So there each packet is decided by itself; the kernel's knows the port.",
        ),
    )
    yield Section(
        (Flow(310, (established,), through), Flow(300, (Match("ct_state", "+rel+trk"),), through)),
        ("Known connections.",),
    )
    subjects = _subjects(plan)
    hairpins = by_address(plan)
    own = sorted(address for subject in subjects for address in subject.addresses if address not in hairpins)
    yield Section(tuple(_at_ports(plan, options, settings, at_ports)), ("Endpoints at known ports.",))
    yield Section(
        tuple(Flow(_EXEMPT, pair_match(one, one), accept, plan.names[one]) for one in own),
        ("Endpoints to themselves.",),
    )
    flows = (
        flow
        for address, passes in hairpins.items()
        for note in (plan.names.get(address, ""),)
        for flow in (
            *hairpin(address, passes & _SCTP, _HAIRPIN_WITHOUT_PORT, without_port, settings, note, _SCTP),
            *hairpin(address, passes, _HAIRPIN, (), settings, note),
        )
    )
    yield Section(tuple(flows), ("Endpoints to themselves, where cluster policies decide on it.",))
    if options.own_node is OwnNode.ALWAYS:
        flows = (Flow(_EXEMPT, matches, accept, note) for matches, note in _own_nodes(plan, subjects))
        yield Section(tuple(flows), ("Endpoints to and from the node that they run on.",))
    yield Section((Flow(0, (), decide),))


def accept(settings: Settings) -> Iterator[Flow]:
    """Only what both ends allow becomes a connection whose replies pass (A1)."""
    for family in Family:
        yield Flow(100, (family_match(family),), (f"ct(commit,zone={settings.zone})", settings.next))
    yield Flow(0, (), ("drop",))


def _at_ports(
    plan: Plan, options: Options, settings: Settings, at_ports: Mapping[int, Endpoint]
) -> Iterator[Flow]:
    """The exceptions of endpoints at known ports; all else from there that begins something is decided."""
    accept, decide = (settings.goto(Step.ACCEPT),), (settings.goto(Step.SOURCE),)
    begins = Match("ct_state", "-est-rel+trk")
    hairpins = by_address(plan)
    for port, endpoint in sorted(at_ports.items()):
        at, nodes = Match("in_port", str(port)), plan.node_addresses.get(endpoint.node, ())
        for own in endpoint.addresses:
            to_node = nodes if options.own_node is OwnNode.ALWAYS else ()
            if own in hairpins:
                yield from hairpin(own, hairpins[own], _AT_PORT, (at, begins), settings, str(endpoint))
            for other in dict.fromkeys((own, *to_node) if own not in hairpins else to_node):
                if Family.of(own) is Family.of(other):
                    yield Flow(_AT_PORT, (at, *pair_match(own, other)), accept, str(endpoint))
        yield Flow(_ELSEWHERE_AT_PORT, (at, begins), decide, f"{endpoint}, whatever its address")


def _own_nodes(plan: Plan, subjects: list[Endpoint]) -> Iterator[tuple[tuple[Match, ...], str]]:
    """Matches for each pair; where all subjects run on one node, for the node alone: they mean the same."""
    nodes = {subject.node for subject in subjects}
    own = {address for subject in subjects for address in subject.addresses}
    addresses = {one for node in nodes for one in plan.node_addresses.get(node, ())}
    if len(nodes) == 1 and own.isdisjoint(addresses):
        for address in sorted(addresses):
            for direction in Direction:
                yield address_match(address, direction), "".join(nodes)
        return
    pairs = {
        pair: f"{subject}, {subject.node}"
        for subject in subjects
        for node_address in plan.node_addresses.get(subject.node, ())
        for address in subject.addresses
        for pair in ((address, node_address), (node_address, address))
        if Family.of(address) is Family.of(node_address) and address != node_address
    }
    for (source, destination), note in sorted(pairs.items()):
        yield pair_match(source, destination), note


def _subjects(plan: Plan) -> list[Endpoint]:
    """The endpoints that are isolated in one direction at least, by name."""
    found = {str(subject): subject for one in plan.classes for subject in one.subjects}
    return [found[name] for name in sorted(found)]
