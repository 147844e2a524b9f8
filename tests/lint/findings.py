"""What `npc check` finds in texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import npc
from npc.checking import check_sources
from npc.compiler.frontend.codes import ALL, Severity
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.locate import locate
from npc.compiler.lint.levels import Levels, is_configurable

EVERYTHING = Levels({code.name: Severity.WARNING for code in ALL if is_configurable(code)})
"""Every code is on."""

INVENTORY = """
endpoints:
  - {name: web-0, namespace: shop, labels: {app: web}, addresses: [10.1.0.1], ports: {http: 80}}
  - {name: api-0, namespace: shop, labels: {app: api, tier: back}, addresses: [10.1.0.2], ports: {http: 8080}}
  - {name: db-0, namespace: shop, labels: {app: db, tier: data}, addresses: [10.1.0.3], ports: {sql: 5432}}
  - {name: probe-0, namespace: watch, labels: {app: probe}, addresses: [10.1.0.4]}
  - {name: dns-0, namespace: kube-system, labels: {k8s-app: kube-dns}, addresses: [10.1.0.5]}
namespaces:
  - {name: shop, labels: {env: prod}}
  - {name: watch, labels: {env: ops}}
  - {name: kube-system}
"""


def findings_in(
    text: str, *, inventory: str = "", levels: Levels = EVERYTHING, name: str = "a.npc"
) -> tuple[Diagnostic, ...]:
    """What is found in a text, notes about the inventory left out."""
    sources = [npc.Source(name, content=text.encode())]
    if inventory:
        sources.append(npc.Source("inventory.yaml", content=inventory.encode()))
    found = check_sources(sources, levels=levels)
    return tuple(one for one in found if one.origin is not None)


def codes_by_line(found: Iterable[Diagnostic]) -> list[tuple[str, int]]:
    """The codes of findings with the lines that they are about, from 1."""
    listed = list(found)
    spans, _ = locate(one.origin for one in listed if one.origin is not None)
    return sorted((one.code.name, spans[one.origin].line) for one in listed if one.origin is not None)


def counts(found: Iterable[Diagnostic]) -> Mapping[str, int]:
    """How many findings a code has."""
    numbers: dict[str, int] = {}
    for one in found:
        numbers[one.code.name] = numbers.get(one.code.name, 0) + 1
    return numbers
