"""Policies that an API server accepts, as plain objects: hostile names, labels, annotations, every spelling.

`network_policies` are NetworkPolicies, `cluster_policies` ClusterNetworkPolicies. Words of the policy
language stand in for names, label keys and values; numbers, dates and addresses do where they may; fields
are absent, null or empty where that is the same. `defaulted` is what the API server makes of an object,
from the text of the API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

Object: TypeAlias = dict[str, Any]

KEYWORDS: Final = (
    *("policy", "cluster", "set", "service", "include", "in", "for", "tier", "priority", "admin", "baseline"),
    *("labels", "annotations", "isolate", "only", "ingress", "egress", "allow", "deny", "pass", "from", "to"),
    *("any", "pods", "ns", "nodes", "svc", "except", "not", "log", "as", "until"),
    *("tcp", "udp", "sctp", "icmp", "icmpv6", "echo-request"),
)
_HARD_NAMES: Final = (
    "a",
    "1",
    "80",
    "1-2",
    "80-a",
    "0x1f",
    "1e3",
    "true",
    "null",
    "2027-01-31",
    "x--y",
    "3d",
)
NAMES: Final = st.one_of(
    st.sampled_from((*KEYWORDS, *_HARD_NAMES)),
    st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True),
)
"""RFC 1123 labels."""
SUBDOMAINS: Final = st.one_of(
    NAMES,
    st.sampled_from(("a.b", "in.for", "10.0.0.1", "x.y-z.0", "1.2", "tcp.80")),
    st.lists(NAMES, min_size=2, max_size=3).map(".".join),
)
_WORDS: Final = st.one_of(
    st.sampled_from(
        (*KEYWORDS, *_HARD_NAMES, "A", "x_y", "a.b", "In", "10.0.0.1", "a..b", "0_0", "1.", "No")
    ),
    st.from_regex(r"[A-Za-z0-9]([-_.A-Za-z0-9]{0,8}[A-Za-z0-9])?", fullmatch=True),
).filter(lambda word: word[-1].isalnum())
KEYS: Final = st.one_of(
    st.sampled_from(("app", "app.kubernetes.io/name", "kubernetes.io/metadata.name")),
    _WORDS,
    st.tuples(SUBDOMAINS, _WORDS).map("/".join),
)
VALUES: Final = st.one_of(st.just(""), _WORDS)
PORT_NAMES: Final = st.one_of(
    st.sampled_from(("http", "web-1", "a", "0a", "80-a", "1-1-a", "a-1", *KEYWORDS)),
    st.from_regex(r"[a-z0-9]{1,5}(-[a-z0-9]{1,4})?", fullmatch=True).filter(
        lambda name: any(one.isalpha() for one in name)
    ),
).filter(lambda name: len(name) <= 15)
TEXTS: Final = st.one_of(
    st.sampled_from(
        ("", " ", "a: b", '{"a":1}', "# no comment", 'say "x"\\', "two\nlines\n", "\n", "\ttab", "é☃😀")
    ),
    st.text(max_size=12),
    st.text(alphabet='"\\#{}\n\r\t\x00\x85\u2028\ufeff ax', max_size=8),
)
"""Any text at all."""


def optional(key: str, value: SearchStrategy[Any], *nothings: object) -> SearchStrategy[Object]:
    """`{}`, the key with a value, or with one of those that mean the same as no value."""
    return st.one_of(
        st.just({}), *(st.just({key: nothing}) for nothing in nothings), value.map(lambda drawn: {key: drawn})
    )


def required(key: str, value: SearchStrategy[Any]) -> SearchStrategy[Object]:
    """The key with a value."""
    return value.map(lambda drawn: {key: drawn})


def merged(*parts: SearchStrategy[Object]) -> SearchStrategy[Object]:
    """The fields of all the parts."""
    return st.tuples(*parts).map(lambda drawn: {key: value for one in drawn for key, value in one.items()})


def _many(value: SearchStrategy[Any]) -> SearchStrategy[list[Any]]:
    """A list with one item or more; now and then one stands there twice."""
    return st.lists(value, min_size=1, max_size=3).flatmap(
        lambda drawn: st.sampled_from((drawn, drawn, [*drawn, drawn[0]]))
    )


def _metadata(*parts: SearchStrategy[Object]) -> SearchStrategy[Object]:
    return required(
        "metadata",
        merged(
            required("name", SUBDOMAINS),
            optional("labels", st.dictionaries(KEYS, VALUES, max_size=3), None),
            optional("annotations", st.dictionaries(KEYS, TEXTS, max_size=3), None),
            *parts,
        ),
    )


_REQUIREMENTS: Final = st.one_of(
    merged(
        required("key", KEYS),
        required("operator", st.sampled_from(("In", "NotIn"))),
        required("values", _many(VALUES)),
    ),
    merged(
        required("key", KEYS),
        required("operator", st.sampled_from(("Exists", "DoesNotExist"))),
        optional("values", st.just([]), None),
    ),
)
SELECTORS: Final = st.one_of(
    st.just({"matchLabels": {"kubernetes.io/metadata.name": "in"}}),
    merged(
        optional("matchLabels", st.dictionaries(KEYS, VALUES, min_size=1, max_size=3), None, {}),
        optional("matchExpressions", _many(_REQUIREMENTS), None, []),
    ),
)

_ADDRESSES: Final = (
    "10.1.2.3",
    "0.0.0.0",
    "255.255.255.255",
    "fd00::1:2",
    "::",
    "1:2:3:4:5:6:7:8",
    "2001:db8::",
)
_LENGTHS: Final = {4: (0, 8, 24, 31, 32), 6: (0, 32, 64, 127, 128)}
_ODD_CIDRS: Final = (
    "010.001.0.0/16",
    "FD00:0::/32",
    "64:ff9b::192.0.2.1/96",
    "10.0.0.0/08",
    "0::0/0",
    "::1/128",
)


def cidrs() -> SearchStrategy[str]:
    """CIDR blocks of either family, host bits set or not, some spelled as nobody should."""
    usual = st.sampled_from(_ADDRESSES).flatmap(
        lambda text: st.sampled_from(_LENGTHS[ip_address(text).version]).map(
            lambda length: f"{text}/{length}"
        )
    )
    return st.one_of(usual, st.sampled_from(_ODD_CIDRS))


def masked_cidrs() -> SearchStrategy[str]:
    """CIDR blocks without host bits, which is what a ClusterNetworkPolicy takes."""
    return (
        cidrs()
        .filter(lambda text: text != _ODD_CIDRS[0])
        .map(lambda text: str(ip_network(text, strict=False)))
    )


@st.composite
def _blocks(draw: DrawFn) -> Object:
    """An ipBlock; excepts lie strictly inside."""
    address = ip_address(draw(st.sampled_from(_ADDRESSES)))
    length = draw(st.sampled_from(_LENGTHS[address.version]))
    block = ip_network(f"{address}/{length}", strict=False)
    longer = [one for one in _LENGTHS[address.version] if one > length]
    if not longer:
        return {"cidr": f"{address}/{length}"}
    inner = st.sampled_from((address, block[0], block[-1]))
    excepts = _many(st.tuples(inner, st.sampled_from(longer)).map(lambda drawn: f"{drawn[0]}/{drawn[1]}"))
    return {"cidr": f"{address}/{length}"} | draw(optional("except", excepts, None, []))


_POD_SELECTOR: Final = required("podSelector", SELECTORS)
_NAMESPACE_SELECTOR: Final = required("namespaceSelector", SELECTORS)
_PEERS: Final = st.one_of(
    _POD_SELECTOR,
    _NAMESPACE_SELECTOR,
    merged(_POD_SELECTOR, _NAMESPACE_SELECTOR),
    required("ipBlock", st.one_of(cidrs().map(lambda text: {"cidr": text}), _blocks())),
)
_NUMBERS: Final = st.one_of(st.sampled_from((1, 80, 65535)), st.integers(1, 65535))
_PORTS: Final = merged(
    optional("protocol", st.sampled_from(("TCP", "UDP", "SCTP")), None),
    st.one_of(
        optional("port", st.one_of(_NUMBERS, PORT_NAMES), None),
        st.lists(_NUMBERS, min_size=2, max_size=2).map(
            lambda ends: {"port": min(ends), "endPort": max(ends)},
        ),
        _NUMBERS.map(lambda number: {"port": number, "endPort": number}),
    ),
)


def _rules(peers: str) -> SearchStrategy[list[Object]]:
    return st.lists(
        merged(optional(peers, _many(_PEERS), None, []), optional("ports", _many(_PORTS), None, [])),
        min_size=1,
        max_size=3,
    )


_TYPES: Final = st.lists(st.sampled_from(("Ingress", "Egress")), min_size=1, max_size=2)

network_policies: Final[SearchStrategy[Object]] = merged(
    st.just({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}),
    _metadata(optional("namespace", NAMES, None, "")),
    required(
        "spec",
        merged(
            optional("podSelector", SELECTORS, None),
            optional("policyTypes", _TYPES, None, []),
            optional("ingress", _rules("from"), None, []),
            optional("egress", _rules("to"), None, []),
        ),
    ),
)

_CLUSTER_PODS: Final = required("pods", merged(_NAMESPACE_SELECTOR, _POD_SELECTOR))
_CLUSTER_PEERS: Final = st.one_of(required("namespaces", SELECTORS), _CLUSTER_PODS)
_NETWORKS: Final = required("networks", st.lists(masked_cidrs(), min_size=1, max_size=3, unique=True))
_DESTINATIONS: Final = st.one_of(
    required("number", _NUMBERS),
    st.lists(st.integers(1, 65535), min_size=2, max_size=2, unique=True).map(
        lambda ends: {"range": {"start": min(ends), "end": max(ends)}}
    ),
)
_PROTOCOLS: Final = st.sampled_from(("tcp", "udp", "sctp")).flatmap(
    lambda protocol: required(protocol, required("destinationPort", _DESTINATIONS))
)
_BY_NAME: Final = required("destinationNamedPort", PORT_NAMES)


def _cluster_rule(peers: str, *choices: SearchStrategy[Object], by_name: bool) -> SearchStrategy[Object]:
    protocols = st.one_of(_PROTOCOLS, _BY_NAME) if by_name else _PROTOCOLS
    return merged(
        optional("name", TEXTS.filter(lambda text: text.isprintable() and 0 < len(text) <= 100)),
        required("action", st.sampled_from(("Accept", "Deny", "Pass"))),
        required(peers, _many(st.one_of(choices))),
        optional("protocols", _many(protocols)),
    )


_EGRESS_RULES: Final = st.one_of(
    _cluster_rule("to", _CLUSTER_PEERS, by_name=True),
    _cluster_rule("to", _CLUSTER_PEERS, required("nodes", SELECTORS), _NETWORKS, by_name=False),
)

cluster_policies: Final[SearchStrategy[Object]] = merged(
    st.just({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy"}),
    _metadata(),
    required(
        "spec",
        merged(
            required("tier", st.sampled_from(("Admin", "Baseline"))),
            required("priority", st.integers(0, 1000)),
            required("subject", _CLUSTER_PEERS),
            optional("ingress", st.lists(_cluster_rule("from", _CLUSTER_PEERS, by_name=True), max_size=2)),
            optional("egress", st.lists(_EGRESS_RULES, max_size=2)),
        ),
    ),
)


# --- what the API server makes of them ----------------------------------------------------------------------

_MAY_BE_EMPTY: Final = frozenset(
    ("podSelector", "namespaceSelector", "namespaces", "nodes", "spec", "tcp", "udp", "sctp")
)
"""Fields that are pointers to structures in Go: empty is not absent. An empty item of a list stays, too."""


def defaulted(policy: Mapping[str, Any]) -> Object:
    """A policy as the API server would give it back: defaults filled in, what is null or empty left out.

    Of the metadata only what a policy's author writes: name, namespace, labels, annotations.
    """
    pruned: Object = _pruned(policy)
    pruned.pop("status", None)
    metadata = pruned.get("metadata", {})
    for field in ("labels", "annotations"):
        found = policy["metadata"].get(field) or {}
        if found:  # an empty value of a map is a value
            metadata[field] = {key: value or "" for key, value in found.items()}
    known = ("name", "namespace", "labels", "annotations")
    pruned["metadata"] = {field: metadata[field] for field in known if metadata.get(field)}
    spec = pruned.setdefault("spec", {})
    if policy["kind"] == "NetworkPolicy":
        spec.setdefault("podSelector", {})
        spec.setdefault("policyTypes", ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
        for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
            for port in rule.get("ports", ()):
                port.setdefault("protocol", "TCP")
    return pruned


def _pruned(value: Any, field: str = "") -> Any:
    match value:
        case Mapping() if field == "matchLabels":
            return {key: one or "" for key, one in value.items()}
        case Mapping():
            parts = {key: _pruned(one, key) for key, one in value.items() if one is not None}
            return {key: one for key, one in parts.items() if one or one == 0 or key in _MAY_BE_EMPTY}
        case Sequence() if not isinstance(value, str):
            return [_pruned(one) for one in value]
        case _:
            return value
