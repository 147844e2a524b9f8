"""Pods that controllers will make: who counts, and that rulesets never know of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

import npc
from npc.asking import asked_sources
from npc.compiler.ask.assumptions import AS_COMPILED, Reading
from npc.compiler.frontend.diagnostics import InputError
from npc.reach.listing import as_json
from npc.reach.reporting import reach_sources
from tests.compiler.compiling import source
from tests.reference.manifests import Document


def template(labels: dict[str, str], **spec: Any) -> Document:
    return {"metadata": {"labels": labels}, "spec": {"containers": [], **spec}}


def controller(kind: str, name: str, labels: dict[str, str], **spec: Any) -> Document:
    made: Document = {"template": template(labels, **spec)}
    if kind == "CronJob":
        made = {"jobTemplate": {"spec": made}}
    version = "batch/v1" if kind in ("Job", "CronJob") else "apps/v1"
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop"},
        "spec": made,
    }


def pod(name: str, labels: dict[str, str], ip: str | None = None) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"containers": []},
        "status": {"podIP": ip} if ip else {},
    }


def policy(name: str, **spec: Any) -> Document:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
    }


WEB = controller("Deployment", "web", {"app": "web"})
LIVE = pod("web-6c8f7d9b54-2hx8r", {"app": "web", "pod-template-hash": "6c8f7d9b54"}, "10.0.0.1")

KINDS = [
    # (kind, its word)
    ("Deployment", "deploy"),
    ("StatefulSet", "sts"),
    ("DaemonSet", "ds"),
    ("ReplicaSet", "rs"),
    ("Job", "job"),
    ("CronJob", "cronjob"),
]

CASES: list[tuple[str, list[Document], list[str]]] = [
    # (name, objects, workloads)
    *((kind, [controller(kind, "one", {"app": "one"})], [f"shop/{word}/one"]) for kind, word in KINDS),
    ("a pod without an address", [pod("one", {"app": "one"})], ["shop/one"]),
    ("a live pod stands for its controller", [WEB, LIVE], ["shop/deploy/web"]),
    (
        "so it does for its controller's other pods",
        [LIVE, pod("web-6c8f7d9b54-zzzzz", LIVE["metadata"]["labels"])],
        ["shop/deploy/web"],
    ),
    (
        "a ReplicaSet of a Deployment is no other",
        [
            WEB,
            controller("ReplicaSet", "web-6c8f7d9b54", {"app": "web"})
            | {
                "metadata": {
                    "name": "web-6c8f7d9b54",
                    "namespace": "shop",
                    "ownerReferences": [{"kind": "Deployment", "name": "web", "controller": True}],
                }
            },
        ],
        ["shop/deploy/web"],
    ),
    (
        "on the host's network",
        [WEB, controller("DaemonSet", "cni", {}, hostNetwork=True)],
        ["shop/deploy/web"],
    ),
]


def workloads(documents: list[Document], reading: Reading = AS_COMPILED) -> dict[str, int]:
    """The workloads that there are, with the addresses that their pods have."""
    report = reach_sources([source(documents)], reading=reading)[0]
    listed = json.loads(as_json(report))["workloads"]
    return {one["name"]: sum(len(pod["addresses"]) for pod in one["pods"]) for one in listed}


@pytest.mark.parametrize(
    ("documents", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_workloads(documents: list[Document], expected: list[str]) -> None:
    assert list(workloads(documents)) == expected


def test_a_live_pod_keeps_its_address() -> None:
    assert workloads([WEB, LIVE]) == {"shop/deploy/web": 1}


def test_host_network_counts_where_it_is_assumed() -> None:
    reading = Reading(host_network_is_endpoint=True)
    assert workloads([controller("DaemonSet", "cni", {}, hostNetwork=True)], reading) == {"shop/ds/cni": 0}


def test_policies_mean_pods_to_come_by_labels_and_port_names_and_never_by_blocks() -> None:
    port = {"name": "http", "containerPort": 8080}
    api = controller("Deployment", "api", {"app": "api"}, containers=[{"name": "c", "ports": [port]}])
    rules = policy(
        "api",
        podSelector={"matchLabels": {"app": "api"}},
        ingress=[
            {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": "http"}]},
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 9}]},
        ],
    )
    report = reach_sources([source([WEB, api, rules])])[0]
    to_api = [
        (one["from"], one["traffic"])
        for one in json.loads(as_json(report))["connections"]
        if one["to"] == {"workloads": ["shop/deploy/api"]}
    ]
    assert to_api == [
        ({"addresses": ["10.0.0.0/8"]}, ["tcp/9"]),
        ({"workloads": ["shop/deploy/web"]}, ["tcp/8080"]),
    ]
    assert any("shop/api" in note and "blocks" in note.lower() for note in report.notes)


def test_a_ruleset_knows_nothing_of_them() -> None:
    rules = policy("all", podSelector={})
    compiled = npc.compile_sources([source([WEB, LIVE, rules])])
    assert compiled.artifacts == npc.compile_sources([source([LIVE, rules])]).artifacts
    assert [one.message for one in compiled.diagnostics if one.code.name == "NPC415"] == [
        "passed over: 1 Deployment"
    ]
    with pytest.raises(InputError, match="there is no inventory"):
        npc.compile_sources([source([WEB, rules])])


FAULTS = [
    # (name, object, what is said)
    ("no template", {**WEB, "spec": {}}, "has no template of its pods"),
    ("no name", {**WEB, "metadata": {}}, "has no name"),
    (
        "a port that is none",
        controller("Deployment", "x", {}, containers=[{"ports": [{"name": "a", "containerPort": 0}]}]),
        "a container port has a number or a protocol that is none of a port's",
    ),
    (
        "labels that are a list",
        {**WEB, "spec": {"template": {"metadata": {"labels": []}}}},
        "expected a mapping",
    ),
]


@pytest.mark.parametrize(
    ("document", "expected"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_faults(document: Document, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        asked_sources([source([document])])
