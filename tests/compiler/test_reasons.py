"""Why a class decides as it does: the policies of each tier, for each subject."""

from __future__ import annotations

import npc

PODS = """
namespaces:
  - {name: shop}
endpoints:
  - {name: web, namespace: shop, addresses: [10.0.0.1], labels: {app: web}}
  - {name: api, namespace: shop, addresses: [10.0.0.2], labels: {app: api}}
  - {name: old, namespace: shop, addresses: [10.0.0.3], labels: {app: old}}
"""
POLICIES = """
cluster policy second tier admin priority 2 for ns { pass from pods(app=web) in ns  deny tcp/22 from any }
cluster policy first tier admin priority 1 for ns { deny tcp/23 from any }
cluster policy last tier baseline priority 1 for pods(app=old) in ns { allow from any }
policy web in shop for pods(app=web) { allow from any }
policy same in shop for pods(app=api) { allow from any  allow to any }
"""


def test_reasons() -> None:
    sources = [
        npc.Source("inventory.yaml", content=PODS.encode()),
        npc.Source("x.npc", content=POLICIES.encode()),
    ]
    (found,) = npc.compile_sources(sources).plan.classes
    tiers = {
        str(subject): [[str(policy) for policy in tier] for tier in (one.admin, one.network, one.baseline)]
        for reason in found.reasons
        for one in [reason.deciders]
        for subject in reason.subjects
    }
    assert tiers == {
        "shop/web": [["first", "second"], ["shop/web"], []],
        "shop/api": [["first", "second"], ["shop/same"], []],
        "shop/old": [["first", "second"], [], ["last"]],
    }
    assert sorted(map(str, found.subjects)) == sorted(tiers)
    assert found.policies == ("first", "last", "second", "shop/same", "shop/web")
