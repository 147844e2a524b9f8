"""A document means the same in JSON, in YAML, and in either as an item of a list."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.frontend.documents import load
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import NetworkPolicy
from npc.compiler.inventory import Inventory
from npc.compiler.inventory_builder import build_inventory
from tests.frontend.fuzzing import VALUES, broken_values
from tests.strategies import clusters

Said = list[tuple[str, str, str, str, str]]
"""Code, object, field, message and help of each diagnostic."""


def _is_in_both(value: Any) -> bool:
    """Whether JSON can say it (not infinity), and PyYAML writes it right (not every line end of Unicode)."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return bool(yaml.safe_load(_yaml(value)) == value)


BROKEN = broken_values().filter(_is_in_both)


@given(value=BROKEN, flow=st.booleans())
def test_json_and_yaml(value: Any, flow: bool) -> None:
    assert _read("x.yaml", _yaml(value, flow=flow)) == _read("x.json", _json(value))


@given(value=BROKEN)
def test_json_in_a_yaml_file(value: Any) -> None:
    assert _read("x.yaml", _json(value)) == _read("x.json", _json(value))


@given(value=BROKEN)
def test_one_object_and_an_item_of_a_list(value: Any) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [value, {"kind": "ConfigMap"}]}
    assert _read("x.json", _json(listed)) == _read("x.yaml", f"{_yaml(value)}---\nkind: ConfigMap\n")


@given(documents=clusters())
def test_a_cluster_in_json_and_in_yaml(documents: list[dict[str, Any]]) -> None:
    listed = _json({"apiVersion": "v1", "kind": "List", "items": documents})
    assert _read("x.json", listed) == _read("x.yaml", "---\n".join(map(_yaml, documents)))


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.get("kind", "compact"))
def test_every_form_of_a_valid_document(value: dict[str, Any]) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [value]}
    forms = [
        _read("x.json", _json(value)),
        _read("x.json", _json(listed)),
        _read("x.yaml", f"--- {_json(value)}\n...\n"),
        *(_read("x.yaml", _yaml(one, flow=flow)) for one in (value, listed) for flow in (False, True)),
    ]
    assert forms == [forms[0]] * len(forms)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)  # YAML has no surrogate pairs


def _yaml(value: Any, *, flow: bool = False) -> str:
    return str(yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, sort_keys=False))


def _read(name: str, text: str) -> tuple[tuple[NetworkPolicy, ...], Inventory, Said]:
    """What is made of a text, and what is said about it."""
    loaded = load([Source(name, content=text.encode())])
    inventory, found = build_inventory(loaded.inventory, [policy.namespace for policy in loaded.policies])
    said = [
        (one.code.name, one.about, one.field, one.message, one.help) for one in (*loaded.diagnostics, *found)
    ]
    return loaded.policies, inventory, sorted(said)
