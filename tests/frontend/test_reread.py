"""An origin leads back to the object that was read, however its file was written."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from npc.compiler.frontend.documents import load
from npc.compiler.frontend.reread import reread
from npc.compiler.frontend.source import Origin, Source


def _policy(name: str, **fields: Any) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": {"app": "web"}}}
    return {**fields, "metadata": {"name": name}, "spec": spec}


HEAD = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
ONE, OTHER = _policy("one", **HEAD), _policy("other", **HEAD)
LIST = {"apiVersion": "v1", "kind": "List", "items": [{"kind": "ConfigMap"}, ONE, OTHER]}
TYPED = {**HEAD, "kind": "NetworkPolicyList", "items": [_policy("one"), _policy("other")]}
NESTED = {"apiVersion": "v1", "kind": "List", "items": [LIST]}
FLOW = yaml.safe_dump(ONE, default_flow_style=True)

FORMS = [
    ("a JSON list", "x.json", json.dumps(LIST), [ONE, OTHER]),
    ("a JSON list of a type", "x.json", json.dumps(TYPED), [_policy("one"), _policy("other")]),
    ("a JSON list in a list", "x.json", json.dumps(NESTED), [ONE, OTHER]),
    ("JSON in a YAML file", "x.yaml", json.dumps(ONE), [ONE]),
    ("a YAML list", "x.yaml", yaml.safe_dump(LIST), [ONE, OTHER]),
    (
        "YAML documents",
        "x.yaml",
        f"# c\n---\n{yaml.safe_dump(ONE)}---\n{yaml.safe_dump(OTHER)}",
        [ONE, OTHER],
    ),
    ("a YAML mapping in braces", "x.yaml", FLOW, [ONE]),
    ("braces, then JSON", "x.yaml", f"{FLOW}---\n{json.dumps(OTHER)}\n", [ONE, OTHER]),
    ("a byte order mark", "x.yaml", "\ufeff---\n" + yaml.safe_dump(ONE), [ONE]),
]


@pytest.mark.parametrize(
    ("name", "text", "objects"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS]
)
def test_objects_are_read_again(name: str, text: str, objects: list[dict[str, Any]]) -> None:
    policies = load([Source(name, content=text.encode())]).policies
    found = reread(policy.origin for policy in policies)
    assert [found[policy.origin] for policy in policies] == objects


@pytest.mark.parametrize("path", [("items", 3), ("items", 0, "kind"), ("kind", "x")], ids=str)
def test_a_file_that_has_changed(path: tuple[str | int, ...]) -> None:
    with pytest.raises(LookupError):
        reread([Origin(Source("x.yaml", content=yaml.safe_dump(LIST).encode()), path=path)])
