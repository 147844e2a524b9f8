"""Inventory lists read piece by piece, against the same lists read object by object."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

import npc
from npc.compiler.frontend import documents
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.documents import load
from npc.compiler.frontend.inventory_stream import NotStreamed, pieces
from npc.compiler.frontend.plain_pods import PlainPods
from npc.compiler.inventory import Inventory
from npc.compiler.inventory_builder import build_inventory
from tests.reference.manifests import Document
from tests.strategies import clusters

Said = list[tuple[str, str, str, str, str]]
WRITERS: dict[str, Callable[[Any], str]] = {
    "kubectl": partial(json.dumps, indent=4, sort_keys=True),
    "jq": partial(json.dumps, indent=2),
    "compact": partial(json.dumps, separators=(",", ":")),
    "one line": json.dumps,
}


def of_list(documents: list[Document]) -> dict[str, Any]:
    """The inventory objects among some manifests, as a list."""
    kinds = ("Pod", "Namespace", "Node", "Service")
    items = [one for one in documents if one["kind"] in kinds]
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


def read(text: bytes, size: int) -> tuple[Inventory, Said, bool]:
    """What a file says in pieces of some size; and whether it was read so."""
    with patch.object(documents, "pieces", partial(pieces, size=size)):
        return told(text)


def read_as_a_whole(text: bytes) -> tuple[Inventory, Said, bool]:
    """What a file says object by object."""
    with patch.object(documents, "pieces", side_effect=NotStreamed):
        return told(text)


def told(text: bytes) -> tuple[Inventory, Said, bool]:
    loaded = load([npc.Source("x.json", content=text)])
    inventory, found = build_inventory(loaded.inventory)
    said = sorted(map(words, (*loaded.diagnostics, *found)))
    return inventory, said, any(isinstance(one, PlainPods) for one in loaded.inventory)


def words(one: Diagnostic) -> tuple[str, str, str, str, str]:
    return one.code.name, one.message, one.field, str(one.origin), str(one.related)


@given(clusters(), st.sampled_from(sorted(WRITERS)), st.sampled_from((1, 300, 1000, 5000, 1 << 20)))
def test_in_pieces_as_object_by_object(cluster: list[Document], writer: str, size: int) -> None:
    text = WRITERS[writer](of_list(cluster)).encode()
    whole, said, _ = read_as_a_whole(text)
    assert read(text, size)[:2] == (whole, said)


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(("metadata", "spec", "status", "kind", "apiVersion")),
        st.sampled_from(
            ("name", "namespace", "labels", "nodeName", "podIPs", "podIP", "containers", "phase")
        ),
        st.sampled_from(
            (None, 7, "", "A_b", "fd00::1", "127.0.0.1", {"a": None}, {"-": "b"}, ["x"], [{"ip": "10.0.0.1"}])
        ),
        st.booleans(),
    ),
    max_size=3,
)


@given(clusters(), MUTATIONS, st.integers(0, 30), st.sampled_from((1, 1 << 20)))
def test_what_is_wrong_is_said_alike(
    cluster: list[Document], mutations: list[tuple[str, str, Any, bool]], at: int, size: int
) -> None:
    """Objects with fields of a wrong type or value, or twice."""
    listed = json.loads(json.dumps(of_list(cluster)))
    for part, name, value, is_deep in mutations:
        if listed["items"]:
            chosen = listed["items"][at % len(listed["items"])]
            if is_deep and isinstance(chosen.get(part), dict):
                chosen[part][name] = value
            else:
                chosen[part] = value
            listed["items"].append(chosen)
    text = WRITERS["kubectl"](listed).encode()
    whole, said, _ = read_as_a_whole(text)
    assert read(text, size)[:2] == (whole, said)


@given(clusters(), st.data())
def test_a_text_cut_or_garbled_is_refused_alike(cluster: list[Document], data: st.DataObject) -> None:
    text = bytearray(WRITERS["kubectl"](of_list(cluster)).encode())
    place = data.draw(st.integers(0, len(text) - 1))
    match data.draw(st.sampled_from(("cut", "byte", "twice"))):
        case "cut":
            text = text[:place]
        case "byte":
            text[place] = data.draw(st.sampled_from(b'{}[],:"\\\0\xffx'))
        case "twice":
            text = text[:place] + text[max(0, place - 200) :]
    _, said, _ = read_as_a_whole(bytes(text))
    assert read(bytes(text), 500)[1] == said


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {"nodeName": "n", "containers": [{"ports": [{"name": "http", "containerPort": 80}]}]},
    "status": {"podIPs": [{"ip": "10.0.0.1"}]},
}
BARE = {key: value for key, value in POD.items() if key not in ("apiVersion", "kind")}
SHAPES: list[tuple[str, str, bool]] = [
    ("a List", json.dumps({"kind": "List", "items": [POD]}), True),
    ("its kind at the end", json.dumps({"items": [POD], "kind": "List"}), True),
    ("a byte order mark", "\ufeff" + json.dumps({"kind": "List", "items": [POD]}), True),
    ("no items", json.dumps({"kind": "List", "items": []}), True),
    ("as the API server answers", json.dumps({"kind": "PodList", "apiVersion": "v1", "items": [BARE]}), True),
    ("without saying so before", json.dumps({"items": [BARE], "kind": "PodList", "apiVersion": "v1"}), False),
    ("of another group", json.dumps({"kind": "PodList", "apiVersion": "x/v1", "items": [BARE]}), False),
    ("of no list", json.dumps({"kind": "Thing", "items": [POD]}), False),
    ("of policies", json.dumps({"kind": "List", "items": [POD, {"kind": "NetworkPolicy"}]}), False),
    ("items within", json.dumps({"kind": "List", "x": {"items": [POD]}}), False),
    ("items twice", '{"kind": "List", "items": [], "items": []}', False),
    ("null items", '{"kind": "List", "items": null}', False),
    ("text after it", json.dumps({"kind": "List", "items": [POD]}) + "x", False),
    (
        "what looks like an item in a text",
        json.dumps({"kind": "List", "items": [POD | {"x": ',{"apiVersion"'}]}),
        True,
    ),
]


@pytest.mark.parametrize(("name", "text", "in_pieces"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_shapes(name: str, text: str, in_pieces: bool) -> None:
    whole, said, _ = read_as_a_whole(text.encode())
    read_so = read(text.encode(), 1)
    assert (name, read_so[:2]) == (name, (whole, said))
    assert read_so[2] is (in_pieces and '"items": []' not in text)


def test_memory_does_not_grow_with_the_list() -> None:
    """However long the list is, a piece and what is left of the one before it are in memory."""
    text = WRITERS["kubectl"]({"items": [POD] * 2000, "kind": "List"}).encode()
    sizes = [len(piece) for piece in pieces(BytesIO(text), 1 << 17)]
    assert (sum(sizes), len(sizes) > 5, max(sizes) < 500) == (2000, True, True)
