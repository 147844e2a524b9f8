"""Order says nothing (P2): neither of documents and files, nor of the lists within a policy."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import npc
from tests.compiler.compiling import compiled, source
from tests.reference.manifests import Document
from tests.strategies import clusters


@given(clusters(), st.data())
def test_of_documents_and_files(documents: list[Document], data: st.DataObject) -> None:
    before = compiled(documents)
    other = data.draw(st.permutations(documents))
    cut = data.draw(st.integers(0, len(other)))
    after = npc.compile_sources([source(other[:cut], "z.yaml"), source(other[cut:], "a.yaml")])
    assert after.plan == before.plan
    assert after.artifacts == before.artifacts


def rewritten(value: Any, chance: random.Random) -> Any:
    """A value with its keys and lists, and those within them, in other orders, and some entries twice."""
    match value:
        case dict():
            return {key: rewritten(value[key], chance) for key in chance.sample(list(value), len(value))}
        case list() if value and value[0] not in ("Ingress", "Egress"):  # policyTypes are two at most
            longer = [*value, chance.choice(value)] if chance.random() < 0.3 else value
            return [rewritten(child, chance) for child in chance.sample(longer, len(longer))]
        case list():
            return chance.sample(value, len(value))
        case _:
            return value


@given(clusters(), st.integers(0, 2**32))
def test_of_lists_within_policies(documents: list[Document], seed: int) -> None:
    """Rules, peers, ports, excepts, policyTypes, values; and what stands there twice adds nothing."""
    chance = random.Random(seed)
    before = compiled(documents)
    after = compiled(
        [
            document | {"spec": rewritten(document["spec"], chance)}
            if document["kind"] == "NetworkPolicy"
            else document
            for document in documents
        ]
    )
    assert after.plan == before.plan
    assert after.artifacts == before.artifacts
