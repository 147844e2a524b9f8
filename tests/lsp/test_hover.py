"""What is said of a word: the endpoints that it means, and what a name stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from npc.lsp.hover import MOST, hover
from npc.lsp.project import Document, Project
from tests.lsp.project import at_cursor, opened

WEB_0 = "- shop/web-0 (10.0.0.1, fd00::1)"
WEB_1 = "- shop/web-1 (10.0.0.2)"
OF_A_SET = "Of all namespaces: each policy that uses the set means those of its own."
DB = "- shop/db-0 (10.0.1.1)"
PROBE = "- lab/probe (10.9.0.1)"
SETS = """\
set mine = pods(app=web), ns(env=stage), 10.0.0.0/16 except 10.0.1.0/24, nodes, svc/web in ns/shop, @more
set more = svc/gone in ns/shop, @mine, 203.0.113.0/24
"""
EXPANDED = """\
**set mine**

- `pods(app=web)`: 2 endpoints
- `ns(env=stage)`: 1 endpoint
- `10.0.0.0/16 except 10.0.1.0/24`: 2 endpoints inside
- `nodes`: 2 nodes
- `svc/web in ns/shop`: 2 endpoints
- `svc/gone in ns/shop`
- `203.0.113.0/24`"""
IN_SHOP = "policy x in shop for pods { allow "

SAID = [
    (
        "a subject",
        "policy x in shop for po|ds(app=web) { isolate ingress }",
        "pods(app=web)",
        f"**2 endpoints**\n\n{WEB_0}\n{WEB_1}",
    ),
    (
        "a subject of no one",
        "policy x in shop for pods(ap|p=probe) { }",
        "pods(app=probe)",
        "**0 endpoints**",
    ),
    ("a subject without a namespace", "policy x for pods|(app) { }", "pods(app)", "**0 endpoints**"),
    (
        "the end of a selector",
        "policy x in shop for pods(tier not in (a), !gone)| { }",
        "pods(tier not in (a), !gone)",
        f"**2 endpoints**\n\n{DB}\n{WEB_1}",
    ),
    (
        "pods of other namespaces",
        f"{IN_SHOP} from pods(app) in ns(en|v in (prod, stage)) }}",
        "pods(app) in ns(env in (prod, stage))",
        f"**4 endpoints** in 2 namespaces\n\n{PROBE}\n{DB}\n{WEB_0}\n{WEB_1}",
    ),
    ("a namespace by name", f"{IN_SHOP} from ns/l|ab }}", "ns/lab", f"**1 endpoint**\n\n{PROBE}"),
    ("namespaces", f"{IN_SHOP} from |ns(env=stage) }}", "ns(env=stage)", f"**1 endpoint**\n\n{PROBE}"),
    ("any", f"{IN_SHOP} from an|y }}", "any", "Every address, inside the cluster and outside."),
    (
        "nodes",
        f"{IN_SHOP} to |nodes(role) }}",
        "nodes(role)",
        "**2 nodes**\n\n- node-a (192.0.2.1)\n- node-b (192.0.2.2, 2001:db8::2)",
    ),
    (
        "a block",
        f"{IN_SHOP} from 10.0.0.|0/8 except 10.0.0.0/16 }}",
        "10.0.0.0/8 except 10.0.0.0/16",
        f"**1 endpoint** inside\n\n{PROBE}",
    ),
    ("no block", f"{IN_SHOP} from 10.0.0|.0/99 }}", "10.0.0.0/99", "This is no block of addresses."),
    (
        "a Service",
        f"{IN_SHOP} to svc/w|eb }}",
        "svc/web",
        f"Service shop/web, at `tcp/http`.\n\n**2 endpoints**\n\n{WEB_0}\n{WEB_1}",
    ),
    (
        "a Service without a selector",
        f"{IN_SHOP} to svc/out|side in ns/lab }}",
        "svc/outside in ns/lab",
        "Service lab/outside, at `udp/53`.\n\n**0 endpoints**",
    ),
    ("no Service", f"{IN_SHOP} to svc/we|b2 }}", "svc/web2", "The inventory has no Service `web2`."),
    (
        "a policy",
        "policy |edge in shop for pods(app=db) { isolate egress allow tcp from any allow from ns }",
        "edge",
        "NetworkPolicy shop/edge, isolates ingress and egress: 2 ingress rules.\n\n"
        f"**1 endpoint** selected\n\n{DB}",
    ),
    (
        "a policy that isolates only",
        "policy |edge in lab for pods { isolate only egress allow from any }",
        "edge",
        "NetworkPolicy lab/edge, isolates egress: 1 ingress rule.\n\n**1 endpoint** selected\n\n" + PROBE,
    ),
    (
        "a cluster policy",
        "cluster policy guard| tier admin for ns/lab { deny to any }",
        "guard",
        f"Cluster policy of the admin tier: 1 egress rule.\n\n**1 endpoint** selected\n\n{PROBE}",
    ),
    ("a set", SETS.replace("mine", "mi|ne", 1), "mine", EXPANDED),
    ("a set that is used", f"{SETS} {IN_SHOP} from @m|ine }}", "@mine", EXPANDED),
    (
        "a set that is included",
        f'include "common.npc" {IN_SHOP} from @off|ices }}',
        "@offices",
        "**set offices**\n\n- `192.0.2.0/24`\n- `198.51.100.0/24 except (198.51.100.128/25)`",
    ),
    ("no set", f"{IN_SHOP} from @of|fices }}", "@offices", "There is no set `offices`."),
    (
        "a service",
        "service |web = tcp/80, tcp/http",
        "web",
        "**service web**\n\n- `tcp/80`\n- `tcp/http`",
    ),
    (
        "a service that is included",
        f'include "common.npc" {IN_SHOP} |@dns to any }}',
        "@dns",
        "**service dns**\n\n- `udp/53`\n- `tcp/53`",
    ),
    ("no service", f"{IN_SHOP} |@dns to any }}", "@dns", "There is no service `dns`."),
    (
        "a named port",
        f"{IN_SHOP} tcp/ht|tp from any }}",
        "tcp/http",
        "- tcp/80 at 1 endpoint\n- tcp/8080 at 1 endpoint",
    ),
    ("a port of any protocol", f"{IN_SHOP} any/d|ns from any }}", "any/dns", "- udp/53 at 1 endpoint"),
    (
        "a type of ICMP",
        f"{IN_SHOP} icmpv6/ech|o-request from any }}",
        "icmpv6/echo-request",
        "Type 128 of icmpv6.",
    ),
    ("no type of ICMP", f"{IN_SHOP} icmp/p|ing from any }}", "icmp/ping", "There is no type `ping` of icmp."),
    (
        "a port that no one names",
        f"{IN_SHOP} tcp/d|ns from any }}",
        "tcp/dns",
        "No endpoint of the inventory has a tcp port named `dns`.",
    ),
    (
        "pods of a set",
        "set x = pods|(app=web)",
        "pods(app=web)",
        f"**2 endpoints**\n\n{WEB_0}\n{WEB_1}\n\n{OF_A_SET}",
    ),
]


def shown(document: Document, offset: int, project: Project) -> tuple[str, str] | None:
    """What is hovered, and what is said of it."""
    found = hover(document, offset, project)
    return (document.text[found.start : found.end], found.markdown) if found is not None else None


@pytest.mark.parametrize(
    ("marked", "about", "markdown"), [row[1:] for row in SAID], ids=[row[0] for row in SAID]
)
def test_hover(marked: str, about: str, markdown: str, folder: Path) -> None:
    text, offset = at_cursor(marked)
    document, project = opened(folder, text)
    assert shown(document, offset, project) == (about, markdown)


NAMED = [
    ("a pod", "deny from sho|p/db-0 to any", "shop/db-0", f"**1 endpoint**\n\n{DB}"),
    ("a workload", "deny from any to po|d/probe", "pod/probe", f"**1 endpoint**\n\n{PROBE}"),
    (
        "nobody",
        "deny from shop/db-|9 to any",
        "shop/db-9",
        'no pod and no workload in shop is called "db-9".',
    ),
]


@pytest.mark.parametrize(
    ("marked", "about", "markdown"), [row[1:] for row in NAMED], ids=[row[0] for row in NAMED]
)
def test_hover_of_names_in_assertions(marked: str, about: str, markdown: str, folder: Path) -> None:
    text, offset = at_cursor(marked)
    document, project = opened(folder, text, name="x.assert.npc")
    assert shown(document, offset, project) == (about, markdown)


SILENT = [
    "| policy x for pods { }",
    "pol|icy x for pods { }",
    f"{IN_SHOP} tcp/8|0 from any }}",
    "# |",
    'include "co|mmon.npc"',
]


@pytest.mark.parametrize("marked", SILENT)
def test_nothing_to_say(marked: str, folder: Path) -> None:
    text, offset = at_cursor(marked)
    document, project = opened(folder, text)
    assert shown(document, offset, project) is None


WITHOUT = [
    (
        "policy x for pods|(app=web) { }",
        "pods(app=web)",
        "No inventory: name one in the editor's settings to see the endpoints.",
    ),
    ("set x| = pods, 10.0.0.0/8", "x", "**set x**\n\n- `pods`\n- `10.0.0.0/8`"),
]


@pytest.mark.parametrize(("marked", "about", "markdown"), WITHOUT)
def test_without_an_inventory(marked: str, about: str, markdown: str, folder: Path) -> None:
    text, offset = at_cursor(marked)
    document, project = opened(folder, text, inventory=False)
    assert shown(document, offset, project) == (about, markdown)


def test_many_endpoints_are_counted(folder: Path) -> None:
    entries = "".join(f"- {{name: e{n}, namespace: many, addresses: [10.1.0.{n}]}}\n" for n in range(1, 14))
    (folder / "inventory.yaml").write_text(f"endpoints:\n{entries}")
    document, project = opened(folder, "policy x in many for pods { }")
    found = hover(document, document.text.index("pods"), project)
    assert found is not None
    first, _, *listed, last = found.markdown.split("\n")
    assert (first, len(listed), last) == ("**13 endpoints**", MOST, "- and 3 more")


def test_the_inventory_is_read_again_when_it_changes(folder: Path) -> None:
    document, project = opened(folder, "policy x in lab for pods { }")
    offset = document.text.index("pods")
    assert shown(document, offset, project) == ("pods", f"**1 endpoint**\n\n{PROBE}")
    (folder / "inventory.yaml").write_text(
        "endpoints: [{name: new, namespace: lab, addresses: [10.1.1.1]}]\n"
    )
    assert shown(document, offset, project) == ("pods", "**1 endpoint**\n\n- lab/new (10.1.1.1)")


def test_a_long_chain_of_sets(folder: Path) -> None:
    chain = "".join(f"set s{n} = @s{n + 1}\n" for n in range(1_500))
    document, project = opened(folder, f"{chain}set s1500 = 10.0.0.0/8\n", inventory=False)
    assert shown(document, 4, project) == ("s0", "**set s0**\n\n- `10.0.0.0/8`")
