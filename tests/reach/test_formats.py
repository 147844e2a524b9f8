"""The formats of a report against each other; JSON is what the others are held against."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given

from npc.compiler.algebra import traffic
from npc.compiler.frontend.source import Source
from npc.reach.graphs import as_dot, as_mermaid
from npc.reach.listing import as_csv, as_json, as_markdown, markdown
from npc.reach.page import as_html
from npc.reach.report import Report
from npc.reach.reporting import reach_sources
from npc.reach.text import text
from npc.testing.notation import read_traffic
from tests.compiler.compiling import source
from tests.reference.manifests import Document
from tests.strategies import clusters

Connection = tuple[str, str, str]
"""From, to, and traffic with the family where it counts; addresses as they are written."""


def reported(documents: Iterable[Document]) -> Report:
    return reach_sources([source(documents)])[0]


def by_json(report: Report) -> set[Connection]:
    """Every connection of the JSON, pair by pair; none of a single pod with itself."""
    values: dict[str, Any] = json.loads(as_json(report))
    alone = {
        report.names.parties[number]
        for number in range(len(report.connections.parties))
        if not report.connections.has_others(number)
    }
    found = set()
    for one in values["connections"]:
        assert traffic.in_words(read_traffic(", ".join(one["traffic"]))) == one["text"]
        words = one["text"] + (f" ({one['family']})" if one["family"] else "")
        for origin in names(one["from"]):
            for target in names(one["to"]):
                if origin != target or origin not in alone:
                    found.add((origin, target, words))
    return found


def names(side: dict[str, list[str]]) -> list[str]:
    (listed,) = side.values()
    return listed


@given(clusters())
def test_csv_has_what_json_has(documents: list[Document]) -> None:
    report = reported(documents)
    rows = list(csv.reader(io.StringIO(as_csv(report))))
    assert rows[0] == ["from", "to", "traffic", "family"]
    found = [
        (one, other, ports + (f" ({family})" if family else "")) for one, other, ports, family in rows[1:]
    ]
    assert len(found) == len(set(found))
    assert set(found) == by_json(report)


NODE = re.compile(r'^ +(\w+) \[label="(.*)"\];$')
CLUSTER = re.compile(r'^ +label="(.*)";$')
EDGE = re.compile(r'^ +(\w+) -> (\w+) \[label="(.*)"\];$')


@given(clusters())
def test_dot_and_mermaid_have_the_pairs_that_json_has(documents: list[Document]) -> None:
    report = reported(documents)
    everyone = list(report.names.parties)
    nodes: dict[str, list[str]] = {}
    namespace = ""
    edges = set()
    for line in as_dot(report).splitlines():
        if found := CLUSTER.match(line):
            namespace = found[1]
        elif found := NODE.match(line):
            words = found[2].split("\\n")
            nodes[found[1]] = (
                [f"{namespace}/{word}" for word in words] if found[1].startswith("w") else ["outside"]
            )
        elif found := EDGE.match(line):
            edges.add((found[1], found[2]))
    nodes["everyone"] = everyone
    pairs = {(one, other) for left, right in edges for one in nodes[left] for other in nodes[right]}
    outside = re.compile(r"[0-9a-f:.]+/[0-9]+")
    expected = {
        ("outside" if outside.fullmatch(one) else one, "outside" if outside.fullmatch(other) else other)
        for one, other, _ in by_json(report)
    }
    assert {pair for pair in pairs if pair[0] != pair[1]} == {pair for pair in expected if pair[0] != pair[1]}
    arrows = re.findall(r"^ +(\w+) -->\|.*\| (\w+)$", as_mermaid(report), re.MULTILINE)
    assert set(arrows) == edges


@given(clusters())
def test_text_and_markdown_say_all_traffic_that_json_says(documents: list[Document]) -> None:
    report = reported(documents)
    said, table = text(report), as_markdown(report)
    for one in json.loads(as_json(report))["connections"]:
        ports = ", ".join(one["traffic"])
        assert markdown(ports) in table
        if names(one["from"]) != names(one["to"]):  # a single pod with itself is not told
            assert re.sub(r"\s+", " ", ports) in re.sub(r"\s+", " ", said)
    assert table.count("\n| ") >= len(json.loads(as_json(report))["connections"])


def test_every_format_is_the_same_for_the_same_input() -> None:
    report, again = (
        reach_sources([Source("x.npc", content=POLICY), Source("i.yaml", content=HOSTS)])[0] for _ in "ab"
    )
    for write in (text, as_json, as_csv, as_markdown, as_dot, as_mermaid, as_html):
        assert write(report) == write(again)


POLICY = b"""
policy api in shop for pods(app=api) {
  allow tcp/http from pods(app=web), ns(team=sre)
  allow tcp/443 to 192.0.2.0/24 except 192.0.2.128/25
}
"""

HOSTS = b"""
namespaces: [{name: shop}]
endpoints:
  - {name: web, namespace: shop, addresses: [10.0.0.1], labels: {app: web}}
  - {name: api-1, namespace: shop, addresses: [10.0.0.2], labels: {app: api}, ports: {http: 8080}}
  - {name: api-2, namespace: shop, addresses: [10.0.0.3], labels: {app: api}, ports: {http: 8081}}
"""

EXPECTED = """\
from outside
  any                     from any IPv4 address outside
                            to shop/web

from shop/pods(app=api)#1, shop/pods(app=api)#2
  tcp/443                 to 192.0.2.0/25

from shop/web
  tcp/8080                to shop/pods(app=api)#1
  tcp/8081                to shop/pods(app=api)#2
  any                     to any IPv4 address outside

shop/pods(app=api)#1 is api-1
shop/pods(app=api)#2 is api-2

pods that do not exist yet, by what the other end decides:
  shop/pods(app=api)#1
    tcp/8080                from pods(app=web) in ns/shop, ns(team=sre) (none yet)
  shop/pods(app=api)#2
    tcp/8081                from pods(app=web) in ns/shop, ns(team=sre) (none yet)
  shop/web
    any                     from any pod
    any                     to any pod
"""


def test_text_of_a_workload_in_parts() -> None:
    report = reach_sources([Source("x.npc", content=POLICY), Source("i.yaml", content=HOSTS)])[0]
    assert text(report) == EXPECTED


ESCAPES = [
    # (name, what Markdown makes of it)
    ("a|b", r"a\|b"),
    ("*a* _b_ `c`", r"\*a\* \_b\_ \`c\`"),
    ("<img>", r"\<img\>"),
    ("[a](b)", r"\[a\](b)"),
    ("back\\slash", r"back\\slash"),
]


@pytest.mark.parametrize(("plain", "escaped"), ESCAPES, ids=[one for one, _ in ESCAPES])
def test_markdown_is_escaped(plain: str, escaped: str) -> None:
    assert markdown(plain) == escaped
