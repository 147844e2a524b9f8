"""Texts for the front end to read: noise, near misses of YAML, and valid documents with something broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import yaml
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

# --- valid documents ----------------------------------------------------------------------------------------

POLICY: Final[dict[str, Any]] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "labels": {"app": "web"},
        "annotations": {"note": "x: y"},
    },
    "spec": {
        "podSelector": {
            "matchLabels": {"app.kubernetes.io/name": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["front", ""]},
                {"key": "old", "operator": "DoesNotExist"},
            ],
        },
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {
                "from": [
                    {"namespaceSelector": {}, "podSelector": {"matchLabels": {"role": "client"}}},
                    {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
                ],
                "ports": [{"port": 8080, "endPort": 8090}, {"port": "http", "protocol": "TCP"}],
            }
        ],
        "egress": [{"to": [{"ipBlock": {"cidr": "fd00::/8"}}], "ports": [{"protocol": "UDP", "port": 53}]}],
    },
}
CLUSTER_POLICY: Final[dict[str, Any]] = {
    "apiVersion": "policy.networking.k8s.io/v1alpha2",
    "kind": "ClusterNetworkPolicy",
    "metadata": {"name": "guard-rails"},
    "spec": {
        "tier": "Admin",
        "priority": 10,
        "subject": {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}},
        "ingress": [
            {
                "name": "scans",
                "action": "Pass",
                "from": [
                    {"namespaces": {"matchLabels": {"team": "security"}}},
                    {"pods": {"podSelector": {}}},
                ],
                "protocols": [
                    {"tcp": {"destinationPort": {"number": 80}}},
                    {"udp": {"destinationPort": {"range": {"start": 1, "end": 9}}}},
                    {"destinationNamedPort": "http"},
                ],
            }
        ],
        "egress": [{"action": "Deny", "to": [{"nodes": {}}, {"networks": ["10.0.0.0/8", "fd00::/8"]}]}],
    },
}
ADMIN_POLICY: Final[dict[str, Any]] = {
    "apiVersion": "policy.networking.k8s.io/v1alpha1",
    "kind": "BaselineAdminNetworkPolicy",
    "metadata": {"name": "default"},
    "spec": {
        "subject": {"namespaces": {}},
        "ingress": [
            {
                "action": "Deny",
                "from": [{"namespaces": {}}],
                "ports": [
                    {"portNumber": {"protocol": "TCP", "port": 80}},
                    {"portRange": {"start": 1, "end": 9}},
                    {"namedPort": "http"},
                ],
            }
        ],
    },
}
POD: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web-0",
        "namespace": "shop",
        "labels": {"app.kubernetes.io/name": "web", "tier": ""},
    },
    "spec": {
        "nodeName": "node-1",
        "containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}]}],
        "initContainers": [{"restartPolicy": "Always", "ports": [{"containerPort": 9090}]}],
    },
    "status": {
        "phase": "Running",
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
    },
}
CLUSTER: Final[list[dict[str, Any]]] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "a"}}},
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-1"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]},
    },
    POD,
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
    },
]
COMPACT: Final[dict[str, Any]] = {
    "endpoints": [
        {
            "name": "db",
            "namespace": "shop",
            "labels": {"app": "db"},
            "addresses": ["10.0.0.9", "fd00::9"],
            "ports": {"sql": 5432, "dns": "53/udp"},
            "node": "node-1",
        }
    ],
    "namespaces": [{"name": "shop", "labels": {"team": "a"}}],
    "nodes": [{"name": "node-1", "addresses": ["192.0.2.1"], "labels": {}}],
}
POLICY_LIST: Final[dict[str, Any]] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicyList",
    "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}],
}
VALUES: Final[tuple[dict[str, Any], ...]] = (
    POLICY,
    CLUSTER_POLICY,
    ADMIN_POLICY,
    POD,
    COMPACT,
    POLICY_LIST,
    {"apiVersion": "v1", "kind": "List", "items": [POLICY, *CLUSTER]},
    {"apiVersion": "v1", "kind": "List", "items": CLUSTER},
)
_ALL_OF_YAML: Final = r"""# anchors, merge keys, block text, and each kind of quotes
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: 'web'
  annotations: {note: "a\tb", <<: {by: x}}
  labels: &labels
    app: web
spec:
  podSelector: {matchLabels: *labels}
  ingress:
  - from: &peers
    - podSelector:
        matchLabels:
          <<: [*labels, {tier: front}]
    ports:
    - {port: 80}
  - from: *peers
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: text
  annotations:
    "quoted": |
      several
      lines
    ? explicit
    : >-
      folded
      text
...
"""


def as_yaml(*values: object) -> str:
    """Values as a YAML stream in block style."""
    return str(yaml.safe_dump_all(values, allow_unicode=True, sort_keys=False))


VALID_YAML: Final[Sequence[str]] = (
    *(as_yaml(value) for value in VALUES),
    as_yaml(POLICY, *CLUSTER),
    str(yaml.safe_dump(POLICY, default_flow_style=True)),
    _ALL_OF_YAML,
)
VALID_JSON: Final[Sequence[str]] = [
    json.dumps(value, indent=indent) for value in VALUES for indent in (None, 2)
]

# --- noise --------------------------------------------------------------------------------------------------

_TOKENS: Final = (
    *"{}[],:-?#&*!|>'\"%@`~\t\r\n\0\x1b\x85\u2028\u2029\ufeff\\/=_.0189axé網\U0001f600",
    *(": ", "- ", "? ", "---\n", "...\n", "\n", "\n  ", "\n    ", "\r\n", "<<: ", "&a ", "*a"),
    *("!!str ", "!x ", "!!binary ", "!!set ", "%YAML 1.1\n", "%TAG ! x\n", "|\n  x\n", ">-\n  x\n"),
    *('"\\', "\\u0041", "\\ud800", "null", "true", "1e3", "0x1f", ".nan", "12:30", "10.0.0.0/8"),
    *("apiVersion: networking.k8s.io/v1\n", "kind: NetworkPolicy\n", "kind: Pod\n", "kind: List\n"),
    *("items:\n", "metadata: ", "name: a\n", "{name: a}\n", "spec: ", "podSelector: {}\n", "ingress:\n"),
    *("ports:\n", "port: 80\n", "endpoints: ", "addresses: [10.0.0.1]\n", "{{ .Values.x }}"),
    *('{"kind": ', '"List"', ', "items": [', '"NetworkPolicy"', "]}", '"a": ', '"a"', "//"),
)
_SOUP: Final = st.lists(st.sampled_from(_TOKENS), max_size=40).map("".join)
NOISE: Final[SearchStrategy[bytes]] = st.one_of(
    st.binary(max_size=300),
    st.one_of(st.text(max_size=200), _SOUP).map(lambda text: text.encode("utf-8", "surrogatepass")),
    _SOUP.map(lambda text: text.encode("utf-16")),
)

# --- valid texts with something broken ----------------------------------------------------------------------

_SCALARS: Final = (
    *("", "null", "true", "no", "5", "-1", "1.5", "1e400", ".inf", "0o17", "1_0", "99999999999999999999"),
    *("x y", '"x"', "'x'", "[]", "{}", "[x]", "{x: y}", "*a", "&a x", "!t x", "|", "- x", "x: y"),
    *('"\\ud83d"', "\x07", "10.0.0.0"),
)
_Change = Callable[[DrawFn, str], str]


def _of_a_line(change: Callable[[DrawFn, list[str], int], None]) -> _Change:
    """A change of one of the lines, as one of the text."""

    def changed(draw: DrawFn, text: str) -> str:
        lines = text.splitlines(keepends=True) or [""]
        change(draw, lines, draw(st.integers(0, len(lines) - 1)))
        return "".join(lines)

    return changed


@_of_a_line
def _drop_line(_draw: DrawFn, lines: list[str], at: int) -> None:
    del lines[at]


@_of_a_line
def _repeat_line(_draw: DrawFn, lines: list[str], at: int) -> None:
    lines.insert(at, lines[at])


@_of_a_line
def _swap_lines(draw: DrawFn, lines: list[str], at: int) -> None:
    other = draw(st.integers(0, len(lines) - 1))
    lines[at], lines[other] = lines[other], lines[at]


@_of_a_line
def _indent(draw: DrawFn, lines: list[str], at: int) -> None:
    lines[at] = draw(st.sampled_from((" ", "  ", "    ", "\t", "- ", "# "))) + lines[at]


@_of_a_line
def _outdent(draw: DrawFn, lines: list[str], at: int) -> None:
    lines[at] = lines[at][draw(st.integers(1, 6)) :]


@_of_a_line
def _other_scalar(draw: DrawFn, lines: list[str], at: int) -> None:
    key, colon, _ = lines[at].partition(":")
    lines[at] = f"{key}{colon} {draw(st.sampled_from(_SCALARS))}\n"


def _truncate(draw: DrawFn, text: str) -> str:
    return text[: draw(st.integers(0, len(text)))]


def _insert(draw: DrawFn, text: str) -> str:
    at = draw(st.integers(0, len(text)))
    return f"{text[:at]}{draw(st.sampled_from(_TOKENS))}{text[at:]}"


def _cut_out(draw: DrawFn, text: str) -> str:
    at = draw(st.integers(0, len(text)))
    return text[:at] + text[at + draw(st.integers(1, 8)) :]


_CHANGES: Final[Sequence[_Change]] = (
    *(_drop_line, _repeat_line, _swap_lines, _indent, _outdent),
    *(_other_scalar, _truncate, _insert, _cut_out),
)


@st.composite
def broken_texts(draw: DrawFn, valid: Sequence[str]) -> bytes:
    """One of the texts after one to four changes, and now and then with a bit flipped."""
    text: str = draw(st.sampled_from(valid))
    for change in draw(st.lists(st.sampled_from(_CHANGES), min_size=1, max_size=4)):
        text = change(draw, text)
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data and draw(st.integers(0, 5)) == 0:
        data[draw(st.integers(0, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


# --- valid values with something broken ---------------------------------------------------------------------

_WORDS: Final = ("", "a", "In", "TCP", "10.0.0.0/8", "NetworkPolicy", "List", "v1", "x y")
_KEYS: Final = st.one_of(st.sampled_from(("name", "kind", "port", "cidr", "x")), st.text(max_size=3))
JSON_VALUES: Final = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**25), 10**25),
        st.floats(),
        st.sampled_from(_WORDS),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=5,
)


@st.composite
def broken_values(draw: DrawFn) -> Any:
    """A valid document with one to three of its values replaced, left out, or added once more."""
    value = json.loads(json.dumps(draw(st.sampled_from(VALUES))))
    for _ in range(draw(st.integers(1, 3))):
        _break(draw, value)
    return value


def _break(draw: DrawFn, value: Any) -> None:
    """Break something somewhere inside a container."""
    while True:
        steps = sorted(value) if isinstance(value, dict) else range(len(value))
        if not steps:
            return
        step = draw(st.sampled_from(steps))
        inner = value[step]
        if not isinstance(inner, dict | list) or draw(st.integers(0, 5)) == 0:
            break
        value = inner
    match draw(st.sampled_from(("replace", "drop", "add"))):
        case "replace":
            value[step] = draw(JSON_VALUES)
        case "drop":
            del value[step]
        case _ if isinstance(value, dict):
            value[draw(_KEYS)] = inner
        case _:
            value.insert(0, inner)
