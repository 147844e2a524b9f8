"""Random cluster-wide policies that an API server would accept: rules C1 to C5 of the semantics.

ClusterNetworkPolicies of both tiers, AdminNetworkPolicies, and the one BaselineAdminNetworkPolicy.
"""

from __future__ import annotations

import itertools
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.reference.manifests import Document
from tests.vocabulary import (
    ADDRESSES,
    NAMESPACE_SELECTORS,
    PORT_NAMES,
    PORT_NUMBERS,
    PREFIX_LENGTHS,
    PROTOCOLS,
    SELECTORS,
    Documents,
    cidr_around,
    merged,
    mostly,
    optional,
    products,
    required,
    written,
)

NAMES: Final = "fedcba"
"""Not in the order in which they are given away: equal priorities go by name (C2)."""
PRIORITIES: Final = st.sampled_from((5, 5, 5, 0, 1, 1000))
GROUP: Final = "policy.networking.k8s.io"

# --- peers --------------------------------------------------------------------------------------------------


def _pods(namespace_selectors: SearchStrategy[Any]) -> Documents:
    return required(
        "pods", merged(required("namespaceSelector", namespace_selectors), required("podSelector", SELECTORS))
    )


@st.composite
def _networks(draw: DrawFn) -> list[str]:
    """One to three CIDRs around ADDRESSES, no text twice; host bits often set."""
    found = draw(st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=3))
    cidrs = [
        cidr_around(one, draw(st.sampled_from(PREFIX_LENGTHS[one.version])), draw(st.booleans()))
        for one in found
    ]
    return list(dict.fromkeys(cidrs))


BY_LABEL: Final = st.one_of(required("namespaces", NAMESPACE_SELECTORS), _pods(NAMESPACE_SELECTORS))
SUBJECTS: Final[Documents] = st.one_of(st.just({"namespaces": {}}), BY_LABEL)
NULL_FIELDS: Final = st.sampled_from(({}, {"namespaces": None, "pods": None}))
INGRESS_PEERS: Final = merged(NULL_FIELDS, st.one_of(st.just({"namespaces": {}}), BY_LABEL))
BY_ADDRESS: Final = st.one_of(required("nodes", SELECTORS), required("networks", _networks()))
"""Peers of egress rules alone, which name no ports."""
UNKNOWN: Final = st.sampled_from(({}, {"namespaces": None}))
"""What is left of a peer or protocol of a version that is not known (C5)."""

# --- ports --------------------------------------------------------------------------------------------------

RANGES: Final = tuple(itertools.combinations(PORT_NUMBERS, 2))
MATCHES: Final[list[Document]] = [
    *({"number": number} for number in PORT_NUMBERS),
    *({"range": {"start": first, "end": last}} for first, last in RANGES),
]
NUMBERED_PROTOCOLS: Final[list[Document]] = [
    {protocol.lower(): {"destinationPort": match}} for protocol in PROTOCOLS for match in MATCHES
]
NAMED_PROTOCOLS: Final[list[Document]] = [{"destinationNamedPort": name} for name in PORT_NAMES]

FIRST_RANGES: Final = tuple(itertools.combinations_with_replacement(PORT_NUMBERS, 2))
NUMBERED_PORTS: Final[list[Document]] = [
    *(
        {"portNumber": one}
        for one in products(written("protocol", PROTOCOLS), [{"port": number} for number in PORT_NUMBERS])
    ),
    *(
        {"portRange": one}
        for one in products(
            written("protocol", PROTOCOLS), [{"start": first, "end": last} for first, last in FIRST_RANGES]
        )
    ),
]
NAMED_PORTS: Final[list[Document]] = [{"namedPort": name} for name in PORT_NAMES]

# --- rules --------------------------------------------------------------------------------------------------


def _rules(
    actions: tuple[str, ...], field: str, numbered: list[Document], named: list[Document]
) -> Documents:
    """`ingress` and `egress` of one kind of policy: its words for actions, and its forms of ports."""
    action = required("action", st.sampled_from(actions))
    numbers, names = st.sampled_from(numbered), st.sampled_from(named)
    any_port, some_number = (st.lists(one, min_size=1, max_size=3) for one in (numbers | names, numbers))
    by_label = st.lists(INGRESS_PEERS, min_size=1, max_size=3)
    either = st.lists(st.one_of(INGRESS_PEERS, BY_ADDRESS), min_size=1, max_size=3)
    ingress = merged(action, required("from", by_label), _sometimes(field, any_port))
    egress = st.one_of(
        merged(action, required("to", by_label), _sometimes(field, any_port)),
        merged(action, required("to", either), _sometimes(field, some_number)),
    )
    rules = {"ingress": ingress, "egress": egress}
    return merged(
        *(
            mostly(direction, st.lists(_perhaps_unknown(rule, field), min_size=1, max_size=3), st.just([]))
            for direction, rule in rules.items()
        )
    )


def _sometimes(field: str, ports: SearchStrategy[list[Document]]) -> Documents:
    return optional(field, st.none(), ports)


def _perhaps_unknown(rule: Documents, field: str) -> Documents:
    """One rule in twelve has a peer or a port more, of which nothing is known (C5)."""

    def extended(drawn: tuple[Document, str | None, Document]) -> Document:
        document, where, unknown = drawn
        match where:
            case None:
                return document
            case "ports":
                return document | {field: [*(document.get(field) or ()), {}]}
            case _:
                peers = "from" if "from" in document else "to"
                return document | {peers: [*document[peers], unknown]}

    where = st.sampled_from((None,) * 22 + ("peers", "ports"))
    return st.tuples(rule, where, UNKNOWN).map(extended)


CLUSTER_RULES: Final = _rules(("Accept", "Deny", "Pass"), "protocols", NUMBERED_PROTOCOLS, NAMED_PROTOCOLS)
ADMIN_RULES: Final = _rules(("Allow", "Deny", "Pass"), "ports", NUMBERED_PORTS, NAMED_PORTS)
BASELINE_RULES: Final = _rules(("Allow", "Deny"), "ports", NUMBERED_PORTS, NAMED_PORTS)

# --- policies -----------------------------------------------------------------------------------------------


def _policy(kind: str, version: str, *spec: Documents) -> Documents:
    """A policy still without a name."""
    head = {"apiVersion": f"{GROUP}/{version}", "kind": kind}
    return merged(st.just(head), required("spec", merged(required("subject", SUBJECTS), *spec)))


PRIORITY: Final = required("priority", PRIORITIES)
TIER: Final = required("tier", st.sampled_from(("Admin", "Admin", "Baseline")))
EVERYWHERE: Final = ["0.0.0.0/0", "::/0"]
DEFAULT_DENY: Final = merged(
    st.just({"tier": "Baseline", "subject": {"namespaces": {}}}),
    st.sampled_from(
        products(
            [{"ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}]}],
            [{}, {"egress": [{"action": "Deny", "to": [{"networks": EVERYWHERE}]}]}],
        )
    ),
)
"""What a Baseline tier is for."""

CLUSTER_POLICIES: Final = _policy("ClusterNetworkPolicy", "v1alpha2", TIER, PRIORITY, CLUSTER_RULES)
DEFAULT_DENIES: Final = _policy("ClusterNetworkPolicy", "v1alpha2", PRIORITY, DEFAULT_DENY)
ADMIN_POLICIES: Final = _policy("AdminNetworkPolicy", "v1alpha1", PRIORITY, ADMIN_RULES)
BASELINE_POLICIES: Final = _policy("BaselineAdminNetworkPolicy", "v1alpha1", BASELINE_RULES)

KINDS: Final = st.sampled_from(
    (CLUSTER_POLICIES,) * 4 + (ADMIN_POLICIES,) * 2 + (DEFAULT_DENIES, BASELINE_POLICIES)
)


@st.composite
def cluster_policies(draw: DrawFn) -> list[Document]:
    """None in a third of the cases, else up to four; at most one is a BaselineAdminNetworkPolicy."""
    found: list[Document] = []
    for name in NAMES[: draw(st.sampled_from((0, 0, 0, 1, 2, 2, 3, 3, 4, 4)))]:
        policy = draw(draw(KINDS))
        if policy["kind"] == "BaselineAdminNetworkPolicy":
            if any(one["kind"] == policy["kind"] for one in found):
                continue
            name = "default"
        found.append(policy | {"metadata": {"name": name}})
    return found
