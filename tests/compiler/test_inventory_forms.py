"""One inventory in many forms: YAML and JSON, lists, the compact form; and the ports that pods name."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given

import npc
from npc.compiler.algebra.traffic import SCTP, TCP, UDP
from npc.compiler.frontend import codes
from npc.compiler.inventory import ContainerPort
from tests.compiler.compiling import inventory_of
from tests.reference.manifests import Document, of_kind
from tests.strategies import clusters

KINDS = ("Namespace", "Node", "Pod")


def without_kind(document: Document) -> Document:
    """An item of a typed list as the API server gives it."""
    return {key: value for key, value in document.items() if key not in ("apiVersion", "kind")}


def kubectl_list(documents: list[Document]) -> Document:
    """What `kubectl get … -o yaml` prints."""
    return {"apiVersion": "v1", "kind": "List", "items": documents, "metadata": {"resourceVersion": ""}}


def typed_list(kind: str, documents: list[Document]) -> Document:
    """What the API server answers with."""
    listed = list(of_kind(kind, documents))
    version = listed[0]["apiVersion"] if listed else "v1"
    items = [without_kind(document) for document in listed]
    return {"apiVersion": version, "kind": f"{kind}List", "items": items, "metadata": {}}


@given(clusters())
def test_forms_of_one_inventory(documents: list[Document]) -> None:
    documents = [document for document in documents if document["kind"] in KINDS]
    expected = inventory_of(yaml.safe_dump_all(documents))[0]
    forms: dict[str, list[str]] = {
        "YAML, block style": [yaml.safe_dump_all(documents, default_flow_style=False)],
        "JSON objects": [json.dumps(document) for document in documents],
        "List, JSON": [json.dumps(kubectl_list(documents))],
        "List, indented JSON": [json.dumps(kubectl_list(documents), indent=4)],
        "List, YAML": [yaml.safe_dump(kubectl_list(documents))],
        "typed lists, JSON": [json.dumps(typed_list(kind, documents)) for kind in KINDS],
        "typed lists, YAML": [yaml.safe_dump_all(typed_list(kind, documents) for kind in KINDS)],
        "List of one kind and the rest": [
            json.dumps(typed_list("Pod", documents)),
            yaml.safe_dump_all([document for document in documents if document["kind"] != "Pod"]),
        ],
    }
    assert [name for name, texts in forms.items() if inventory_of(*texts)[0] != expected] == []


POD: Document = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a"},
    "status": {"podIP": "10.0.0.1"},
}
DENY: Document = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "deny"},
    "spec": {"podSelector": {}},
}


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump], ids=["JSON", "YAML"])
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(kubectl_list([kubectl_list([POD, DENY])]), id="a List in a List"),
        pytest.param(kubectl_list([POD, kubectl_list([DENY])]), id="a policy deeper than the pods"),
        pytest.param(
            kubectl_list([typed_list("Pod", [POD]), typed_list("NetworkPolicy", [DENY])]),
            id="typed lists in a List",
        ),
    ],
)
def test_lists_within_lists(write: Callable[[Document], str], document: Document) -> None:
    """A policy that is passed over would leave the ruleset weaker."""
    compilation = npc.compile_sources([npc.Source("input", content=write(document).encode())])
    assert [
        (one.policies, [str(subject) for subject in one.subjects]) for one in compilation.plan.classes
    ] == [(("default/deny",), ["default/a"])]


COMPACT = """
namespaces:
- {name: shop, labels: {team: a}}
nodes:
- {name: node-0, addresses: [192.0.2.1], labels: {zone: z}}
endpoints:
- name: web
  namespace: shop
  addresses: [10.0.0.1, 'fd00::1']
  labels: {app: web}
  ports: {http: 8080, dns: 53/udp, diameter: 3868/SCTP}
  node: node-0
- {name: db, addresses: [10.0.0.2]}
services:
- {name: web, namespace: shop, selector: {app: web}, targetPorts: [http, 53/udp, diameter/SCTP]}
- {name: db, selector: {app: db}, targetPorts: [5432]}
"""
AS_OBJECTS = """
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: a}}}
---
apiVersion: v1
kind: Node
metadata: {name: node-0, labels: {zone: z}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  nodeName: node-0
  containers:
  - ports:
    - {name: http, containerPort: 8080}
    - {name: dns, containerPort: 53, protocol: UDP}
    - {name: diameter, containerPort: 3868, protocol: SCTP}
status: {podIPs: [{ip: 10.0.0.1}, {ip: fd00::1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db}
status: {podIP: 10.0.0.2}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports:
  - {port: 80, targetPort: http}
  - {port: 53, protocol: UDP}
  - {port: 1, targetPort: diameter, protocol: SCTP}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {app: db}, ports: [{port: 5432, targetPort: 0}]}
"""


@pytest.mark.parametrize(
    "text", [COMPACT, json.dumps(yaml.safe_load(COMPACT))], ids=["compact YAML", "compact JSON"]
)
def test_the_compact_form_says_what_objects_say(text: str) -> None:
    inventory, diagnostics = inventory_of(text)
    expected, said = inventory_of(AS_OBJECTS)
    assert inventory == expected
    assert [one.code for one in diagnostics] == [one.code for one in said] == [codes.UNLISTED_NAMESPACE]


def test_the_compact_form_beside_objects() -> None:
    inventory, diagnostics = inventory_of(COMPACT, json.dumps(POD | {"status": {"podIP": "10.0.0.9"}}))
    assert [str(one) for one in inventory.endpoints] == ["default/a", "default/db", "shop/web"]
    assert [one.code for one in diagnostics] == [codes.UNLISTED_NAMESPACE]


WEB, DNS = ContainerPort("web", TCP, 8080), ContainerPort("dns", UDP, 53)


@pytest.mark.parametrize(
    ("spec", "ports"),
    [
        pytest.param({}, (), id="no containers"),
        pytest.param({"containers": [{}, {"ports": None}, {"ports": []}]}, (), id="no ports"),
        pytest.param({"containers": [{"ports": [{"containerPort": 8080}]}]}, (), id="without a name"),
        pytest.param({"containers": [{"ports": [{"name": "web", "containerPort": 8080}]}]}, (WEB,), id="TCP"),
        pytest.param(
            {"containers": [{"ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]}]},
            (DNS,),
            id="UDP",
        ),
        pytest.param(
            {
                "containers": [
                    {"ports": [{"name": "web", "containerPort": 8080}]},
                    {"ports": [{"name": "web", "containerPort": 9090}]},
                ]
            },
            (WEB, ContainerPort("web", TCP, 9090)),
            id="one name in two containers",
        ),
        pytest.param(
            {
                "containers": [
                    {
                        "ports": [
                            {"name": "web", "containerPort": 8080},
                            {"name": "web", "containerPort": 8080, "protocol": "SCTP"},
                        ]
                    }
                ]
            },
            (WEB, ContainerPort("web", SCTP, 8080)),
            id="one name in two protocols",
        ),
        pytest.param(
            {"containers": [{"ports": [{"name": "web", "containerPort": 8080}]}] * 2}, (WEB,), id="repeated"
        ),
        pytest.param(
            {
                "containers": [{"ports": [{"name": "web", "containerPort": 8080}]}],
                "initContainers": [
                    {
                        "restartPolicy": "Always",
                        "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}],
                    }
                ],
            },
            (WEB, DNS),
            id="a sidecar",
        ),
        pytest.param(
            {"initContainers": [{"ports": [{"name": "web", "containerPort": 8080}]}]}, (), id="init container"
        ),
        pytest.param(
            {
                "initContainers": [
                    {"restartPolicy": "OnFailure", "ports": [{"name": "web", "containerPort": 8080}]}
                ]
            },
            (),
            id="an init container that runs once",
        ),
        pytest.param(
            {"ephemeralContainers": [{"ports": [{"name": "web", "containerPort": 8080}]}]},
            (),
            id="ephemeral container",
        ),
    ],
)
def test_named_ports(spec: Document, ports: tuple[ContainerPort, ...]) -> None:
    """P10."""
    pod = POD | {"spec": spec}
    for text in (json.dumps(pod), yaml.safe_dump(pod)):
        inventory, _ = inventory_of(text)
        assert inventory.endpoints[0].ports == ports


@pytest.mark.parametrize("number", [-1, 0, 65536, 131152, 2**40])
@pytest.mark.parametrize("containers", ["containers", "initContainers"])
def test_container_ports_out_of_range(number: int, containers: str) -> None:
    """131152 is 2 << 16 | 80: on the number line of traffic it would pass for another protocol or port."""
    _, diagnostics = inventory_of(
        f"""
kind: Pod
apiVersion: v1
metadata: {{name: a, namespace: shop}}
spec: {{{containers}: [{{restartPolicy: Always, ports: [{{name: web, containerPort: {number}}}]}}]}}
status: {{podIP: 10.0.0.1}}
---
kind: Namespace
apiVersion: v1
metadata: {{name: shop}}
"""
    )
    field = f"spec.{containers}[0].ports[0].containerPort"
    assert [(one.code, one.field) for one in diagnostics] == [(codes.INVALID_INVENTORY, field)]


@pytest.mark.parametrize(
    ("value", "port"),
    [
        (8080, ContainerPort("web", TCP, 8080)),
        ("8080", ContainerPort("web", TCP, 8080)),
        ("53/udp", ContainerPort("web", UDP, 53)),
        ("53/UDP", ContainerPort("web", UDP, 53)),
        ("1/sctp", ContainerPort("web", SCTP, 1)),
        ("65535/tcp", ContainerPort("web", TCP, 65535)),
        *(
            (value, None)
            for value in (0, 65536, -1, "0", "65536/udp", "-1", "+80", "80.0", "0x50", " 80", "")
        ),
        *((value, None) for value in ("80/", "/tcp", "80/icmp", "80/tcp/udp", "tcp/80", "web", "80-90")),
        # Long enough to hide what is wrong; and digits of another script.
        *((value, None) for value in ("000000008099999", "9" * 40, "\N{ARABIC-INDIC DIGIT EIGHT}0")),
    ],
)
def test_ports_of_the_compact_form(value: int | str, port: ContainerPort | None) -> None:
    compact = {
        "endpoints": [{"name": "a", "namespace": "shop", "addresses": ["10.0.0.1"], "ports": {"web": value}}],
        "namespaces": [{"name": "shop"}],
    }
    inventory, diagnostics = inventory_of(json.dumps(compact))
    if port is not None:
        assert [endpoint.ports for endpoint in inventory.endpoints] == [(port,)]
    assert [(one.code, one.field) for one in diagnostics] == (
        [(codes.INVALID_INVENTORY, "endpoints[0].ports.web")] if port is None else []
    )


@pytest.mark.parametrize("name", ["", "-", "a--b", "UPPER", "sixteen-letters-", "0", "a_b"])
def test_names_of_ports_in_the_compact_form(name: str) -> None:
    compact = {
        "endpoints": [{"name": "a", "namespace": "shop", "addresses": ["10.0.0.1"], "ports": {name: 80}}],
        "namespaces": [{"name": "shop"}],
    }
    _, diagnostics = inventory_of(json.dumps(compact))
    assert [one.code for one in diagnostics] == [codes.INVALID_INVENTORY]


def test_endpoints_are_in_order_whatever_the_input_is_in() -> None:
    """By namespace, then name: the endpoints of a namespace lie together, those of a-b not within a's."""
    names = [("b", "a"), ("a-b", "z"), ("a", "b"), ("a", "a"), ("a0", "x"), ("b", "b")]
    pods = [
        POD | {"metadata": {"name": name, "namespace": namespace}, "status": {"podIP": f"10.0.0.{number}"}}
        for number, (namespace, name) in enumerate(names)
    ]
    inventory, _ = inventory_of(yaml.safe_dump_all(pods))
    assert [(one.namespace, one.name) for one in inventory.endpoints] == sorted(names)
