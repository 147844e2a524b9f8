"""Assertions against the reference evaluator: what holds is true of every packet."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.algebra.addresses import format_address
from npc.compiler.algebra.intervals import Intervals
from npc.compiler.ask.assertions import judge
from npc.compiler.ask.ends import Ends, Place
from npc.compiler.ask.pairs import Pairs
from npc.compiler.ask.relation import Relation
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Action, Assertion, Peer, Ports
from npc.compiler.language.asserting import read_assertions
from tests.ask.asking import model_of, passes, place_of
from tests.compiler.compiling import traffic_of
from tests.reference.evaluator import Cluster
from tests.reference.manifests import Document
from tests.strategies import boundary_packets, clusters

PACKETS = 200
ENDS = (
    *("any", "pods in ns", "pods(app=a) in ns", "ns/a", "ns/b", "ns(env=dev)", "nodes"),
    *("10.0.0.0/8", "0.0.0.0/0 except 10.0.0.0/9, ns/a", "::/0", "203.0.113.9"),
)
TRAFFIC = ("", "tcp", "udp/53", "tcp/80, tcp/http", "any/dns", "icmp")
SENTENCES = st.builds(
    "{} {} from {} to {}".format,
    st.sampled_from(("allow", "deny")),
    st.sampled_from(TRAFFIC),
    st.sampled_from(ENDS),
    st.sampled_from(ENDS),
)


def read(text: str) -> Assertion:
    found = read_assertions([Source("x.assert.npc", content=text.encode())])
    assert found.diagnostics == ()
    (assertion,) = found.assertions
    return assertion


@given(clusters(), SENTENCES)
def test_what_is_asserted(documents: list[Document], sentence: str) -> None:
    assertion = read(sentence)
    model, cluster = model_of(documents), Cluster.from_manifests(documents)
    relation = Relation(model)
    verdict = judge(relation, assertion)
    wanted = assertion.action is Action.ALLOW
    sources, destinations = whole(relation, assertion.sources), whole(relation, assertion.destinations)
    pairs = Pairs(sorted(set(relation.census.addresses)), relation.own_node)
    has_names = any(hasattr(one, "name") for one in assertion.ports or ())
    if verdict.counterexample is not None:
        found = verdict.counterexample
        assert found.answer.allowed is not wanted
        assert pairs.are_apart(found.source, found.destination)
        assert found.source.ends & sources
        assert found.destination.ends & destinations
        assert (found.traffic in relation.passing(found.source, found.destination)) is not wanted
    elif not has_names:
        for packet in boundary_packets(documents, PACKETS):
            one, other = (place_of(model.inventory, end) for end in (packet.source, packet.destination))
            is_asked = one.ends & sources and other.ends & destinations and pairs.are_apart(one, other)
            if is_asked and (assertion.ports is None or traffic_of(packet) in ports(assertion)):
                assert passes(cluster, packet) is wanted, packet


def whole(relation: Relation, peers: tuple[Peer, ...] | None) -> Ends:
    """Whom peers mean: that is tested with the relation."""
    found = relation.census.everyone if peers is None else Ends()
    for one in peers or ():
        found |= relation.meaning.peer(one, "")
    return found


def ports(assertion: Assertion) -> Intervals:
    numbers = (one for one in assertion.ports or () if isinstance(one, Ports))
    return Intervals.of(*((one.protocol << 16 | one.first, one.protocol << 16 | one.last) for one in numbers))


def policy(name: str, **spec: object) -> Document:
    metadata = {"namespace": "shop", "name": name}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def pod(name: str, address: str, **labels: str) -> Document:
    metadata = {"namespace": "shop", "name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"podIP": address}}


SHOP = [
    pod("db", "10.0.0.2", app="db"),
    pod("web", "10.0.0.1", app="web"),
    policy(
        "db",
        podSelector={"matchLabels": {"app": "db"}},
        ingress=[
            {
                "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
                "ports": [{"port": 5432}],
            }
        ],
    ),
]
CASES = [
    # an assertion, and the packet that is against it
    ("allow tcp/5432 from pods(app=web) in ns to pods(app=db) in ns", ""),
    ("deny tcp/5431 from ns/shop to pods(app=db) in ns/shop", ""),
    ("deny from 192.0.2.0/24 to pods(app=db) in ns/shop", ""),
    ("deny from ns/shop to pods(app=db) in ns", "tcp/5432 shop/web shop/db"),
    ("allow tcp/5430-5433 from ns/shop to pods(app=db) in ns", "tcp/5430 shop/web shop/db"),
    ("allow from any to pods(app=db) in ns", "tcp/443 shop/web shop/db"),
    ("allow udp/53 from any to ns/shop", "udp/53 shop/web shop/db"),
    ("allow udp/53 from 192.0.2.0/24 to ns/shop", "udp/53 192.0.2.1 shop/db"),
    ("deny tcp/80 from ns/shop to any", "tcp/80 shop/db shop/web"),
    ("deny from pods(app=db) in ns to pods(app=db) in ns", ""),
    ("deny from 10.9.0.0/16 to 10.8.0.0/16", ""),
]


@pytest.mark.parametrize(("sentence", "packet"), CASES, ids=[one for one, _ in CASES])
def test_counterexamples(sentence: str, packet: str) -> None:
    relation = Relation(model_of(SHOP))
    found = judge(relation, read(sentence)).counterexample
    assert packet == ("" if found is None else said(relation, found.traffic, found.source, found.destination))


def said(relation: Relation, kind: int, *places: Place) -> str:
    names = {6: "tcp", 17: "udp"}
    words = [f"{names.get(kind >> 16, f'protocol {kind >> 16}')}/{kind & 0xFFFF}"]
    for one in places:
        number = one.endpoint
        endpoints = relation.model.inventory.endpoints
        words.append(format_address(one.address or 0) if number is None else str(endpoints[number]))
    return " ".join(words)


VACUOUS = [
    ("deny from ns/none to any", (False, True)),
    ("deny from any to ns/none", (True, False)),
    ("allow tcp/http from any to ns/shop", (True, False)),
    ("allow from ns/shop to ns/shop", (True, True)),
]


@pytest.mark.parametrize(("sentence", "expected"), VACUOUS, ids=[one for one, _ in VACUOUS])
def test_what_is_about_nobody(sentence: str, expected: tuple[bool, bool]) -> None:
    verdict = judge(Relation(model_of(SHOP)), read(sentence))
    assert (verdict.is_about_sources, verdict.is_about_destinations) == expected


@pytest.mark.parametrize(("one", "other"), list(product(("10.0.0.1", "10.0.0.2", "192.0.2.1"), repeat=2)))
def test_an_address_stands_for_whoever_has_it(one: str, other: str) -> None:
    verdict = judge(Relation(model_of(SHOP)), read(f"deny tcp/5432 from {one} to {other}"))
    passes_ = {("10.0.0.1", "10.0.0.2"), ("10.0.0.2", "10.0.0.1"), ("192.0.2.1", "10.0.0.1")}
    passes_ |= {("10.0.0.1", "192.0.2.1"), ("10.0.0.2", "192.0.2.1")}
    assert (verdict.counterexample is not None) == ((one, other) in passes_)
