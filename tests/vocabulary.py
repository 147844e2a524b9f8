"""What random manifests are made of: a tiny vocabulary, and strategies for parts that several kinds have.

The vocabulary is small so that selectors, addresses and ports overlap often. Strategies are constants where
they can be: hypothesis spends longer on making one than on drawing from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.reference.boundaries import FAR_FROM_ALL
from tests.reference.evaluator import NAMESPACE_NAME_LABEL, PROTOCOL_NUMBERS
from tests.reference.manifests import Address, Document

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


def optional(key: str, *values: SearchStrategy[Any]) -> Documents:
    """`{}`, or `{key: value}` with a value from one of the strategies."""
    return st.one_of(st.just({}), *(required(key, value) for value in values))


def mostly(key: str, usual: SearchStrategy[Any], *rare: SearchStrategy[Any]) -> Documents:
    """Three times in four `{key: value}` with a usual value; else as if `optional` with the rare ones."""
    weighted = (optional(key, *rare), *(required(key, usual),) * 3)
    return st.sampled_from(weighted).flatmap(lambda strategy: strategy)


def required(key: str, value: SearchStrategy[Any]) -> Documents:
    return value.map(lambda drawn: {key: drawn})


def merged(*parts: Documents) -> Documents:
    """One new dict of several; where two have a key, the later one wins."""
    return st.tuples(*parts).map(lambda drawn: {key: value for part in drawn for key, value in part.items()})


def written(key: str, values: Iterable[object]) -> list[Document]:
    """`{}`, and `{key: value}` for each of the values."""
    return [{}, *({key: value} for value in values)]


def products(*fields: Sequence[Document]) -> list[Document]:
    """Every dict that takes one of the choices for each field, the simplest first."""
    return [
        {key: value for part in parts for key, value in part.items()} for parts in itertools.product(*fields)
    ]


def label_sets(vocabulary: Mapping[str, Sequence[str]]) -> list[Document]:
    return products(*(written(key, values) for key, values in vocabulary.items()))


def label_selectors(vocabulary: Mapping[str, Sequence[str]]) -> Documents:
    """Label selectors over these keys and values, the empty one included."""
    requirements: list[Document] = []
    for key, values in vocabulary.items():
        some = [[value] for value in values] + [list(pair) for pair in itertools.combinations(values, 2)]
        requirements += [
            {"key": key, "operator": "Exists"},
            {"key": key, "operator": "DoesNotExist", "values": []},
            *({"key": key, "operator": operator, "values": v} for operator in ("In", "NotIn") for v in some),
        ]
    labels = required("matchLabels", st.sampled_from(label_sets(vocabulary)[1:]))
    expressions = required(
        "matchExpressions", st.lists(st.sampled_from(requirements), min_size=1, max_size=2)
    )
    nothings: list[Document] = [{}, {"matchLabels": None, "matchExpressions": None}, {"matchLabels": {}}]
    return merged(
        st.sampled_from(nothings), st.one_of(st.just({}), labels, expressions, merged(labels, expressions))
    )


def cidr_around(address: Address, length: int, masked: bool) -> str:
    """The CIDR with its host bits masked, or with those of the address."""
    return str(ip_network(f"{address}/{length}", strict=False)) if masked else f"{address}/{length}"


LABELS: Final = st.sampled_from(written("labels", label_sets(LABEL_VALUES)))
SELECTORS: Final = label_selectors(LABEL_VALUES)
NAMESPACE_SELECTORS: Final = st.one_of(SELECTORS, label_selectors({NAMESPACE_NAME_LABEL: NAMESPACES}))
