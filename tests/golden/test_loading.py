"""Every expected nftables ruleset is one that nft takes: checked, loaded, and loaded over itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from npc.testing import Case
from tests.dataplane.namespace import Namespace
from tests.golden.cases import find_cases, settings_of

RULESET = "expect.nft"
RULESETS = [case for case in find_cases() if RULESET in case.expected()]


@pytest.mark.dataplane("nft")
@pytest.mark.parametrize("case", RULESETS, ids=lambda case: case.name)
def test_nft_takes_it_twice(case: Case) -> None:
    text = case.expected()[RULESET].decode()
    with _namespace(case.name) as namespace:
        namespace.run(["nft", "--check", "-f", "-"], text)
        assert _listed(namespace) == [], "--check loads nothing"
        namespace.run(["nft", "-f", "-"], text)
        first = _listed(namespace)
        namespace.run(["nft", "-f", "-"], text)
        assert _listed(namespace) == first
    tables = [one["table"]["name"] for one in first if "table" in one]
    assert tables == [settings_of(case).options.table]


@contextmanager
def _namespace(name: str) -> Iterator[Namespace]:
    made = Namespace.create(name)
    try:
        yield made
    finally:
        made.close()


def _listed(namespace: Namespace) -> list[dict[str, Any]]:
    """What the kernel holds, without the handles that it counts up."""
    objects = json.loads(namespace.run(["nft", "--json", "list", "ruleset"]))["nftables"]
    return [_without_handles(one) for one in objects if "metainfo" not in one]


def _without_handles(value: dict[str, Any]) -> dict[str, Any]:
    return {kind: {key: one for key, one in body.items() if key != "handle"} for kind, body in value.items()}
