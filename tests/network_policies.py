"""Random NetworkPolicies that an API server would accept: rules P1 to P11 of the semantics."""

from __future__ import annotations

import itertools
from ipaddress import ip_network
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.reference.manifests import Document
from tests.vocabulary import (
    ADDRESSES,
    NAMESPACE_SELECTORS,
    NAMESPACES,
    PORT_NAMES,
    PORT_NUMBERS,
    PREFIX_LENGTHS,
    PROTOCOLS,
    SELECTORS,
    cidr_around,
    merged,
    mostly,
    optional,
    products,
    required,
    written,
)


@st.composite
def _ip_blocks(draw: DrawFn) -> Document:
    """An ipBlock around one of ADDRESSES: host bits often set, excepts overlapping or nested."""
    address = draw(st.sampled_from(ADDRESSES))
    length = draw(st.sampled_from(PREFIX_LENGTHS[address.version]))
    cidr = cidr_around(address, length, draw(st.booleans()))
    block = ip_network(cidr, strict=False)
    longer = [inner for inner in PREFIX_LENGTHS[address.version] if inner > length]
    if not longer:
        return {"cidr": cidr}
    within = st.sampled_from([inner for inner in (*ADDRESSES, block[0], block[-1]) if inner in block])
    excepts = st.builds(cidr_around, within, st.sampled_from(longer), st.booleans())
    return {"cidr": cidr} | draw(optional("except", st.none(), st.lists(excepts, max_size=3)))


POD_SELECTORS: Final = required("podSelector", SELECTORS)
NAMESPACES_BY_LABEL: Final = required("namespaceSelector", NAMESPACE_SELECTORS)
NO_PEER: Final = st.sampled_from(({}, {"podSelector": None, "namespaceSelector": None, "ipBlock": None}))
PEERS: Final = st.one_of(
    merged(NO_PEER, POD_SELECTORS),
    merged(NO_PEER, NAMESPACES_BY_LABEL),
    merged(NO_PEER, NAMESPACES_BY_LABEL, POD_SELECTORS),
    merged(NO_PEER, required("ipBlock", _ip_blocks())),
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
    [st.sampled_from(products(written("protocol", PROTOCOLS), form)) for form in PORT_FORMS]
)
"""A port of a rule: a protocol alone, a number, a name or a range."""


def _rules(peer_field: str) -> SearchStrategy[list[Document]]:
    """What may stand under `ingress` or `egress`."""
    rules = merged(
        mostly(peer_field, st.lists(PEERS, min_size=1, max_size=3), st.none(), st.just([])),
        mostly("ports", st.lists(RULE_PORTS, min_size=1, max_size=3), st.none(), st.just([])),
    )
    return st.lists(rules, min_size=1, max_size=2)


POLICY_TYPES: Final = st.sampled_from(
    written(
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
POLICIES: Final = merged(
    st.just({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}),
    required("metadata", optional("namespace", st.sampled_from(NAMESPACES))),
    required(
        "spec",
        merged(
            optional("podSelector", st.none(), st.just({}), SELECTORS),
            POLICY_TYPES,
            mostly("ingress", _rules("from"), st.none(), st.just([]), st.just([{}])),
            mostly("egress", _rules("to"), st.none(), st.just([]), st.just([{}])),
        ),
    ),
)
"""A NetworkPolicy still without a name; where no namespace is written, of the default one."""
