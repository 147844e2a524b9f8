"""What pods are listed by: their owners, else the marks of controllers, else their labels."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from npc.compiler.frontend.codes import Severity
from npc.compiler.frontend.source import Source
from npc.models import model_sources
from npc.reach.reporting import reach_sources


def pod(name: str, number: int, labels: dict[str, str], owners: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "labels": labels, "ownerReferences": owners}
    status = {"phase": "Running", "podIP": f"10.0.0.{number}", "podIPs": [{"ip": f"10.0.0.{number}"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}, "status": status}


def owner(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "x/v1", "kind": kind, "name": name, "controller": True, "uid": "u"}


HASH = {"pod-template-hash": "5f9d8c7b6"}
CASES: list[tuple[str, dict[str, str], str, Any, str]] = [
    # (name, labels, pod, owners, the workload)
    ("a Deployment", HASH, "api-x", [owner("ReplicaSet", "api-5f9d8c7b6")], "shop/deploy/api"),
    ("a ReplicaSet", {"a": "b"}, "api-x", [owner("ReplicaSet", "api-5f9d8c7b6")], "shop/rs/api-5f9d8c7b6"),
    ("another hash", {"pod-template-hash": "7"}, "x", [owner("ReplicaSet", "api-5")], "shop/rs/api-5"),
    ("a StatefulSet", {}, "whatever", [owner("StatefulSet", "db")], "shop/sts/db"),
    ("a DaemonSet", {}, "agent-1", [owner("DaemonSet", "agent")], "shop/ds/agent"),
    ("a Job", {}, "x", [owner("Job", "once")], "shop/job/once"),
    ("a CronJob", {}, "x", [owner("Job", "nightly-29012345")], "shop/cronjob/nightly"),
    ("the controller of two", {}, "x", [{"kind": "Job", "name": "y"}, owner("DaemonSet", "z")], "shop/ds/z"),
    ("none that is known", {}, "x-0", [owner("Cluster", "pg")], "shop/x-0"),
    ("marks alone", HASH, "api-5f9d8c7b6-t4wnk", None, "shop/deploy/api"),
    ("marks beside another's", HASH, "api-5f9d8c7b6-t4wnk", [owner("Rollout", "a")], "shop/deploy/api"),
    ("no list", {}, "x", "owners", "shop/x"),
    ("no objects", {}, "x", [1, None], "shop/x"),
]


def sources(objects: list[dict[str, Any]]) -> dict[str, Source]:
    """Some objects as a list in JSON, which is read as a stream, and as documents of YAML."""
    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    return {
        "JSON": Source("pods.json", content=json.dumps(listed).encode()),
        "YAML": Source("pods.yaml", content=yaml.safe_dump_all(objects).encode()),
    }


@pytest.mark.parametrize("form", ["JSON", "YAML"])
@pytest.mark.parametrize(
    ("labels", "name", "owners", "workload"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_workloads(labels: dict[str, str], name: str, owners: Any, workload: str, form: str) -> None:
    found, _ = reach_sources([sources([pod(name, 1, labels, owners)])[form]])
    assert found.names.parties == (workload,)


def test_a_workload_is_found_by_its_name_whatever_its_pods_are_called() -> None:
    pods = [pod("cut-off-x", 1, {}, [owner("DaemonSet", "cut-off-by-the-api-server")]), pod("b", 2, {}, None)]
    found = sources(pods)["JSON"]
    report, _ = reach_sources([found], source="shop/ds/cut-off-by-the-api-server")
    assert [one.source for one in report.inside] == [1 << 1]
    assert report.names.parties[1] == "shop/ds/cut-off-by-the-api-server"


def test_who_writes_no_owners_writes_the_same_pod() -> None:
    with_owner = pod("db-0", 1, {}, [owner("StatefulSet", "db")])
    both = [sources([with_owner])["JSON"], sources([pod("db-0", 1, {}, None)])["YAML"]]
    for _, diagnostics in (reach_sources(both), model_sources(both)):
        assert Severity.ERROR not in [one.severity for one in diagnostics]
