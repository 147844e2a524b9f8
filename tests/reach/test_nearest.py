"""The closest rules of the page: told of pairs that an end denies, and of these alone."""

from __future__ import annotations

import pytest
from hypothesis import given

from npc.compiler.ask.ends import Ends
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import Direction
from npc.reach import nearest
from npc.reach.report import Report
from npc.reach.reporting import reach_sources
from npc.reach.values import page_values
from tests.compiler.compiling import source
from tests.reference.manifests import Document
from tests.strategies import clusters

HOSTS = """
namespaces: [{name: shop}]
endpoints:
  - {name: db, namespace: shop, addresses: [10.0.0.1], labels: {app: db}}
  - {name: api, namespace: shop, addresses: [10.0.0.2], labels: {app: api}}
  - {name: web, namespace: shop, addresses: [10.0.0.3], labels: {app: web}}
"""
POLICY = "policy db in shop for pods(app=db) { isolate ingress allow tcp/5432 from pods(app=api) }\n"


def shop() -> Report:
    found = [Source("db.npc", content=POLICY.encode()), Source("hosts.yaml", content=HOSTS.encode())]
    return reach_sources(found)[0]


def test_of_a_pair() -> None:
    values = page_values(shop())
    names = [one["name"] for one in values["parties"]]
    db, web = (names.index(name) for name in ("shop/db", "shop/web"))
    assert values["hasNearest"]
    assert values["nearest"] == {"ingress": {db: {web: 0}}, "egress": {}}
    (((rule, text),),) = values["misses"]
    assert values["rules"][rule]["text"] == "allow tcp/5432 from pods(app=api)"
    assert text == "pods(app=api); shop/web has app=web"


@pytest.mark.parametrize("limit", ["MOST_PAIRS", "MOST_POLICIES"])
def test_of_too_many_nothing_is_told(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(nearest, limit, 8)
    values = page_values(shop())
    assert (values["hasNearest"], values["misses"]) == (False, [])


@given(clusters())
def test_what_is_told_of_is_denied(documents: list[Document]) -> None:
    found = reach_sources([source(documents)])[0].connections
    numbers = {1 << party.first: number for number, party in enumerate(found.parties)}

    def squeeze(endpoints: int) -> int:
        return sum(1 << number for bit, number in numbers.items() if endpoints & bit)

    for direction in Direction:
        for subject, other, misses in nearest.nearest_rules(found, direction, squeeze):
            assert misses
            one, peer = (found.parties[number].first for number in (subject, other))
            profile = found.relation.profile(found.relation.of(direction, one))
            both = Ends(1 << peer, 1 << peer)
            assert not any(ends & both for ends, _ in profile)
