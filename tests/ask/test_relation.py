"""The relation against the reference evaluator, and its parts against each other."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from npc.compiler.algebra.packets import PacketSet
from npc.compiler.ask.ends import Ends
from npc.compiler.ask.rulings import allowed
from npc.compiler.ask.single import SinglePackets
from npc.compiler.frontend.syntax import Direction
from tests.ask.asking import passes, place_of, relation_of
from tests.compiler.compiling import MANY_CLUSTERS, traffic_of
from tests.reference.evaluator import Cluster, Packet
from tests.reference.manifests import Document
from tests.strategies import boundary_packets, clusters, packets

PACKETS = 300


def disagreements(documents: list[Document], asked: Iterable[Packet]) -> list[tuple[Packet, bool]]:
    """The packets that the relation and the reference decide differently."""
    relation, cluster = relation_of(documents), Cluster.from_manifests(documents)
    inventory = relation.model.inventory
    packets_ = SinglePackets(relation.model)
    found = []
    for packet in asked:
        source, destination = place_of(inventory, packet.source), place_of(inventory, packet.destination)
        traffic, expected = traffic_of(packet), passes(cluster, packet)
        answers = (
            traffic in relation.passing(source, destination),
            packets_.passes(source, destination, traffic),
        )
        if answers != (expected, expected):
            found.append((packet, expected))
    return found


@settings(max_examples=MANY_CLUSTERS)
@given(clusters())
def test_boundary_packets(documents: list[Document]) -> None:
    assert disagreements(documents, boundary_packets(documents, PACKETS)) == []


@given(clusters(), st.data())
def test_random_packets(documents: list[Document], data: st.DataObject) -> None:
    asked = data.draw(st.lists(packets(documents), min_size=1, max_size=20))
    assert disagreements(documents, asked) == []


@given(clusters())
def test_rulings_are_disjoint_and_complete_and_decide_as_the_relation_does(documents: list[Document]) -> None:
    relation = relation_of(documents)
    everything = relation.meaning.everything
    for direction in Direction:
        members = 0
        for subjects in relation.classes(direction):
            assert not members & subjects.members
            members |= subjects.members
            seen: PacketSet[Ends] = PacketSet()
            passing: PacketSet[Ends] = PacketSet()
            for ruling, packets_ in relation.rulings(subjects, everything):
                assert not seen & packets_
                seen |= packets_
                if ruling.allowed:
                    passing |= packets_
            assert seen == everything
            assert passing == relation.decision(subjects) == allowed(relation.meaning, subjects)
        assert members == (1 << len(relation.model.inventory.endpoints)) - 1


@given(clusters())
def test_profiles_are_decisions_the_other_way_round(documents: list[Document]) -> None:
    relation = relation_of(documents)
    for direction in Direction:
        for subjects in relation.classes(direction):
            profile = relation.profile(subjects)
            for number, (ends, own) in enumerate(profile):
                assert own
                assert not any(ends & other for other, _ in profile[:number])
            assert PacketSet.of((own, ends) for ends, own in profile) == relation.decision(subjects)
