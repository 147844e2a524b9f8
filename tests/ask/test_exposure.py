"""What could be exchanged with pods that do not exist yet, against the cluster in which they do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from npc.compiler.algebra import traffic
from npc.compiler.ask.exposure import exposure, populated
from npc.compiler.ask.relation import Relation
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Direction
from npc.compiler.labels import members
from npc.compiler.resolve import Model
from npc.reach.report import Report
from npc.reach.reporting import reach_sources
from npc.reach.text import stranger_text
from tests.ask.asking import model_of
from tests.reference.manifests import Document
from tests.strategies import clusters

HOSTS = """
namespaces: [{name: shop}, {name: dev, labels: {env: dev}}]
endpoints:
  - {name: db, namespace: shop, addresses: [10.0.0.1], labels: {app: db}}
  - {name: api, namespace: shop, addresses: [10.0.0.2], labels: {app: api}}
services:
  - {name: api, namespace: shop, selector: {app: api}, targetPorts: [80, web]}
  - {name: x, namespace: dev, selector: {app: x}, targetPorts: [443]}
"""

CASES = [
    # (name, what the policy of the database allows, who may come, from or to, and with which ports)
    ("nothing", "", []),
    ("anybody", "allow from any", ["from any pod: any"]),
    ("a pod that is there", "allow tcp/5432 from pods(app=api)", ["from pods(app=api) in ns/shop: tcp/5432"]),
    ("none yet", "allow tcp from pods(app=web)", ["from pods(app=web) in ns/shop (none yet): tcp"]),
    ("namespaces by label", "allow tcp/1 from ns(env=dev)", ["from ns(env=dev) (none yet): tcp/1"]),
    ("a namespace", "allow tcp/1 from ns/ops", ["from ns/ops (none yet): tcp/1"]),
    (
        "the wider covers the narrower",
        "allow tcp from ns(env=dev)\n allow tcp/1 from pods(app=x) in ns(env=dev)",
        ["from ns(env=dev) (none yet): tcp"],
    ),
    (
        "the narrower may more",
        "allow tcp/1 from ns(env=dev)\n allow tcp/2 from pods(app=x) in ns(env=dev)",
        ["from ns(env=dev) (none yet): tcp/1", "from pods(app=x) in ns(env=dev) (none yet): tcp/1-2"],
    ),
    (
        "each choice for itself",
        "allow tcp/1 from pods(app in (a, b))",
        ["from pods(app=a) in ns/shop (none yet), pods(app=b) in ns/shop (none yet): tcp/1"],
    ),
    ("a label whatever its value", "allow tcp/1 from pods(app)", ["from pods(app) in ns/shop: tcp/1"]),
    (
        "a label that is not there",
        "allow tcp/1 from pods(!app)",
        ["from pods(!app) in ns/shop (none yet): tcp/1"],
    ),
    ("addresses are no pods", "allow tcp/1 from 10.0.0.0/8", []),
    ("a port that they name", "allow tcp/x to pods(app=a)", ["to pods(app=a) in ns/shop (none yet): tcp/x"]),
    ("behind a Service", "allow tcp/1 from svc/api", ["from pods(app=api) in ns/shop: tcp/1"]),
    ("to a Service", "allow to svc/api", ["to pods(app=api) in ns/shop: tcp/80, tcp/web"]),
    ("to some ports of it", "allow tcp/1-80 to svc/api", ["to pods(app=api) in ns/shop: tcp/80"]),
    (
        "behind one that has nobody",
        "allow to svc/x in ns/dev",
        ["to pods(app=x) in ns/dev (none yet): tcp/443"],
    ),
    (
        "a name beside all ports",
        "allow tcp/x to pods(app=a)\n allow tcp to pods(app=a)",
        ["to pods(app=a) in ns/shop (none yet): tcp"],
    ),
]


@pytest.mark.parametrize(("rules", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_exposure_of_the_database(rules: str, expected: list[str]) -> None:
    policy = f"policy db in shop for pods(app=db) {{\n isolate ingress, egress\n {rules}\n}}\n"
    found = [Source("db.npc", content=policy.encode()), Source("hosts.yaml", content=HOSTS.encode())]
    assert told(reach_sources(found)[0], "shop/db") == expected


def told(report: Report, name: str) -> list[str]:
    number = report.names.parties.index(name)
    return [
        f"{'from' if one.direction is Direction.INGRESS else 'to'} "
        f"{', '.join(stranger_text(report, place) for place in one.exposed.strangers)}: {one.ports}"
        for one in report.exposed
        if one.parties >> number & 1
    ]


@given(clusters())
def test_a_stranger_that_comes_is_met_as_was_told(documents: list[Document]) -> None:
    """What is told of a stranger is so in a cluster of no more than it and the endpoint that it meets."""
    found = populated(model_of(documents))
    relation = Relation(found.model)
    for direction in Direction:
        for number in members(found.present):
            exposed = exposure(relation, found, direction, number)
            for one in exposed:
                for place in one.strangers:
                    assert_met(
                        found.model, number, found.strangers[place].endpoint, direction, one.traffic.ranges
                    )


def assert_met(
    model: Model, number: int, stranger: int, direction: Direction, ranges: tuple[tuple[int, int], ...]
) -> None:
    kept = sorted((number, stranger))
    inventory = replace(model.inventory, endpoints=tuple(model.inventory.endpoints[one] for one in kept))
    relation = Relation(Model(model.policies, model.cluster_policies, inventory))
    subject, peer = kept.index(number), kept.index(stranger)
    profile = relation.profile(relation.of(direction, subject))
    passing = next((found for ends, found in profile if ends.endpoints >> peer & 1), None)
    assert (passing & traffic.ANY).ranges == ranges if passing is not None else not ranges
