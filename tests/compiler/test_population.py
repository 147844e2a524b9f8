"""Endpoints found by their namespace, labels, node and ports, against a walk over all of them."""

from __future__ import annotations

import pickle
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

import npc.compiler.population as population_module
from npc.compiler.frontend.documents import load
from npc.compiler.frontend.syntax import ClusterPolicy, Direction, NetworkPolicy, Selector, Tier
from npc.compiler.inventory import NAME_LABEL, ContainerPort, Endpoint, Inventory, Node
from npc.compiler.labels import matches
from npc.compiler.population import Population
from npc.compiler.resolve import Model
from npc.compiler.tiers import Deciders
from tests.compiler.compiling import compiled, inventory_of, source
from tests.compiler.test_labels import LABELS, SELECTORS
from tests.reference.manifests import Document
from tests.strategies import clusters

NAMES = ("a", "a-b", "b", "c")
PORTS = st.lists(
    st.builds(ContainerPort, st.sampled_from(("http", "dns")), st.sampled_from((6, 17)), st.just(80)),
    max_size=2,
    unique=True,
).map(tuple)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    """Endpoints of a few namespaces, some of them empty."""
    places = sorted(draw(st.sets(st.tuples(st.sampled_from(NAMES[:3]), st.integers(0, 5)), max_size=10)))
    endpoints = [
        Endpoint(
            namespace,
            f"p{number}",
            draw(LABELS),
            (index + 1,),
            draw(PORTS),
            draw(st.sampled_from(("", "n", "m"))),
        )
        for index, (namespace, number) in enumerate(places)
    ]
    namespaces = {name: {**draw(LABELS), NAME_LABEL: name} for name in NAMES}
    return Inventory(tuple(endpoints), namespaces, (Node("n", {}, (100,)), Node("m", {}, (100, 1))))


@given(inventories(), SELECTORS, SELECTORS, st.sampled_from((0, 10**9)))
def test_found_as_by_a_walk(inventory: Inventory, spaces: Selector, pods: Selector, price: int) -> None:
    """Whichever way is the cheaper: namespace by namespace, or over all endpoints at once."""
    people = Population(inventory)
    numbered = list(enumerate(inventory.endpoints))
    with patch.object(population_module, "_ENDPOINTS_A_NAMESPACE", price):
        found = list(people.across(spaces, pods))
    assert found == [
        number
        for number, one in numbered
        if matches(spaces, inventory.namespaces[one.namespace]) and matches(pods, one.labels)
    ]
    for name in (*NAMES, "nowhere"):
        assert list(people.within(name, pods)) == [
            number for number, one in numbered if one.namespace == name and matches(pods, one.labels)
        ]
    for node in ("", "n", "m", "nowhere"):
        assert list(people.on_node(node)) == [number for number, one in numbered if one.node == node]
    for port in ("http", "dns", "nothing"):
        assert {number: list(ports) for number, ports in people.serving(port).items()} == {
            number: ports
            for number, one in numbered
            if (ports := [named for named in one.ports if named.name == port])
        }
    assert dict(people.names) == {100: "n", 1: "m"} | {one.addresses[0]: str(one) for _, one in numbered}


@given(clusters())
def test_deciders_as_by_a_walk(documents: list[Document]) -> None:
    """P1, C2: each endpoint with each policy, by itself; and in a copy, where no identity is what it was."""
    loaded = load([source(documents)])
    inventory, _ = inventory_of(source(documents).data())
    model = Model(loaded.policies, loaded.cluster_policies, inventory)
    for direction in Direction:
        expected = {
            str(endpoint): deciders
            for endpoint in inventory.endpoints
            if (deciders := _deciders(model, direction, endpoint)).admin
            or deciders.network
            or deciders.baseline
        }
        asked = {str(endpoint): deciders for endpoint, deciders in model.deciding(direction)}
        copied = pickle.loads(pickle.dumps(model))
        again = {str(endpoint): deciders for endpoint, deciders in copied.deciding(direction)}
        assert asked == expected
        assert again == expected


def _deciders(model: Model, direction: Direction, endpoint: Endpoint) -> Deciders:
    def is_for(policy: ClusterPolicy) -> bool:
        spaces, labels = policy.subject.namespaces, model.inventory.namespaces[endpoint.namespace]
        return (
            spaces is not None and matches(spaces, labels) and matches(policy.subject.pods, endpoint.labels)
        )

    def isolates(policy: NetworkPolicy) -> bool:
        return (
            policy.namespace == endpoint.namespace
            and direction in policy.isolates
            and matches(policy.subject, endpoint.labels)
        )

    cluster = [one for one in model.cluster_policies if one.rules(direction) and is_for(one)]
    admin, baseline = (
        tuple(
            sorted(
                (one for one in cluster if one.tier is tier),
                key=lambda one: (one.priority, one.name, one.kind),
            )
        )
        for tier in (Tier.ADMIN, Tier.BASELINE)
    )
    network = sorted((one for one in model.policies if isolates(one)), key=lambda one: one.name)
    return Deciders(admin, tuple(network), baseline)


def test_an_egress_named_port_is_resolved_once_for_all_who_name_it() -> None:
    """P10: not again for each policy, subject and rule, which was cubic."""
    count = 30
    manifests: list[Document] = []
    for number in range(count):
        name = f"ns{number}"
        port = {"name": "http", "containerPort": 8000 + number}
        manifests += [
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "p", "namespace": name},
                "spec": {"containers": [{"name": "c", "ports": [port]}]},
                "status": {"podIP": f"10.0.0.{number + 1}"},
            },
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": "p", "namespace": name},
                "spec": {
                    "podSelector": {},
                    "policyTypes": ["Egress"],
                    "egress": [
                        {"ports": [{"port": "http"}]},
                        {"to": [{"namespaceSelector": {}}], "ports": [{"port": "http"}]},
                    ],
                },
            },
        ]
    with patch.object(Population, "serving", autospec=True, side_effect=Population.serving) as serving:
        plan = compiled(manifests).plan
    assert len(plan.classes) == 1
    assert serving.call_count == 2, "once for everyone, once for the pods of all namespaces"
