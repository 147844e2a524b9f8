"""All connections of random clusters, pair by pair, against the reference evaluator."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from npc.compiler.algebra.addresses import EVERY_ADDRESS
from npc.compiler.ask.connections import Connections, Selection, connections
from npc.compiler.ask.ends import NOBODY, Ends, Place
from npc.compiler.ask.relation import Relation
from npc.compiler.labels import members
from tests.ask.asking import passes, place_of, relation_of
from tests.compiler.compiling import MANY_CLUSTERS, traffic_of
from tests.reference.evaluator import Cluster
from tests.reference.manifests import Document
from tests.strategies import boundary_packets, clusters

PACKETS = 300


def everything(relation: Relation) -> Connections:
    """All connections between all endpoints and with all addresses."""
    everyone = relation.census.everyone
    return connections(relation, everyone.endpoints, Selection(everyone, everyone, everyone))


def party_of(found: Connections, place: Place) -> int:
    (number,) = (
        number
        for number, one in enumerate(found.parties)
        if place.endpoint is not None and one.members >> place.endpoint & 1
    )
    return number


def says(found: Connections, source: Place, destination: Place, traffic: int) -> bool:
    """Whether a packet passes, as the connections have it."""
    if source.endpoint is None and destination.endpoint is None:
        return True
    if source.address is not None:
        row = found.from_outside[party_of(found, destination)]
        return any(traffic in one.traffic and source.address in one.addresses for one in row)
    if destination.address is not None:
        row = found.to_outside[party_of(found, source)]
        return any(traffic in one.traffic and destination.address in one.addresses for one in row)
    there = party_of(found, destination)
    return any(
        traffic in one.traffic and one.parties >> there & 1 and one.family in (None, source.family)
        for one in found.rows[party_of(found, source)]
    )


@settings(max_examples=MANY_CLUSTERS)
@given(clusters())
def test_connections_are_what_the_reference_lets_pass(documents: list[Document]) -> None:
    relation, cluster = relation_of(documents), Cluster.from_manifests(documents)
    found = everything(relation)
    inventory = relation.model.inventory
    for packet in boundary_packets(documents, PACKETS):
        source, destination = place_of(inventory, packet.source), place_of(inventory, packet.destination)
        if source == destination or relation.are_pod_and_own_node(source, destination):
            continue
        if source.family is destination.family:
            expected = passes(cluster, packet)
            assert says(found, source, destination, traffic_of(packet)) is expected, packet


@given(clusters())
def test_rows_are_disjoint_and_parties_cover_all(documents: list[Document]) -> None:
    found = everything(relation_of(documents))
    covered = 0
    for party in found.parties:
        assert party.members
        assert not covered & party.members
        covered |= party.members
    assert covered == found.relation.census.everyone.endpoints
    for row in found.rows:
        for number, one in enumerate(row):
            assert one.traffic
            assert one.parties
            for other in row[:number]:
                if one.family is None or other.family is None or one.family is other.family:
                    assert not one.parties & other.parties


@given(clusters(), st.data())
def test_a_selection_is_a_part_of_everything(documents: list[Document], data: st.DataObject) -> None:
    relation = relation_of(documents)
    everyone = relation.census.everyone
    size = everyone.endpoints.bit_length()

    def some() -> Ends:
        chosen = data.draw(st.integers(0, (1 << size) - 1))
        outside = everyone.outside if data.draw(st.booleans()) else NOBODY.outside
        return Ends(chosen & everyone.v4, chosen & everyone.v6, outside)

    selection = Selection(some(), some(), some())
    part = connections(relation, everyone.endpoints, selection)
    assert flat(part) == {
        one
        for one in flat(everything(relation))
        if is_in(selection.source, one[0])
        and is_in(selection.destination, one[1])
        and (is_in(selection.focus, one[0]) or is_in(selection.focus, one[1]))
    }


def is_in(ends: Ends, who: object) -> bool:
    """Whether an endpoint, or the outside as a whole, is among some ends."""
    return bool(ends.endpoints >> who & 1) if isinstance(who, int) else ends.outside == EVERY_ADDRESS


def flat(found: Connections) -> set[tuple[object, object, object, object]]:
    """Connections endpoint by endpoint."""
    listed: set[tuple[object, object, object, object]] = set()
    for number, party in enumerate(found.parties):
        for endpoint in members(party.members):
            for passing in found.rows[number]:
                for there in members(passing.parties):
                    for other in members(found.parties[there].members):
                        listed.add((endpoint, other, passing.traffic, passing.family))
            for abroad in found.to_outside[number]:
                listed.add((endpoint, "outside", abroad.traffic, abroad.addresses))
            for abroad in found.from_outside[number]:
                listed.add(("outside", endpoint, abroad.traffic, abroad.addresses))
    return listed
