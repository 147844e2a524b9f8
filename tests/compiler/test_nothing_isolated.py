"""Why everything passes: what NPC416 says of it."""

from __future__ import annotations

import pytest

import npc
from npc.compiler.frontend import codes

INVENTORY = """\
namespaces: [{name: shop}]
nodes: [{name: empty}]
endpoints:
- {name: web, namespace: shop, labels: {app: web}, addresses: [10.0.0.1], node: one}
- {name: db, namespace: shop, labels: {app: db}, addresses: [10.0.0.2], node: other}
"""
OPEN = "policy open in shop for pods(app=web) { allow from any }"
DENIES_NOTHING = "no policy of the input denies anything to an endpoint"
SELECTS_NOBODY = "no policy of the input selects an endpoint"
CHECK = "check the policies' namespaces and selectors"
THESE = "these select endpoints, but deny nothing: "

CASES = [
    # (name, policies, node, what is said before ": everything passes", help)
    ("no policy", "", None, "there is no policy that isolates an endpoint", "add files with policies"),
    ("nobody is selected", "policy x for pods { isolate ingress }", None, SELECTS_NOBODY, CHECK),
    ("all is allowed", OPEN, None, DENIES_NOTHING, f"{THESE}shop/open"),
    (
        "a cluster policy that only allows",
        "cluster policy c tier admin for ns { allow to any }",
        None,
        DENIES_NOTHING,
        f"{THESE}c",
    ),
    (
        "a cluster policy without rules",
        "cluster policy c tier baseline for ns {}",
        None,
        DENIES_NOTHING,
        f"{THESE}c",
    ),
    (
        "a cluster policy for nobody",
        "cluster policy c tier admin for ns/lab { deny to any }",
        None,
        SELECTS_NOBODY,
        CHECK,
    ),
    (
        "many",
        "".join(f"policy p{number} in shop for pods {{ allow to any }}\n" for number in range(7)),
        None,
        DENIES_NOTHING,
        f"{THESE}shop/p0, shop/p1, shop/p2, shop/p3, shop/p4, ...",
    ),
    ("a node without endpoints", OPEN, "empty", "no endpoint runs on the node empty", ""),
    ("a node where all is allowed", OPEN, "one", f"{DENIES_NOTHING} of the node one", f"{THESE}shop/open"),
    ("a node of others", OPEN, "other", f"{SELECTS_NOBODY} of the node other", CHECK),
]


@pytest.mark.parametrize(
    ("policies", "node", "why", "help"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_why_everything_passes(policies: str, node: str | None, why: str, help: str) -> None:
    texts = {"inventory.yaml": INVENTORY, "policies.npc": f"# none\n{policies}"}
    sources = [npc.Source(name, content=text.encode()) for name, text in texts.items()]
    found = npc.compile_sources(sources, node=node).diagnostics
    (one,) = [one for one in found if one.code is codes.NO_SUBJECTS]
    assert (one.message, one.help) == (f"{why}: everything passes", help)
