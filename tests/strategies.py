"""Small random clusters, as manifests that an API server would accept, and packets to ask about.

Covers rules P1 to P11 and E1 to E4 of the semantics over a tiny vocabulary, so that selectors, addresses and
ports overlap often. Invariant: no two live pods of a cluster share an address.

Strategies are constants where they can be: hypothesis spends longer on making one than on drawing from it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.reference.boundaries import (
    FAR_FROM_ALL,
    boundary_packets,
    interesting_addresses,
    interesting_traffic,
    owned_addresses,
)
from tests.reference.evaluator import NAMESPACE_NAME_LABEL, PROTOCOL_NUMBERS, Packet
from tests.reference.manifests import Address, Document

__all__ = ["boundary_packets", "clusters", "packets"]

Documents: TypeAlias = SearchStrategy[Document]

NAMESPACES: Final = ("default", "blue", "green")
POD_NAMES: Final[Mapping[str, str]] = {"default": "pqrs", "blue": "pq", "green": "p"}
PODS: Final = tuple((namespace, name) for namespace in NAMESPACES for name in POD_NAMES[namespace])
POD_ADDRESSES: Final = tuple((IPv4Address("10.0.0.0") + n, IPv6Address("fd00::") + n) for n in range(16))
NODES: Final = {"node-0": ("192.168.0.1", "fd01::1"), "node-1": ("192.168.0.2", "fd01::2")}
LABEL_VALUES: Final[Mapping[str, Sequence[str]]] = {"app": ("a", "b", ""), "tier": ("a",)}
PORT_NAMES: Final = ("web", "dns")
PORT_NUMBERS: Final = (1, 80, 81, 443, 65535)
PROTOCOLS: Final = tuple(PROTOCOL_NUMBERS)

ADDRESSES: Final[tuple[Address, ...]] = (
    *(address for pair in POD_ADDRESSES for address in pair),
    *(ip_address(text) for pair in NODES.values() for text in pair),
    *FAR_FROM_ALL,
)
"""What CIDRs are made around."""
PREFIX_LENGTHS: Final = {4: (0, 8, *range(24, 33)), 6: (0, 64, *range(120, 129))}


def _optional(key: str, *values: SearchStrategy[Any]) -> Documents:
    """`{}`, or `{key: value}` with a value from one of the strategies."""
    return st.one_of(st.just({}), *(_required(key, value) for value in values))


def _mostly(key: str, usual: SearchStrategy[Any], *rare: SearchStrategy[Any]) -> Documents:
    """Three times in four `{key: value}` with a usual value; else as if `_optional` with the rare ones."""
    weighted = (_optional(key, *rare), *(_required(key, usual),) * 3)
    return st.sampled_from(weighted).flatmap(lambda strategy: strategy)


def _required(key: str, value: SearchStrategy[Any]) -> Documents:
    return value.map(lambda drawn: {key: drawn})


def _merged(*parts: Documents) -> Documents:
    """One new dict of several; where two have a key, the later one wins."""
    return st.tuples(*parts).map(lambda drawn: {key: value for part in drawn for key, value in part.items()})


def _written(key: str, values: Iterable[object]) -> list[Document]:
    """`{}`, and `{key: value}` for each of the values."""
    return [{}, *({key: value} for value in values)]


def _products(*fields: Sequence[Document]) -> list[Document]:
    """Every dict that takes one of the choices for each field, the simplest first."""
    return [
        {key: value for part in parts for key, value in part.items()} for parts in itertools.product(*fields)
    ]


def _label_sets(vocabulary: Mapping[str, Sequence[str]]) -> list[Document]:
    return _products(*(_written(key, values) for key, values in vocabulary.items()))


# --- policies -----------------------------------------------------------------------------------------------


def _label_selectors(vocabulary: Mapping[str, Sequence[str]]) -> Documents:
    """Label selectors over these keys and values, the empty one included."""
    requirements: list[Document] = []
    for key, values in vocabulary.items():
        some = [[value] for value in values] + [list(pair) for pair in itertools.combinations(values, 2)]
        requirements += [
            {"key": key, "operator": "Exists"},
            {"key": key, "operator": "DoesNotExist", "values": []},
            *({"key": key, "operator": operator, "values": v} for operator in ("In", "NotIn") for v in some),
        ]
    labels = _required("matchLabels", st.sampled_from(_label_sets(vocabulary)[1:]))
    expressions = _required(
        "matchExpressions", st.lists(st.sampled_from(requirements), min_size=1, max_size=2)
    )
    nothings: list[Document] = [{}, {"matchLabels": None, "matchExpressions": None}, {"matchLabels": {}}]
    return _merged(
        st.sampled_from(nothings), st.one_of(st.just({}), labels, expressions, _merged(labels, expressions))
    )


@st.composite
def _ip_blocks(draw: DrawFn) -> Document:
    """An ipBlock around one of ADDRESSES: host bits often set, excepts overlapping or nested."""
    address = draw(st.sampled_from(ADDRESSES))
    length = draw(st.sampled_from(PREFIX_LENGTHS[address.version]))
    cidr = _cidr(address, length, draw(st.booleans()))
    block = ip_network(cidr, strict=False)
    longer = [inner for inner in PREFIX_LENGTHS[address.version] if inner > length]
    if not longer:
        return {"cidr": cidr}
    within = st.sampled_from([inner for inner in (*ADDRESSES, block[0], block[-1]) if inner in block])
    excepts = st.builds(_cidr, within, st.sampled_from(longer), st.booleans())
    return {"cidr": cidr} | draw(_optional("except", st.none(), st.lists(excepts, max_size=3)))


def _cidr(address: Address, length: int, masked: bool) -> str:
    """The CIDR with its host bits masked, or with those of the address."""
    return str(ip_network(f"{address}/{length}", strict=False)) if masked else f"{address}/{length}"


POD_SELECTORS: Final = _required("podSelector", _label_selectors(LABEL_VALUES))
NAMESPACE_SELECTORS: Final = _required(
    "namespaceSelector",
    st.one_of(_label_selectors(LABEL_VALUES), _label_selectors({NAMESPACE_NAME_LABEL: NAMESPACES})),
)
NO_PEER: Final = st.sampled_from(({}, {"podSelector": None, "namespaceSelector": None, "ipBlock": None}))
PEERS: Final = st.one_of(
    _merged(NO_PEER, POD_SELECTORS),
    _merged(NO_PEER, NAMESPACE_SELECTORS),
    _merged(NO_PEER, NAMESPACE_SELECTORS, POD_SELECTORS),
    _merged(NO_PEER, _required("ipBlock", _ip_blocks())),
)
"""A peer of one of the four forms, the fields of the others absent or null."""

PORT_RANGES: Final = tuple(itertools.combinations_with_replacement(PORT_NUMBERS, 2))
PORT_FORMS: Final[tuple[list[Document], ...]] = (
    [{}],
    [{"port": number} for number in PORT_NUMBERS],
    [{"port": name} for name in PORT_NAMES * 2],
    [{"port": first, "endPort": last} for first, last in PORT_RANGES],
)
RULE_PORTS: Final = st.one_of(
    [st.sampled_from(_products(_written("protocol", PROTOCOLS), form)) for form in PORT_FORMS]
)
"""A port of a rule: a protocol alone, a number, a name or a range."""


def _rules(peer_field: str) -> SearchStrategy[list[Document]]:
    """What may stand under `ingress` or `egress`."""
    rules = _merged(
        _mostly(peer_field, st.lists(PEERS, min_size=1, max_size=3), st.none(), st.just([])),
        _mostly("ports", st.lists(RULE_PORTS, min_size=1, max_size=3), st.none(), st.just([])),
    )
    return st.lists(rules, min_size=1, max_size=2)


POLICY_TYPES: Final = st.sampled_from(
    _written(
        "policyTypes",
        (
            None,
            [],
            ["Ingress"],
            ["Egress"],
            ["Ingress", "Egress"],
            ["Egress", "Ingress"],
            ["Egress", "Egress"],
        ),
    )
)
POLICIES: Final = _merged(
    st.just({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}),
    _required("metadata", _optional("namespace", st.sampled_from(NAMESPACES))),
    _required(
        "spec",
        _merged(
            _optional("podSelector", st.none(), st.just({}), _label_selectors(LABEL_VALUES)),
            POLICY_TYPES,
            _mostly("ingress", _rules("from"), st.none(), st.just([]), st.just([{}])),
            _mostly("egress", _rules("to"), st.none(), st.just([]), st.just([{}])),
        ),
    ),
)
"""A NetworkPolicy still without a name; where no namespace is written, of the default one."""


def _named(policy: Document, name: str) -> Document:
    return policy | {"metadata": policy["metadata"] | {"name": name}}


# --- namespaces, nodes and pods -----------------------------------------------------------------------------

LABELS: Final = st.sampled_from(_written("labels", _label_sets(LABEL_VALUES)))

CONTAINER_PORTS: Final = st.lists(
    st.sampled_from(
        _products(
            [{"containerPort": number} for number in PORT_NUMBERS],
            _written("name", PORT_NAMES),
            _written("protocol", PROTOCOLS),
        )
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda port: port.get("name", port["containerPort"]),  # no name twice in one container
)


def _containers(*names: str) -> SearchStrategy[tuple[Document, ...]]:
    return st.tuples(
        *(
            _merged(
                st.just({"name": name, "image": "example.com/image"}), _required("ports", CONTAINER_PORTS)
            )
            for name in names
        )
    )


POD_SPECS: Final = _merged(
    _required("containers", st.one_of(_containers("one"), _containers("one", "two"))),
    _optional(
        "initContainers",
        st.tuples(_containers("init"), _optional("restartPolicy", st.just("Always"))).map(
            lambda drawn: [drawn[0][0] | drawn[1]]
        ),
    ),
    _optional("nodeName", st.sampled_from(sorted(NODES))),
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


def _node(name: str) -> Document:
    addresses = [{"type": "InternalIP", "address": address} for address in NODES[name]]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {"addresses": [{"type": "Hostname", "address": name}, *addresses]},
    }


# --- the whole ----------------------------------------------------------------------------------------------


@st.composite
def clusters(draw: DrawFn) -> list[Document]:
    """Namespaces, nodes, pods and up to five NetworkPolicies; a namespace in use need not be listed."""
    namespaces = draw(st.lists(st.sampled_from(NAMESPACES), min_size=1, unique=True))
    nodes = draw(st.lists(st.sampled_from(sorted(NODES)), unique=True))
    policies = [
        _named(draw(POLICIES), f"policy-{index}")
        for index in range(draw(st.sampled_from((0, 1, 1, 2, 2, 3, 3, 4, 4, 5))))
    ]
    documents = [
        *(_namespace(draw, name) for name in namespaces),
        *(_node(name) for name in nodes),
        *draw(_pods()),
        *policies,
    ]
    # Equal parts may be one object here: dumped as YAML they would become anchors and aliases.
    unshared: list[Document] = json.loads(json.dumps(documents))
    return unshared


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
