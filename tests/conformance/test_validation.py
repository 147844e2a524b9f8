"""The front end reads, refuses and defaults what other projects expect, by the API server's field paths."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

import pytest

from npc.checking import check_paths
from npc.compiler.frontend.codes import Severity
from npc.compiler.frontend.documents import load
from npc.compiler.frontend.files import sources
from npc.compiler.frontend.source import Source
from npc.compiler.frontend.syntax import NetworkPolicy
from npc.compiler.labels import LabelIndex
from tests.conformance.cases import (
    Case,
    Defaults,
    SelectorRow,
    SelectorTable,
    Traffic,
    Validation,
    cases,
    requires_conformance_data,
)

pytestmark = requires_conformance_data

VALIDATION = cases(Validation)
DEFAULTS = cases(Defaults)
SELECTOR_ROWS = [
    row
    for table in cases(SelectorTable)
    for row in table.expectation.rows
    if row.selector is not None  # no selector at all; where a policy leaves it out, it selects every pod (P5)
]
AnyCase: TypeAlias = Case[Validation] | Case[Traffic] | Case[Defaults]
VALID: list[AnyCase] = [*cases(Traffic), *DEFAULTS]


@pytest.mark.parametrize("case", VALIDATION, ids=[case.id for case in VALIDATION])
def test_errors(case: Case[Validation]) -> None:
    found = _errors(case)
    assert sorted(found) == sorted((error.field, error.type) for error in case.expectation.errors)
    assert case.expectation.valid == (not found)


@pytest.mark.parametrize("case", VALID, ids=[case.id for case in VALID])
def test_valid_manifests_have_no_errors(case: AnyCase) -> None:
    assert _errors(case) == []


@pytest.mark.parametrize("case", DEFAULTS, ids=[case.id for case in DEFAULTS])
def test_policy_types(case: Case[Defaults]) -> None:
    found, _ = sources([str(case.input)], lambda: b"")
    (policy,) = load(found).policies
    assert {one.value.capitalize() for one in policy.isolates} == set(case.expectation.policy_types)


@pytest.mark.parametrize("row", SELECTOR_ROWS, ids=[row.name for row in SELECTOR_ROWS])
def test_selector(row: SelectorRow) -> None:
    """A policy with an invalid selector is refused: it selects nothing because there is none."""
    index = LabelIndex([row.labels or {}])
    policies = _policies({"podSelector": row.selector})
    assert any(index.select(policy.subject, index.everything) for policy in policies) == row.match


def _errors(case: AnyCase) -> list[tuple[str, str]]:
    """Field and type of each error in the case's input."""
    found = check_paths([str(case.input)])
    return [(one.field, one.reason) for one in found if one.severity is Severity.ERROR]


def _policies(spec: Mapping[str, object]) -> tuple[NetworkPolicy, ...]:
    """What is read of one policy: itself, or nothing."""
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "subject"},
        "spec": spec,
    }
    return load([Source("policy.json", content=json.dumps(manifest).encode())]).policies
