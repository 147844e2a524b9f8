"""The synthetic cluster: its shape, that its parts fit each other, and that it is a function of its size."""

from __future__ import annotations

import doctest
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from bench import cluster as cluster_module
from bench import generate as generate_module
from bench.cluster import Size, Topology
from bench.floor import ObjectList, decode_inventory, load_policies
from bench.generate import Cluster, generate, generate_size, reuse_or_generate

Object = dict[str, Any]

SIZE = Size(policies=40, pods=400, namespaces=4, nodes=5, seed=7)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return generate_size(tmp_path_factory.mktemp("cluster"), SIZE)


@pytest.fixture(scope="module")
def items(written: Cluster) -> list[Object]:
    decoded: list[Object] = json.loads(written.inventory.read_bytes())["items"]
    return decoded


@pytest.fixture(scope="module")
def pods(items: list[Object]) -> list[Object]:
    return [item for item in items if item["kind"] == "Pod"]


@pytest.fixture(scope="module")
def policies(written: Cluster) -> list[Object]:
    return list(yaml.safe_load_all(written.policies.read_text(encoding="utf-8")))


def test_inventory_counts(items: list[Object]) -> None:
    kinds = Counter(item["kind"] for item in items)
    assert kinds == {"Pod": 400, "Namespace": 4, "Node": 5, "Service": 4 * cluster_module.APPS_PER_NAMESPACE}


def test_inventory_is_printed_as_kubectl_prints_it(written: Cluster) -> None:
    text = written.inventory.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=4, sort_keys=True) + "\n"


def test_pods_take_three_to_four_kilobytes(pods: list[Object]) -> None:
    def printed(pod: Object) -> int:
        lines = json.dumps(pod, indent=4).splitlines()
        return sum(len("        ") + len(line) + len("\n") for line in lines)

    sizes = [printed(pod) for pod in pods]
    assert (min(sizes) >= 3000, max(sizes) <= 4000) == (True, True), (min(sizes), max(sizes))


def test_pods_stand_in_the_order_of_their_names(pods: list[Object]) -> None:
    names = [(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods]
    assert names == sorted(set(names))


POD_COUNTS: list[tuple[str, Callable[[Object], bool], int]] = [
    ("host network", lambda pod: pod["spec"].get("hostNetwork", False), 4),
    ("finished", lambda pod: pod["status"]["phase"] in ("Succeeded", "Failed"), 2),
    ("dual-stack", lambda pod: len(pod["status"]["podIPs"]) == 2, 40),
    ("sidecar", lambda pod: "initContainers" in pod["spec"], 8),
]


@pytest.mark.parametrize(("name", "holds", "expected"), POD_COUNTS, ids=[case[0] for case in POD_COUNTS])
def test_pod_counts(pods: list[Object], name: str, holds: Callable[[Object], bool], expected: int) -> None:
    assert (name, sum(holds(pod) for pod in pods)) == (name, expected)


def test_no_two_pods_share_an_address(pods: list[Object]) -> None:
    addresses = Counter(
        entry["ip"] for pod in pods if not pod["spec"].get("hostNetwork") for entry in pod["status"]["podIPs"]
    )
    assert [address for address, count in addresses.items() if count > 1] == []


def test_addresses_lie_in_the_ranges_of_their_node(items: list[Object], pods: list[Object]) -> None:
    nodes = {item["metadata"]["name"]: item for item in items if item["kind"] == "Node"}
    networks = {name: [ip_network(cidr) for cidr in node["spec"]["podCIDRs"]] for name, node in nodes.items()}
    for pod in pods:
        node = nodes[pod["spec"]["nodeName"]]
        first, *rest = (ip_address(entry["ip"]) for entry in pod["status"]["podIPs"])
        assert pod["status"]["podIP"] == str(first)
        assert pod["status"]["hostIP"] == node["status"]["addresses"][0]["address"]
        own = networks[pod["spec"]["nodeName"]]
        if pod["spec"].get("hostNetwork"):
            assert str(first) == pod["status"]["hostIP"]
        else:
            assert first in own[0]
        assert all(address in own[1] for address in rest)


def test_every_service_selects_pods_by_a_port_they_have(items: list[Object], pods: list[Object]) -> None:
    ports = {
        (pod["metadata"]["namespace"], pod["metadata"]["labels"]["app"]): {
            port["name"] for port in pod["spec"]["containers"][0]["ports"]
        }
        for pod in pods
    }
    for item in items:
        if item["kind"] == "Service":
            key = (item["metadata"]["namespace"], item["spec"]["selector"]["app"])
            assert {port["targetPort"] for port in item["spec"]["ports"]} <= ports[key]


def _peers(policy: Object) -> list[Object]:
    return [peer for rule in policy["spec"].get("ingress", []) for peer in rule["from"]]


def _ports(policy: Object) -> list[Object]:
    rules = policy["spec"].get("ingress", []) + policy["spec"].get("egress", [])
    return [port for rule in rules for port in rule["ports"]]


POLICY_COUNTS: list[tuple[str, Callable[[Object], bool], int]] = [
    ("all", lambda policy: policy["kind"] == "NetworkPolicy", 40),
    ("default deny", lambda policy: policy["spec"]["podSelector"] == {}, 4),
    (
        "block with except",
        lambda policy: any("except" in peer.get("ipBlock", {}) for peer in _peers(policy)),
        36,
    ),
    ("range", lambda policy: any("endPort" in port for port in _ports(policy)), 4),
    ("named port", lambda policy: any(isinstance(port["port"], str) for port in _ports(policy)), 4),
    (
        "combined",
        lambda policy: any(peer.keys() >= {"podSelector", "namespaceSelector"} for peer in _peers(policy)),
        4,
    ),
    ("expressions", lambda policy: "matchExpressions" in policy["spec"]["podSelector"], 4),
    ("DNS", lambda policy: any(port["port"] == 53 for port in _ports(policy)), 4),
]


@pytest.mark.parametrize(
    ("name", "holds", "expected"), POLICY_COUNTS, ids=[case[0] for case in POLICY_COUNTS]
)
def test_policy_counts(
    policies: list[Object], name: str, holds: Callable[[Object], bool], expected: int
) -> None:
    assert (name, sum(holds(policy) for policy in policies)) == (name, expected)


def test_policies_have_names_of_their_own_in_listed_namespaces(
    policies: list[Object], items: list[Object]
) -> None:
    names = [(policy["metadata"]["namespace"], policy["metadata"]["name"]) for policy in policies]
    assert len(set(names)) == len(names)
    listed = {item["metadata"]["name"] for item in items if item["kind"] == "Namespace"}
    assert {namespace for namespace, _ in names} <= listed


def test_the_floor_reads_what_was_written(
    written: Cluster, items: list[Object], policies: list[Object]
) -> None:
    assert load_policies(written.policies) == policies
    decoded = decode_inventory(written.inventory)
    assert isinstance(decoded, ObjectList)
    assert [(item.kind, item.metadata.name, item.metadata.labels) for item in decoded.items] == [
        (item["kind"], item["metadata"]["name"], item["metadata"].get("labels", {})) for item in items
    ]


def _contents(cluster: Cluster) -> tuple[bytes, bytes]:
    return cluster.policies.read_bytes(), cluster.inventory.read_bytes()


@pytest.mark.parametrize(
    ("name", "size", "same"),
    [("same size", SIZE, True), ("another seed", replace(SIZE, seed=8), False)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_determinism(tmp_path: Path, written: Cluster, name: str, size: Size, same: bool) -> None:
    again = generate(
        tmp_path,
        policies=size.policies,
        pods=size.pods,
        namespaces=size.namespaces,
        nodes=size.nodes,
        seed=size.seed,
    )
    equal = [one == other for one, other in zip(_contents(written), _contents(again), strict=True)]
    assert (name, equal) == (name, [same, same])


def test_a_cluster_that_is_there_is_reused(tmp_path: Path) -> None:
    tiny = Size(policies=1, pods=2, namespaces=1, nodes=1)
    cluster = reuse_or_generate(tmp_path, tiny)
    cluster.policies.write_bytes(b"marked")
    assert reuse_or_generate(tmp_path, tiny).policies.read_bytes() == b"marked"
    (tmp_path / generate_module.SIZE_FILE).unlink()
    assert reuse_or_generate(tmp_path, tiny).policies.read_bytes() != b"marked"
    cluster.policies.write_bytes(b"marked")
    assert reuse_or_generate(tmp_path, replace(tiny, pods=3)).policies.read_bytes() != b"marked"
    assert len(msgspec.json.decode(cluster.inventory.read_bytes())["items"]) == 3 + 1 + 1 + 10


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"namespaces": 0}, "at least one namespace"),
        ({"nodes": 0}, "at least one namespace"),
        ({"pods": -1}, "at least one namespace"),
        ({"pods": 10**7, "nodes": 1000}, "do not fit 10.64.0.0/10"),
        ({"nodes": 20_000}, "do not fit 10.64.0.0/10"),
        ({"namespaces": 200_000}, "do not fit 10.96.0.0/12"),
    ],
    ids=str,
)
def test_sizes_that_cannot_be(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Topology(Size(**sizes))


def test_docstring_examples() -> None:
    outcome = doctest.testmod(cluster_module)
    assert (outcome.attempted, outcome.failed) == (1, 0)
