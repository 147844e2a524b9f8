"""What is an endpoint and what is not (E1 to E4)."""

from __future__ import annotations

import pytest

from npc.compiler.algebra.addresses import format_address
from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import Code, Severity
from npc.compiler.inventory import Inventory
from tests.compiler.compiling import inventory_of
from tests.reference.evaluator import NAMESPACE_NAME_LABEL

SHOP = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"
"""Most cases list their namespace, so that nothing is said about it."""


def pod(rest: str, name: str = "a", namespace: str = "shop") -> str:
    """A pod in YAML, flow style; `rest` stands beside its metadata."""
    return f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}}}, {rest}}}"


def host(rest: str, name: str = "a", namespace: str = "shop") -> str:
    """A host of the compact form."""
    return f"endpoints: [{{name: {name}, namespace: {namespace}, {rest}}}]"


def addresses(inventory: Inventory) -> dict[str, list[str]]:
    """The addresses of each endpoint, by its name."""
    return {str(one): list(map(format_address, one.addresses)) for one in inventory.endpoints}


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (pod("status: {podIP: 10.0.0.1}"), None),
        (pod("status: {podIP: 10.0.0.1, phase: Running}"), None),
        (pod("status: {podIP: 10.0.0.1, phase: Pending}"), None),
        (pod("status: {podIP: 10.0.0.1, phase: Unknown}"), None),
        (pod("status: {podIP: 10.0.0.1}, spec: {hostNetwork: false}"), None),
        (pod("status: {podIP: 10.0.0.1}, spec: {hostNetwork: null}"), None),
        (pod("status: {podIP: 10.0.0.1}, spec: {hostNetwork: true}"), codes.HOST_NETWORK),
        (pod("status: {podIP: 10.0.0.1, phase: Succeeded}"), codes.FINISHED),
        (pod("status: {podIP: 10.0.0.1, phase: Failed}"), codes.FINISHED),
        (pod("status: {phase: Failed}"), codes.FINISHED),
        (pod("status: {phase: Pending}"), codes.NO_ADDRESS),
        (pod("status: null"), codes.NO_ADDRESS),
        (pod("status: {podIP: '', podIPs: []}"), codes.NO_ADDRESS),
        (pod("status: {podIPs: [{ip: ''}]}"), codes.NO_ADDRESS),
        (pod("status: {podIPs: [{ip: null}]}"), codes.NO_ADDRESS),
        (host("addresses: [10.0.0.1]"), None),
        (host("addresses: []"), codes.NO_ADDRESS),
    ],
)
def test_what_is_left_out_is_noted(text: str, note: Code | None) -> None:
    """E1."""
    inventory, diagnostics = inventory_of(SHOP, text)
    assert list(addresses(inventory)) == (["shop/a"] if note is None else [])
    assert [one.code for one in diagnostics] == ([] if note is None else [note])
    assert all(one.severity is Severity.NOTE and "shop/a" in one.message for one in diagnostics)


@pytest.mark.parametrize(
    ("texts", "owners"),
    [
        pytest.param(
            [pod("status: {podIP: 10.0.0.1}"), pod("status: {podIP: 10.0.0.1}", "b")],
            ("shop/a", "shop/b"),
            id="two pods",
        ),
        pytest.param(
            [pod("status: {podIP: 10.0.0.1}"), pod("status: {podIP: 10.0.0.1}", namespace="ops")],
            ("shop/a", "ops/a"),
            id="two namespaces",
        ),
        pytest.param(
            [
                pod("status: {podIPs: [{ip: 10.0.0.1}, {ip: fd00::1}]}"),
                pod("status: {podIPs: [{ip: 10.0.0.2}, {ip: 'fd00:0::0:1'}]}", "b"),
            ],
            ("shop/a", "shop/b"),
            id="the second address, written otherwise",
        ),
        pytest.param(
            [pod("status: {podIP: 10.0.0.1}"), host("addresses: [10.0.0.1]", "b")],
            ("shop/a", "shop/b"),
            id="a pod and a host",
        ),
    ],
)
def test_two_live_endpoints_with_one_address(texts: list[str], owners: tuple[str, str]) -> None:
    """E2: the error names both, and shows where the other is."""
    _, diagnostics = inventory_of(SHOP, "{apiVersion: v1, kind: Namespace, metadata: {name: ops}}", *texts)
    (error,) = diagnostics
    assert error.code is codes.DUPLICATE_ADDRESS
    assert all(owner in error.message for owner in owners)
    assert error.origin is not None
    assert [one.origin.source.name for one in error.related] == ["file-2"]
    assert error.origin.source.name == "file-3"


@pytest.mark.parametrize(
    ("dead", "note"),
    [
        ("status: {podIP: 10.0.0.1, phase: Succeeded}", codes.FINISHED),
        ("status: {podIP: 10.0.0.1, phase: Failed}", codes.FINISHED),
        ("status: {podIP: 10.0.0.1}, spec: {hostNetwork: true}", codes.HOST_NETWORK),
    ],
)
@pytest.mark.parametrize("name", ["b", "a"], ids=["another name", "the same name"])
def test_one_that_is_no_endpoint_may_share_an_address(dead: str, note: Code, name: str) -> None:
    """E2."""
    inventory, diagnostics = inventory_of(SHOP, pod(dead, name), pod("status: {podIP: 10.0.0.1}"))
    assert addresses(inventory) == {"shop/a": ["10.0.0.1"]}
    assert [one.code for one in diagnostics] == [note]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (pod("status: {podIP: 10.0.0.1}"), ["10.0.0.1"]),
        (pod("status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}"), ["10.0.0.1"]),
        (pod("status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: fd00::1}]}"), ["10.0.0.1", "fd00::1"]),
        (pod("status: {podIPs: [{ip: fd00::1}, {ip: 10.0.0.1}]}"), ["10.0.0.1", "fd00::1"]),
        (pod("status: {podIP: 10.0.0.1, podIPs: [{ip: fd00::1}]}"), ["fd00::1"]),
        (pod("status: {podIP: 10.0.0.1, podIPs: [{ip: ''}]}"), ["10.0.0.1"]),
        (pod("status: {podIP: 'FD00:0::0001'}"), ["fd00::1"]),
        (pod("status: {podIPs: [{ip: fd00::1}, {ip: 'fd00:0::1'}]}"), ["fd00::1"]),
        (host("addresses: ['fd00::1', 10.0.0.1]"), ["10.0.0.1", "fd00::1"]),
    ],
)
def test_addresses(text: str, expected: list[str]) -> None:
    """E3: one or two, IPv4 first."""
    inventory, diagnostics = inventory_of(SHOP, text)
    assert addresses(inventory) == {"shop/a": expected}
    assert diagnostics == []


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (pod("status: {podIPs: [{ip: 10.0.0.1}, {ip: 10.0.0.2}]}"), "status.podIPs[1].ip"),
        (pod("status: {podIPs: [{ip: 10.0.0.1}, {ip: fd00::1}, {ip: fd00::2}]}"), "status.podIPs[2].ip"),
        (pod("status: {podIPs: [{ip: 10.0.0.256}]}"), "status.podIPs[0].ip"),
        (pod("status: {podIP: 10.0.0.1/24}"), "status.podIP"),
        (pod("status: {podIP: '::ffff:10.0.0.1'}"), "status.podIP"),
        (pod("status: {podIP: 10.0.0.1}", name="Upper"), "metadata.name"),
        (pod("status: {podIP: 10.0.0.1}", namespace="a.b"), "metadata.namespace"),
        (pod("status: {podIP: 10.0.0.1}, spec: {nodeName: 'a b'}"), "spec.nodeName"),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, labels: {a/b/c: ''}},"
            " status: {podIP: 10.0.0.1}}",
            "metadata.labels[a/b/c]",
        ),
        (host("addresses: [10.0.0.1, 10.0.0.2]"), "endpoints[0].addresses[1]"),
        (host("addresses: ['::ffff:a00:1']"), "endpoints[0].addresses[0]"),
        (host("addresses: [10.0.0.1], labels: {app: 'a b'}"), "endpoints[0].labels.app"),
        (host("addresses: [10.0.0.1], node: 'a b'"), "endpoints[0].node"),
        (host("addresses: [10.0.0.1]", name="Upper"), "endpoints[0].name"),
    ],
)
def test_errors_say_where(text: str, field: str) -> None:
    _, diagnostics = inventory_of(SHOP, text)
    assert [(one.code, one.field) for one in diagnostics if one.severity is Severity.ERROR] == [
        (codes.INVALID_INVENTORY, field)
    ]


WEB_POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: ops}
spec: {podSelector: {}}
"""


def namespace_of(name: str, labels: str) -> str:
    return f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {labels}}}}}"


@pytest.mark.parametrize(
    ("texts", "namespaces", "unlisted"),
    [
        pytest.param([SHOP], {"shop": {}}, [], id="without labels"),
        pytest.param([namespace_of("shop", "{team: a}")], {"shop": {"team": "a"}}, [], id="with others"),
        pytest.param([namespace_of("shop", "{team: null}")], {"shop": {"team": ""}}, [], id="a null label"),
        pytest.param(
            [namespace_of("shop", f"{{{NAMESPACE_NAME_LABEL}: shop}}")], {"shop": {}}, [], id="there"
        ),
        pytest.param(
            [namespace_of("shop", f"{{{NAMESPACE_NAME_LABEL}: ops}}")], {"shop": {}}, [], id="wrong"
        ),
        pytest.param(["namespaces: [{name: shop, labels: {a: b}}]"], {"shop": {"a": "b"}}, [], id="compact"),
        pytest.param([pod("status: {podIP: 10.0.0.1}")], {"shop": {}}, ["shop"], id="of a pod"),
        pytest.param([SHOP, WEB_POLICY], {"ops": {}, "shop": {}}, ["ops"], id="of a policy"),
        pytest.param(
            [pod("status: {podIP: 10.0.0.1}"), WEB_POLICY],
            {"ops": {}, "shop": {}},
            ["ops", "shop"],
            id="of a pod, and of a policy",
        ),
    ],
)
def test_every_namespace_has_its_name_for_a_label(
    texts: list[str], namespaces: dict[str, dict[str, str]], unlisted: list[str]
) -> None:
    """E4: listed or not; those that are not are noted."""
    inventory, diagnostics = inventory_of(*texts)
    assert inventory.namespaces == {
        name: {**labels, NAMESPACE_NAME_LABEL: name} for name, labels in namespaces.items()
    }
    assert [one.code for one in diagnostics] == [codes.UNLISTED_NAMESPACE] * len(unlisted)
    assert all(name in one.message for name, one in zip(unlisted, diagnostics, strict=True))


POD, HOST = pod("status: {podIP: 10.0.0.1}"), host("addresses: [10.0.0.1]")
NODE = "{apiVersion: v1, kind: Node, metadata: {name: n}, status: {addresses: [{address: 10.0.0.9}]}}"
SERVICE = "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: shop}, spec: {selector: {a: b}}}"


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        (SHOP, SHOP, codes.REPEATED),
        (SHOP, namespace_of("shop", "{a: b}"), codes.DUPLICATE_OBJECT),
        (POD, POD, codes.REPEATED),
        (POD, pod("status: {podIP: 10.0.0.2}"), codes.DUPLICATE_OBJECT),
        (POD, pod("status: {podIP: 10.0.0.1}, spec: {nodeName: n}"), codes.DUPLICATE_OBJECT),
        (POD, HOST, codes.REPEATED),
        (HOST, host("addresses: [10.0.0.1], labels: {a: b}"), codes.DUPLICATE_OBJECT),
        (NODE, NODE, codes.REPEATED),
        (NODE, NODE.replace("10.0.0.9", "10.0.0.8"), codes.DUPLICATE_OBJECT),
        (NODE, "nodes: [{name: n, addresses: [10.0.0.9]}]", codes.REPEATED),
        (SERVICE, SERVICE, codes.REPEATED),
        (SERVICE, SERVICE.replace("{a: b}", "{a: c}"), codes.DUPLICATE_OBJECT),
    ],
)
def test_an_object_twice(one: str, other: str, code: Code) -> None:
    """Worth a warning when equal, an error when not; the first place is shown."""
    first = [] if "Namespace" in one else [SHOP]
    _, (found,) = inventory_of(*first, one, other)
    assert found.code is code
    assert [place.origin.source.name for place in found.related] == [f"file-{len(first)}"]


def test_node_addresses() -> None:
    """Those of packets: a host name is none, unless it is an address. A node need not be listed."""
    inventory, diagnostics = inventory_of(
        SHOP,
        pod("status: {podIP: 10.0.0.1}, spec: {nodeName: unlisted}"),
        """
apiVersion: v1
kind: Node
metadata: {name: n}
status:
  addresses:
  - {type: Hostname, address: n.example.com}
  - {type: Hostname, address: 10.0.0.8}
  - {type: InternalDNS, address: n.internal}
  - {type: ExternalIP, address: 203.0.113.1}
  - {type: InternalIP, address: 'fd00::1'}
  - {type: InternalIP, address: 10.0.0.9}
  - {type: InternalIP, address: 10.0.0.9}
""",
    )
    (node,) = inventory.nodes
    assert list(map(format_address, node.addresses)) == [
        "10.0.0.8",
        "10.0.0.9",
        "203.0.113.1",
        "fd00::1",
    ]
    assert inventory.node_names() == {"n", "unlisted"}
    assert diagnostics == []
