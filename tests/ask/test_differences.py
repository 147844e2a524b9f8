"""Differences against the reference evaluator: a packet is in a change just where two clusters differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import Family, format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.answers import Between
from npc.compiler.ask.changes import Change, Presence, merged
from npc.compiler.ask.differences import Comparison
from npc.compiler.ask.ends import Ends, Place
from npc.compiler.ask.relation import Relation
from tests.ask.asking import passes, place_of, relation_of
from tests.compiler.compiling import MANY_CLUSTERS, traffic_of
from tests.reference.evaluator import Cluster, Packet
from tests.reference.manifests import Document
from tests.strategies import boundary_packets, clusters

PACKETS = 200
POLICY_KINDS = ("NetworkPolicy", "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")


def flat(documents: Iterable[Document]) -> Iterator[Document]:
    for one in documents:
        if one["kind"].endswith("List"):
            yield from flat(one["items"])
        else:
            yield one


def with_policies_of(cluster: list[Document], other: list[Document]) -> list[Document]:
    """A cluster with the policies of another."""
    return [
        *(one for one in flat(cluster) if one["kind"] not in POLICY_KINDS),
        *(one for one in flat(other) if one["kind"] in POLICY_KINDS),
    ]


def comparison(old: list[Document], new: list[Document]) -> Comparison:
    return Comparison(relation_of(old), relation_of(new))


def on_list(found: Comparison, relation: Relation, packet: Packet) -> tuple[Place, Place]:
    """The ends of a packet by their places on the list of both inventories."""
    side = found.alignment.old if relation is found.old else found.alignment.new
    places = []
    for address in (packet.source, packet.destination):
        place = place_of(relation.model.inventory, address)
        if place.endpoint is not None:
            place = Place(
                place.family, place.endpoint if side.places is None else side.places[place.endpoint]
            )
        places.append(place)
    return places[0], places[1]


def covering(found: Comparison, changes: Iterable[Change], source: Place, destination: Place) -> list[Change]:
    return [one for one in changes if found.is_about(one, source, destination)]


def disagreements(old: list[Document], new: list[Document]) -> list[tuple[Packet, bool, bool]]:
    """The packets about which the changes say something else than the reference."""
    found = comparison(old, new)
    changes = found.changes()
    before, after = Cluster.from_manifests(list(flat(old))), Cluster.from_manifests(list(flat(new)))
    wrong = []
    for packet in boundary_packets([*flat(old), *flat(new)], PACKETS):
        pair = on_list(found, found.old, packet)
        if pair != on_list(found, found.new, packet):
            continue  # an address that is not the same end on both sides
        about = covering(found, changes, *pair)
        assert len(about) <= 1
        kind = traffic_of(packet)
        said = [(kind in one.before, kind in one.after) for one in about]
        expected = passes(before, packet), passes(after, packet)
        if (said and said[0] != expected) or (not said and expected[0] is not expected[1]):
            wrong.append((packet, *expected))
    return wrong


@settings(max_examples=MANY_CLUSTERS)
@given(clusters(), clusters())
def test_changed_policies(cluster: list[Document], other: list[Document]) -> None:
    assert disagreements(cluster, with_policies_of(cluster, other)) == []


@given(clusters(), clusters())
def test_changed_clusters(old: list[Document], new: list[Document]) -> None:
    assert disagreements(old, new) == []


@given(clusters())
def test_nothing_differs_from_itself(cluster: list[Document]) -> None:
    assert comparison(cluster, list(reversed(cluster))).changes() == ()


@given(clusters(), clusters(), st.booleans())
def test_swapped_sides_swap_what_is_gained_and_lost(
    old: list[Document], new: list[Document], same_pods: bool
) -> None:
    new = with_policies_of(old, new) if same_pods else new
    swap = {Presence.OLD: Presence.NEW, Presence.NEW: Presence.OLD, Presence.BOTH: Presence.BOTH}
    there, back = comparison(old, new).changes(), comparison(new, old).changes()
    swapped = {
        (
            one.source,
            one.destination,
            one.after,
            one.before,
            swap[one.sources],
            swap[one.destinations],
            one.between,
        )
        for one in back
    }
    assert swapped == {
        (one.source, one.destination, one.before, one.after, one.sources, one.destinations, one.between)
        for one in there
    }


@given(clusters(), clusters(), st.booleans())
def test_witnesses_really_differ(old: list[Document], new: list[Document], same_pods: bool) -> None:
    new = with_policies_of(old, new) if same_pods else new
    found = comparison(old, new)
    before, after = (Cluster.from_manifests(list(flat(one))) for one in (old, new))
    for change in found.changes():
        witnesses = found.witnesses(change)
        assert [one.passes for one in witnesses] == [True] * bool(change.gained) + [False] * bool(change.lost)
        for one in witnesses:
            assert found.is_about(change, one.source, one.destination)
            assert one.traffic in (change.gained if one.passes else change.lost)
            for cluster, relation, answer, expected in (
                (before, found.old, one.before, not one.passes),
                (after, found.new, one.after, one.passes),
            ):
                packet = packet_of(found, relation, one.source, one.destination, one.traffic)
                if packet is None:
                    assert answer is None
                    assert not expected
                else:
                    assert answer is not None
                    assert passes(cluster, packet) is expected is answer.allowed


def packet_of(
    found: Comparison, relation: Relation, source: Place, destination: Place, kind: int
) -> Packet | None:
    addresses = []
    side = found.alignment.old if relation is found.old else found.alignment.new
    for place in (source, destination):
        if place.address is not None:
            addresses.append(place.address)
            continue
        number = side.number(place.endpoint or 0)
        own = () if number is None else relation.model.inventory.endpoints[number].addresses
        of_family = [one for one in own if Family.of(one) is place.family]
        if not of_family:
            return None
        addresses.append(of_family[0])
    one, other = (ip_address(format_address(number)) for number in addresses)
    return Packet(one, other, kind >> 16, kind & 0xFFFF)


def pod(name: str, address: str) -> Document:
    metadata = {"namespace": "shop", "name": name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"podIP": address}}


def test_endpoints_of_one_side_are_told_from_changed_decisions() -> None:
    pods = [pod("web", "10.0.0.1"), pod("db", "10.0.0.2")]
    found = comparison(pods[:1], pods)
    assert [str(found.alignment.endpoints[one]) for one in found.places(Presence.NEW)] == ["shop/db"]
    assert found.places(Presence.OLD) == []
    assert {(one.sources, one.destinations) for one in found.changes()} == {
        (Presence.NEW, Presence.BOTH),
        (Presence.BOTH, Presence.NEW),
    }
    assert {one.between for one in found.changes()} == {Between.OTHERS}


def change(source: Ends, destination: Ends, lost: Intervals) -> Change:
    return Change(source, destination, lost, Intervals())


WEB4, WEB6, DB4, DB6 = Ends(0b0110), Ends(0, 0b0100), Ends(0b1000), Ends(0, 0b1000)
"""Two pods, of which one has addresses of both families, and another of both."""
ONE, OTHER = traffic.of(traffic.TCP, 80, 80), traffic.of(traffic.TCP, 81, 81)
MERGED = [
    # (name, changes, what becomes of them)
    (
        "both families",
        [change(WEB4, DB4, ONE), change(WEB6, DB6, ONE)],
        [change(WEB4 | WEB6, DB4 | DB6, ONE)],
    ),
    (
        "other traffic",
        [change(WEB4, DB4, ONE), change(WEB6, DB6, OTHER)],
        [change(WEB4, DB4, ONE), change(WEB6, DB6, OTHER)],
    ),
    (
        "others by the other family",
        [change(Ends(0b0001), DB4, ONE), change(WEB6, DB6, ONE)],
        [change(Ends(0b0001), DB4, ONE), change(WEB6, DB6, ONE)],
    ),
]


@pytest.mark.parametrize(
    ("parts", "expected"), [case[1:] for case in MERGED], ids=[case[0] for case in MERGED]
)
def test_changes_of_two_families(parts: list[Change], expected: list[Change]) -> None:
    assert merged(parts) == expected
