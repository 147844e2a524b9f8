"""Cluster policies of equal priority: a warning with both places where they disagree about some packet."""

from __future__ import annotations

from typing import Any

import pytest

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from tests.compiler.compiling import compiled
from tests.reference.manifests import Document


def pod(name: str, address: str, ports: dict[str, int] | None = None) -> Document:
    listed = [{"name": name, "containerPort": number} for name, number in (ports or {}).items()]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "ports": listed}]},
        "status": {"podIP": address},
    }


def policy(name: str, *rules: Document, priority: int = 10, tier: str = "Admin", app: str = "") -> Document:
    pods = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": app}} if app else {}}
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": name},
        "spec": {"tier": tier, "priority": priority, "subject": {"pods": pods}, "ingress": list(rules)},
    }


def rule(action: str, app: str = "", **port: Any) -> Document:
    pods = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": app}} if app else {}}
    protocols = {"protocols": [port]} if port else {}
    return {"action": action, "from": [{"pods": pods}], **protocols}


def tcp(number: int) -> Document:
    return {"destinationPort": {"number": number}}


PODS = [pod("web", "10.0.0.1"), pod("db", "10.0.0.2", {"sql": 5432}), pod("job", "10.0.0.3")]

DISAGREE = [
    ("allow and deny", policy("a", rule("Accept")), policy("b", rule("Deny"))),
    ("pass and deny", policy("a", rule("Pass")), policy("b", rule("Deny"))),
    ("allow and pass", policy("a", rule("Accept")), policy("b", rule("Pass"))),
    ("in one port", policy("a", rule("Accept", tcp=tcp(80))), policy("b", rule("Deny"))),
    ("for one pod", policy("a", rule("Accept"), app="db"), policy("b", rule("Deny"))),
    (
        "under a rule before",
        policy("a", rule("Deny", tcp=tcp(80)), rule("Accept")),
        policy("b", rule("Deny", tcp=tcp(80)), rule("Deny", "job")),
    ),
    (
        "at the pod that has the port",
        policy("a", rule("Accept", destinationNamedPort="sql")),
        policy("b", rule("Deny", tcp=tcp(5432))),
    ),
    (
        "in the Baseline tier",
        policy("a", rule("Accept"), tier="Baseline"),
        policy("b", rule("Deny"), tier="Baseline"),
    ),
]
AGREE = [
    ("one action", policy("a", rule("Deny")), policy("b", rule("Deny"))),
    ("other priorities", policy("a", rule("Accept"), priority=9), policy("b", rule("Deny"))),
    ("other tiers", policy("a", rule("Accept"), tier="Baseline"), policy("b", rule("Deny"))),
    ("other subjects", policy("a", rule("Accept"), app="web"), policy("b", rule("Deny"), app="db")),
    ("other peers", policy("a", rule("Accept", "web")), policy("b", rule("Deny", "job"))),
    ("no such peers", policy("a", rule("Accept", "nobody")), policy("b", rule("Deny", "nobody"))),
    ("other ports", policy("a", rule("Accept", tcp=tcp(80))), policy("b", rule("Deny", tcp=tcp(81)))),
    (
        "a rule before hides it",
        policy("a", rule("Deny", "job"), rule("Accept", "job")),
        policy("b", rule("Deny", "job")),
    ),
    (
        "no pod has the port",
        policy("a", rule("Accept", destinationNamedPort="sql")),
        policy("b", rule("Deny", tcp=tcp(5433))),
    ),
]


def found(*policies: Document) -> list[Diagnostic]:
    diagnostics = compiled([*PODS, *policies]).diagnostics
    return [one for one in diagnostics if one.code is codes.AMBIGUOUS_PRIORITY]


@pytest.mark.parametrize(
    ("one", "other"), [case[1:] for case in DISAGREE], ids=[case[0] for case in DISAGREE]
)
def test_a_warning_with_both_places(one: Document, other: Document) -> None:
    (warning,) = found(one, other)
    assert (
        "ClusterNetworkPolicy a and the ClusterNetworkPolicy b both have the priority 10" in warning.message
    )
    assert warning.origin is not None
    assert warning.origin.path[:2] == ("spec", "ingress")
    assert [related.origin.path[:2] for related in warning.related] == [("spec", "ingress")]
    assert warning.origin.document != warning.related[0].origin.document


@pytest.mark.parametrize(("one", "other"), [case[1:] for case in AGREE], ids=[case[0] for case in AGREE])
def test_no_warning(one: Document, other: Document) -> None:
    assert found(one, other) == []


def test_the_rules_that_disagree_are_shown() -> None:
    first = policy("a", rule("Deny", tcp=tcp(80)), rule("Accept"))
    second = policy("b", rule("Deny", tcp=tcp(80)), rule("Deny", "job"))
    (warning,) = found(first, second)
    assert warning.origin is not None
    assert (warning.related[0].origin.path, warning.origin.path) == (("spec", "ingress", 1),) * 2
