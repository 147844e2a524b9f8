"""Small random clusters, as manifests that an API server would accept, and packets to ask about.

Covers the rules P1 to P11, E1 to E4 and C1 to C6 of the semantics. Invariant: no two live pods of a cluster
share an address.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.cluster_policies import cluster_policies
from tests.network_policies import POLICIES
from tests.reference.boundaries import (
    boundary_packets,
    interesting_addresses,
    interesting_traffic,
    owned_addresses,
)
from tests.reference.evaluator import NAMESPACE_NAME_LABEL, Packet
from tests.reference.manifests import Address, Document
from tests.vocabulary import (
    ADDRESSES,
    LABEL_VALUES,
    LABELS,
    NAMESPACES,
    NODES,
    POD_ADDRESSES,
    PODS,
    PORT_NAMES,
    PORT_NUMBERS,
    PROTOCOLS,
    merged,
    optional,
    products,
    required,
    written,
)

__all__ = ["LABELS", "LABEL_VALUES", "NODES", "boundary_packets", "clusters", "packets", "plain_clusters"]


CONTAINER_PORTS: Final = st.lists(
    st.sampled_from(
        products(
            [{"containerPort": number} for number in PORT_NUMBERS],
            written("name", PORT_NAMES),
            written("protocol", PROTOCOLS),
        )
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda port: port.get("name", port["containerPort"]),  # no name twice in one container
)


def _containers(*names: str) -> SearchStrategy[tuple[Document, ...]]:
    return st.tuples(
        *(
            merged(st.just({"name": name, "image": "example.com/image"}), required("ports", CONTAINER_PORTS))
            for name in names
        )
    )


POD_SPECS: Final = merged(
    required("containers", st.one_of(_containers("one"), _containers("one", "two"))),
    optional(
        "initContainers",
        st.tuples(_containers("init"), optional("restartPolicy", st.just("Always"))).map(
            lambda drawn: [drawn[0][0] | drawn[1]]
        ),
    ),
    optional("nodeName", st.sampled_from(sorted(NODES))),
)

POD_STATES: Final = st.sampled_from(("live",) * 6 + ("host-network", "ended", "without address"))
FAMILIES: Final = st.sampled_from(((0,), (1,), (0, 1), (1, 0)))
"""Places in a pair of POD_ADDRESSES or NODES: IPv4, IPv6, both."""


@st.composite
def _pods(draw: DrawFn) -> list[Document]:
    """One to six pods: alive, on the host's network, ended, or without an address."""
    count = draw(st.sampled_from((1, 2, 3, 3, 4, 4, 5, 5, 6, 6)))
    places = draw(st.permutations(PODS))[:count]
    slots = draw(st.permutations(POD_ADDRESSES))[:count]
    return [_pod(draw, *place, slot, slots) for place, slot in zip(places, slots, strict=True)]


def _pod(
    draw: DrawFn,
    namespace: str,
    name: str,
    slot: tuple[Address, Address],
    slots: Sequence[tuple[Address, Address]],
) -> Document:
    """A pod with the addresses of its own slot; once it has ended, with those of any slot."""
    spec = draw(POD_SPECS)
    phase = draw(st.sampled_from(("Running", "Pending")))
    pair: Sequence[object] = ()
    match draw(POD_STATES):
        case "live":
            pair = slot
        case "ended":
            pair = draw(st.sampled_from(slots))
            phase = draw(st.sampled_from(("Succeeded", "Failed")))
        case "host-network":
            spec = _on_the_host(spec)
            pair = NODES[spec["nodeName"]]
        case "without address":
            phase = "Pending"
    addresses = [str(pair[place]) for place in draw(FAMILIES)] if pair else []
    written = {"podIP": addresses[0], "podIPs": [{"ip": address} for address in addresses]} if pair else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name} | draw(LABELS),
        "spec": spec,
        "status": {"phase": phase} | written,
    }


def _on_the_host(spec: Document) -> Document:
    """The spec for a host-network pod: one port only, since the API server rejects two equal ones there."""
    first = spec["containers"][0]
    return {
        "hostNetwork": True,
        "nodeName": spec.get("nodeName", "node-0"),
        "containers": [first | {"ports": first["ports"][:1]}],
    }


def _namespace(draw: DrawFn, name: str) -> Document:
    """A Namespace, with or without labels, its name sometimes among them."""
    name_label = draw(st.sampled_from(({}, {NAMESPACE_NAME_LABEL: name})))
    labels = draw(LABELS)
    if labels:
        labels = {"labels": labels["labels"] | name_label}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name} | labels}


def _node(draw: DrawFn, name: str) -> Document:
    addresses = [{"type": "InternalIP", "address": address} for address in NODES[name]]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name} | draw(LABELS),
        "status": {"addresses": [{"type": "Hostname", "address": name}, *addresses]},
    }


# --- the whole ----------------------------------------------------------------------------------------------
def _named(policy: Document, name: str) -> Document:
    return policy | {"metadata": policy["metadata"] | {"name": name}}


@st.composite
def plain_clusters(draw: DrawFn) -> list[Document]:
    """Namespaces, nodes, pods and up to five NetworkPolicies; a namespace in use need not be listed."""
    namespaces = draw(st.lists(st.sampled_from(NAMESPACES), min_size=1, unique=True))
    nodes = draw(st.lists(st.sampled_from(sorted(NODES)), unique=True))
    policies = [
        _named(draw(POLICIES), f"policy-{index}")
        for index in range(draw(st.sampled_from((0, 1, 1, 2, 2, 3, 3, 4, 4, 5))))
    ]
    return _unshared(
        [
            *(_namespace(draw, name) for name in namespaces),
            *(_node(draw, name) for name in nodes),
            *draw(_pods()),
            *policies,
        ]
    )


def clusters() -> SearchStrategy[list[Document]]:
    """Clusters with cluster policies too, about half of them; these are in no order."""
    # Cluster policies are drawn first: hypothesis likes to end an example on the simplest choices.
    drawn = st.tuples(cluster_policies(), plain_clusters())
    return drawn.map(lambda parts: _unshared([*parts[1], *_with_nodes(*parts)]))


def _with_nodes(policies: list[Document], others: list[Document]) -> list[Document]:
    """The cluster policies that can be compiled: those that speak of nodes only where there are some."""
    has_nodes = any(one["kind"] == "Node" for one in others)
    return [one for one in policies if has_nodes or '"nodes"' not in json.dumps(one)]


def _unshared(documents: list[Document]) -> list[Document]:
    """The documents without a common part: dumped as YAML, one would become an anchor and aliases."""
    copied: list[Document] = json.loads(json.dumps(documents))
    return copied


@st.composite
def packets(draw: DrawFn, documents: Sequence[Document]) -> Packet:
    """A packet of either family, mostly of addresses, protocols and ports that the documents mention."""
    version = draw(st.sampled_from((4, 6)))
    mentioned = interesting_addresses(documents, version)
    addresses = st.one_of(
        st.sampled_from(owned_addresses(mentioned, documents) or mentioned),
        st.sampled_from(mentioned),
        st.sampled_from([address for address in ADDRESSES if address.version == version]),
    )
    traffic = st.one_of(
        st.sampled_from(interesting_traffic(documents)),
        st.tuples(st.integers(0, 255), st.integers(0, 65535)),
    )
    return Packet(draw(addresses), draw(addresses), *draw(traffic))
