"""Lowered tables let pass exactly what the plan allows, in every form and with every option."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from ipaddress import ip_address
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc.backends.base import Deny, Options, OwnNode
from npc.backends.naming import content_names
from npc.backends.nft.layout import MEASURED, Layout
from npc.backends.nft.lowering import lower
from npc.backends.nft.ruleset import Dispatch, Rule, Table
from npc.backends.pairs import Limits
from npc.compiler.algebra.packets import PacketSet
from npc.compiler.algebra.peers import Peers
from npc.compiler.frontend.syntax import Direction
from npc.compiler.plan import Plan
from tests.backends import dense
from tests.backends.nft_interpreter import lets_pass, logged
from tests.compiler.compiling import MANY_CLUSTERS, compiled, on_line, passes, traffic_of
from tests.reference.evaluator import Packet
from tests.reference.manifests import Document
from tests.strategies import NODES, boundary_packets, clusters

PACKETS = 100
"""How many packets at most to ask about in each cluster."""


def is_neighbour_discovery(packet: Packet) -> bool:
    """Router and neighbour solicitation and advertisement, redirect (RFC 4861): always pass (A1)."""
    return packet.source.version == 6 and packet.protocol == 58 and 133 <= packet.port >> 8 <= 137


def disagreements(plan: Plan, table: Table, asked: Iterable[Packet], hook: str = "forward") -> list[str]:
    """The packets that table and plan decide differently."""
    return [
        f"{packet}: {expected} is right"
        for packet in asked
        if lets_pass(table, packet, hook)
        is not (expected := passes(plan, packet) or is_neighbour_discovery(packet))
    ]


ALL_PAIRS: Final = Limits(0, most_a_subject=64, most=1 << 12)

FORMS: Final = {
    "as measured": (Options(), MEASURED),
    "by port": (Options(), Layout(most_arms=0)),
    "by port from two arms on": (Options(), Layout(most_arms=1)),
    "chains for arms": (Options(), Layout(most_rules=0)),
    "no chains for arms": (Options(), Layout(most_rules=1000)),
    "every block in a set": (Options(), Layout(blocks_inline=0)),
    "no sets of peers": (Options(), Layout(set_budget=0)),
    "few sets of peers": (Options(), Layout(set_budget=2, inline_peers=1)),
    "a set for each shared group": (Options(), Layout(shared_set_saves=0)),
    "a set for each shared group, by port": (Options(), Layout(shared_set_saves=0, most_arms=0)),
    "few sets of shared groups": (Options(), Layout(shared_set_saves=0, set_budget=1, inline_peers=1)),
    "no sets of shared groups": (Options(), Layout(shared_set_saves=0, set_budget=0)),
    "no sets, by port": (Options(), Layout(set_budget=0, most_arms=0, most_rules=0)),
    "pairs": (Options(), Layout(pairs=ALL_PAIRS)),
    "a few pairs": (Options(), Layout(pairs=Limits(0, most_a_subject=2, most=9))),
    "log beside pairs": (Options(log_denied=True), Layout(pairs=ALL_PAIRS)),
    "log": (Options(log_denied=True), MEASURED),
    "reject": (Options(deny_with=Deny.REJECT), MEASURED),
    "log and reject, by port": (Options(deny_with=Deny.REJECT, log_denied=True), Layout(most_arms=0)),
}
"""Every layout gives a correct ruleset; options say what becomes of denied packets, not of which."""


@settings(max_examples=MANY_CLUSTERS)
@given(clusters())
def test_tables_let_pass_what_the_plan_allows(documents: list[Document]) -> None:
    plan = compiled(documents).plan
    asked = boundary_packets(documents, PACKETS)
    found = {
        name: disagreements(plan, lower(plan, options, layout), asked)
        for name, (options, layout) in FORMS.items()
    }
    assert {name: some for name, some in found.items() if some} == {}


@settings(max_examples=MANY_CLUSTERS // 4)
@given(dense.plans(logs=True))
def test_tables_where_everything_overlaps(plan: Plan) -> None:
    """Holes, hairpins, parts of ICMP; and each rule that logs does so once, whatever becomes of it."""
    asked = dense.packets(PACKETS)
    found = {}
    for name, (options, layout) in FORMS.items():
        table = lower(plan, options, layout)
        found[name] = disagreements(plan, table, asked) + list(faults(table))
        found[name] += [
            f"{packet}: logged {logs}, {expected} is right"
            for packet in asked
            if (logs := logged(table, packet)) != (expected := rules_that_log(plan, packet))
        ]
    assert {name: some for name, some in found.items() if some} == {}


def rules_that_log(plan: Plan, packet: Packet) -> list[str]:
    """The prefixes with which a packet is logged: at its destination only where it gets as far."""
    ends = on_line(packet.source), on_line(packet.destination)
    prefixes: list[str] = []
    if packet.source == packet.destination or is_neighbour_discovery(packet):
        return prefixes
    for direction, (subject, peer) in ((Direction.EGRESS, ends), (Direction.INGRESS, ends[::-1])):
        for one in plan.classes:
            if one.direction is direction and any(subject in member.addresses for member in one.subjects):
                prefixes += [f"npc {rule.rule} " for rule in one.logs if _matches(rule.packets, packet, peer)]
        if not _matches(plan.decision(direction, subject), packet, peer):
            break
    return prefixes


def _matches(packets: PacketSet[Peers], packet: Packet, peer: int) -> bool:
    peers = packets.at(traffic_of(packet))
    return peers is not None and peer in peers


@given(clusters())
def test_names_that_collide_stay_apart(documents: list[Document]) -> None:
    """With names of one digit, classes and sets of peers collide in most clusters."""
    plan = compiled(documents).plan
    with pytest.MonkeyPatch.context() as patch:
        for module in ("lowering", "peersets"):
            patch.setattr(f"npc.backends.nft.{module}.content_names", partial(content_names, length=1))
        table = lower(plan, Options(), Layout(most_arms=0, most_rules=0, blocks_inline=0))
    assert disagreements(plan, table, boundary_packets(documents, PACKETS)) == []


@given(clusters(), st.sampled_from(sorted(NODES)), st.booleans())
def test_own_node_policed(documents: list[Document], node: str, in_pairs: bool) -> None:
    """A3: packets to the node are decided on as they come in, those from it as they go out."""
    plan = compiled(documents).plan
    layout = Layout(pairs=ALL_PAIRS) if in_pairs else MEASURED
    always, policed = (lower(plan, Options(own_node=option), layout) for option in OwnNode)
    own = {ip_address(text) for text in NODES[node]}
    asked = boundary_packets(documents, PACKETS * 4)
    to_node = [packet for packet in asked if packet.destination in own]
    from_node = [packet for packet in asked if packet.source in own]
    assert disagreements(plan, policed, asked) == []
    assert disagreements(plan, policed, to_node, "input") == []
    assert disagreements(plan, policed, from_node, "output") == []
    assert [packet for packet in to_node if not lets_pass(always, packet, "input")] == []
    assert [packet for packet in from_node if not lets_pass(always, packet, "output")] == []


def targets(table: Table) -> Iterator[tuple[str, str]]:
    """Each verdict that names a chain, with the chain or map that it stands in."""
    for chain in table.chains:
        for rule in chain.rules:
            match rule:
                case Rule(_, action):
                    yield chain.name, action
                case Dispatch(_, "", entries):
                    yield from ((chain.name, verdict) for _, verdict in entries)
    for one in table.sets:
        if one.word == "map":
            yield from ((one.name, element.text.partition(" : ")[2]) for element in one.elements)


def faults(table: Table) -> Iterator[str]:
    """Names that stand twice, are missing or that nobody refers to; and what nft would refuse."""
    names = Counter(chain.name for chain in table.chains) + Counter(one.name for one in table.sets)
    yield from (f"{name} is there {count} times" for name, count in names.items() if count > 1)
    chains = {chain.name for chain in table.chains if not chain.hook}
    entered = {action.split()[1] for _, action in targets(table) if action.startswith(("goto ", "jump "))}
    yield from (f"chain {name} is missing or not entered" for name in chains ^ entered)
    text = " ".join(str(rule) for chain in table.chains for rule in chain.rules)
    sets, referred = {f"@{one.name}" for one in table.sets}, set(re.findall(r"@\w+", text))
    yield from (f"set {name} is missing or not used" for name in sets ^ referred)
    comments = [chain.comment for chain in table.chains] + [one.comment for one in table.sets]
    yield from (f"the comment is too long: {comment}" for comment in comments if len(comment.encode()) > 127)
    for one in table.sets:
        elements = Counter(element.text for element in one.elements)
        yield from (f"{one.name} has {text} {count} times" for text, count in elements.items() if count > 1)


@given(clusters())
def test_tables_are_whole(documents: list[Document]) -> None:
    plan = compiled(documents).plan
    found = {name: list(faults(lower(plan, options, layout))) for name, (options, layout) in FORMS.items()}
    assert {name: some for name, some in found.items() if some} == {}
