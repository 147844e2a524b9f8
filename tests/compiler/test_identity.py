"""Names outlive members: what a group or class is called depends on what was written, not on who is there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.backends.base import Options
from npc.backends.nft import BACKEND
from npc.backends.nft.ruleset import Set, Table
from npc.compiler.algebra.addresses import parse_address
from npc.compiler.plan import Plan
from tests.compiler.compiling import compiled
from tests.reference.evaluator import NAMESPACE_NAME_LABEL, Cluster
from tests.reference.manifests import Document, namespaced_name, of_kind
from tests.strategies import clusters, plain_clusters


def pod(name: str, address: str, namespace: str = "shop", **labels: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "status": {"podIP": address},
    }


def namespace(name: str, **labels: str) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def policy(name: str, peers: list[Document], namespace: str = "shop", **selected: str) -> Document:
    """Ingress for the pods with some labels, from some peers, to TCP 80."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "podSelector": {"matchLabels": selected},
            "ingress": [{"from": peers, "ports": [{"port": 80}]}],
        },
    }


def groups(plan: Plan) -> dict[str, frozenset[int]]:
    """The members of each group, by key."""
    return {
        group.key: group.members
        for one in plan.classes
        for _, _, peers in one.decision.parts
        for group in peers.groups
    }


def table_of(plan: Plan) -> Table:
    table = BACKEND.lower(plan, Options())
    assert isinstance(table, Table)
    return table


def frames(table: Table) -> list[tuple[str, str, str]]:
    """The sets without their elements."""
    return [(one.name, one.type, one.comment) for one in table.sets]


WEB_FROM_CLIENTS = [
    namespace("shop", team="a"),
    namespace("ops", team="a"),
    pod("web-0", "10.0.0.1", app="web"),
    pod("client-0", "10.0.0.2", app="client"),
    policy("web", [{"podSelector": {"matchLabels": {"app": "client"}}}], app="web"),
    policy("any", [{"namespaceSelector": {"matchLabels": {"team": "a"}}}], app="web"),
]
CLIENTS, TEAM = "pods(app=client) in ns/shop", "pods in ns(team=a)"


@pytest.mark.parametrize(
    ("newcomer", "gains"),
    [
        pytest.param(pod("client-1", "10.0.0.9", app="client"), {CLIENTS, TEAM}, id="one more peer"),
        pytest.param(pod("any", "10.0.0.9", namespace="ops"), {TEAM}, id="a peer of another namespace"),
        pytest.param(pod("web-1", "10.0.0.9", app="web"), {TEAM}, id="one more subject"),
        pytest.param(pod("other", "10.0.0.9", namespace="else"), set(), id="a stranger"),
    ],
)
def test_a_pod_comes(newcomer: Document, gains: set[str]) -> None:
    before, after = compiled(WEB_FROM_CLIENTS).plan, compiled([*WEB_FROM_CLIENTS, newcomer]).plan
    address = parse_address("10.0.0.9")
    assert [one.key for one in after.classes] == [one.key for one in before.classes]
    assert groups(after) == {
        key: members | {address} if key in gains else members for key, members in groups(before).items()
    }
    assert table_of(after).chains == table_of(before).chains
    assert frames(table_of(after)) == frames(table_of(before))


def with_numbers_for_names(value: Any) -> Any:
    """Numbers for named ports, as a name means other numbers when other pods are there (P10)."""
    match value:
        case {"port": str(), **rest}:
            return rest | {"port": 80}
        case dict():
            return {key: with_numbers_for_names(child) for key, child in value.items()}
        case list():
            return [with_numbers_for_names(child) for child in value]
        case _:
            return value


@given(plain_clusters(), st.data())
def test_a_pod_goes(documents: list[Document], data: st.DataObject) -> None:
    """The classes that have subjects left keep their keys, names and rules.

    Without cluster policies: what one of them takes from a group has a name of its own, which is there only
    while the two have a member in common.
    """
    documents = with_numbers_for_names(documents)
    leaver = data.draw(st.sampled_from(list(of_kind("Pod", documents))))
    name = "/".join(namespaced_name(leaver))
    before = compiled(documents).plan
    after = compiled([document for document in documents if document is not leaver]).plan
    staying = [one for one in before.classes if any(str(subject) != name for subject in one.subjects)]
    assert [one.key for one in after.classes] == [one.key for one in staying]
    own = {
        address
        for endpoint in Cluster.from_manifests([leaver]).endpoints
        for address in map(parse_address, map(str, endpoint.addresses))
    }
    assert groups(after) == {
        key: frozenset(member for member in members if member not in own)
        for key, members in groups(before).items()
        if key in groups(after)
    }
    rules = {chain.name: chain for chain in table_of(before).chains}
    assert [
        chain
        for chain in table_of(after).chains
        if chain.name[1:3] in ("4_", "6_") and rules[chain.name] != chain
    ] == []


def key_of(peer: Document, own_namespace: str) -> str:
    """The key of the group that a peer of a policy in some namespace is."""
    plan = compiled([pod("web", "10.0.0.1", own_namespace), policy("p", [peer], own_namespace)]).plan
    (key,) = groups(plan)
    return key


def by_name(name: str) -> Document:
    return {"matchLabels": {NAMESPACE_NAME_LABEL: name}}


def expression(key: str, operator: str, *values: str) -> Document:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def pods(selector: Document) -> Document:
    return {"podSelector": selector}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(pods({}), {"namespaceSelector": by_name("a")}, id="own namespace, by name"),
        pytest.param(
            {"namespaceSelector": {}}, {"namespaceSelector": {}, "podSelector": {}}, id="no pod selector"
        ),
        pytest.param(pods({"matchLabels": {"x": "y"}}), pods(expression("x", "In", "y")), id="a label, In"),
        pytest.param(
            pods(expression("x", "In", "a", "b")), pods(expression("x", "In", "b", "a", "b")), id="In, order"
        ),
        pytest.param(
            pods({"matchLabels": {"x": "1", "y": "2"}}),
            pods({"matchLabels": {"y": "2"}} | expression("x", "In", "1")),
            id="order of requirements",
        ),
    ],
)
def test_one_meaning_has_one_key(one: Document, other: Document) -> None:
    assert key_of(one, "a") == key_of(other, "a")


DIFFERENT: list[tuple[Document, str]] = [
    (pods({}), "a"),
    (pods({}), "ab"),
    ({"namespaceSelector": {}}, "a"),
    ({"namespaceSelector": by_name("")}, "a"),
    ({"namespaceSelector": {"matchLabels": {"a": ""}}}, "a"),
    ({"namespaceSelector": expression("a", "Exists")}, "a"),
    ({"namespaceSelector": expression(NAMESPACE_NAME_LABEL, "In", "a", "b")}, "a"),
    ({"namespaceSelector": expression(NAMESPACE_NAME_LABEL, "NotIn", "a")}, "a"),
    (pods({"matchLabels": {"bc": ""}}), "a"),
    (pods({"matchLabels": {"c": ""}}), "ab"),
    (pods({"matchLabels": {"b": "c"}}), "a"),
    (pods(expression("b", "Exists")), "a"),
    (pods(expression("b", "DoesNotExist")), "a"),
    (pods(expression("b", "NotIn", "c")), "a"),
    (pods(expression("b", "In", "", "c")), "a"),
    (pods(expression("b", "NotIn", "", "c")), "a"),
    (pods(expression("not", "In", "", "c")), "a"),
    (pods({"matchLabels": {"b": "in"}}), "a"),
    (pods({"matchLabels": {"b": "", "c": ""}}), "a"),
    (pods({"matchLabels": {"b": ""}} | expression("c", "Exists")), "a"),
    ({"namespaceSelector": by_name("c"), "podSelector": {"matchLabels": {"a": "b"}}}, "a"),
    ({"namespaceSelector": {"matchLabels": {"b": "c"}}, "podSelector": expression("a", "Exists")}, "a"),
]


def test_different_meanings_have_different_keys() -> None:
    keys = [key_of(peer, own_namespace) for peer, own_namespace in DIFFERENT]
    assert sorted(key for key in keys if keys.count(key) > 1) == []


def test_names_that_join_alike_stay_apart() -> None:
    """Namespace a with policy bc, and namespace ab with policy c: two classes, each with its own peers."""
    documents = [
        pod("web", "10.0.0.1", "a", app="web"),
        pod("web", "10.0.0.2", "ab", app="web"),
        pod("cli", "10.0.0.3", "a", bc=""),
        pod("cli", "10.0.0.4", "ab", c=""),
        policy("bc", [pods({"matchLabels": {"bc": ""}})], "a", app="web"),
        policy("c", [pods({"matchLabels": {"c": ""}})], "ab", app="web"),
    ]
    plan = compiled(documents).plan
    assert sorted((one.policies, [str(subject) for subject in one.subjects]) for one in plan.classes) == [
        (("a/bc",), ["a/web"]),
        (("ab/c",), ["ab/web"]),
    ]
    assert groups(plan) == {
        "pods(bc=) in ns/a": {parse_address("10.0.0.3")},
        "pods(c=) in ns/ab": {parse_address("10.0.0.4")},
    }
    names = [one.name for one in table_of(plan).sets] + [chain.name for chain in table_of(plan).chains]
    assert sorted(set(names)) == sorted(names)


def test_namespaces_that_begin_alike_stay_apart() -> None:
    """Endpoints lie in order of their namespaces; those of a-b, a0 and ab follow a's."""
    names = ("a", "a-b", "a0", "ab")
    pods_of_each = [pod("web", f"10.0.0.{number}", name) for number, name in enumerate(names)]
    for name in names:
        plan = compiled([*pods_of_each, policy("own", [pods({})], name)]).plan
        address = parse_address(f"10.0.0.{names.index(name)}")
        assert [str(subject) for one in plan.classes for subject in one.subjects] == [f"{name}/web"]
        assert groups(plan) == {f"pods in ns/{name}": {address}}


def block_key(cidr: str, *excepts: str) -> str:
    """The key of what a named egress port means at the addresses of a block (P10)."""
    web = pod("web", "10.0.0.1") | {
        "spec": {"containers": [{"ports": [{"name": "web", "containerPort": 80}]}]},
    }
    egress = {"to": [{"ipBlock": {"cidr": cidr, "except": list(excepts)}}], "ports": [{"port": "web"}]}
    from_all = policy("p", []) | {"spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [egress]}}
    (key,) = groups(compiled([web, from_all]).plan)
    return key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("10.0.0.0/8",), ("10.9.9.9/8",), id="host bits"),
        pytest.param(
            ("10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16"),
            ("10.0.0.0/8", "10.2.0.0/16", "10.1.0.0/16"),
            id="order of excepts",
        ),
        pytest.param(
            ("10.0.0.0/8", "10.1.0.0/16"), ("10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16"), id="an except twice"
        ),
        pytest.param(
            ("10.0.0.0/8", "10.1.0.0/16"), ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"), id="nested excepts"
        ),
        pytest.param(
            ("10.0.0.0/8", "10.2.0.0/15"), ("10.0.0.0/8", "10.2.0.0/16", "10.3.0.0/16"), id="adjacent excepts"
        ),
    ],
)
def test_one_block_has_one_key(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert block_key(*one) == block_key(*other)


def test_different_blocks_have_different_keys() -> None:
    blocks = [("10.0.0.0/8",), ("10.0.0.0/9",), ("10.0.0.0/8", "10.1.0.0/16"), ("0.0.0.0/0",)]
    assert len({block_key(*block) for block in blocks}) == len(blocks)


@given(clusters())
def test_a_key_has_one_meaning(documents: list[Document]) -> None:
    """Groups compare by their keys alone, so two of one plan with one key must have the same members."""
    plan = compiled(documents).plan
    found = {
        (group.key, group.members)
        for one in plan.classes
        for _, _, peers in one.decision.parts
        for group in peers.groups | peers.holes
    }
    assert len(found) == len({key for key, _ in found})
    assert len({one.key for one in plan.classes}) == len(plan.classes)


@given(clusters())
def test_every_element_of_the_ruleset_belongs_to_a_known_endpoint(documents: list[Document]) -> None:
    plan = compiled(documents).plan
    cluster = Cluster.from_manifests(documents)
    owners = {str(address): name for name, addresses in cluster.nodes.items() for address in addresses}
    owners |= {
        str(address): f"{one.namespace}/{one.name}" for one in cluster.endpoints for address in one.addresses
    }

    def notes(one: Set) -> list[tuple[str, str]]:
        return [(element.text.split(" ", 1)[0], element.note) for element in one.elements]

    assert [
        (text, note)
        for one in table_of(plan).sets
        if not one.interval
        for text, note in notes(one)
        if owners[text] != note
    ] == []
