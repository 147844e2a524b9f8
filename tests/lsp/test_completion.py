"""What is offered at a cursor: what the parser expects there, and what the inventory and the file have."""

from __future__ import annotations

from pathlib import Path

import pytest

from npc.lsp.completion import MOST, completions
from npc.lsp.keywords import KEYWORDS, PROTOCOLS
from npc.lsp.project import Project
from tests.docs.railroad import words
from tests.lsp.project import at_cursor, opened

ITEMS = "cluster include policy service set"
PEERS = "any nodes ns pods ns/lab ns/shop svc/probe in ns/lab"
IN_SHOP = "set own = 10.0.0.0/8 service web = tcp/80\npolicy x in shop for pods { "

OFFERED = [
    ("an empty file", "|", ITEMS),
    ("a word that begins", "pol|", "policy"),
    ("a whole word", "policy|", ""),
    ("a policy's name", "policy |", ""),
    ("after a name", "policy x |", "annotations for in labels"),
    ("the namespace", "policy x in |", "lab shop"),
    ("a namespace that begins", "policy x in s|", "shop"),
    ("a subject", "policy x for |", "pods"),
    ("a statement", "policy x for pods { |", "allow isolate"),
    ("a statement of a cluster policy", "cluster policy x tier admin for ns { |", "allow deny isolate pass"),
    ("a tier", "cluster policy x tier |", "admin baseline"),
    ("a cluster subject", "cluster policy x tier admin for |", "ns pods ns/lab ns/shop"),
    ("what to isolate", "policy x for pods { isolate |", "egress ingress only"),
    ("what to allow", f"{IN_SHOP} allow |", "from to tcp udp sctp icmp icmpv6 any/ @web"),
    ("a second service", f"{IN_SHOP} allow tcp, |", "tcp udp sctp icmp icmpv6 any/ @web"),
    ("a TCP port", f"{IN_SHOP} allow tcp/|", "tcp/http tcp/sql"),
    ("a UDP port", f"{IN_SHOP} allow udp/d|", "udp/dns"),
    ("a port of any protocol", f"{IN_SHOP} allow any/|", "any/dns any/http any/sql"),
    ("a type of ICMP", f"{IN_SHOP} allow icmp/echo-|", "icmp/echo-reply icmp/echo-request"),
    ("peers", f"{IN_SHOP} allow from |", f"{PEERS} @own svc/web"),
    ("another peer", f"{IN_SHOP} allow from ns, |", f"{PEERS} @own svc/web".replace("any ", "")),
    ("peers of a set", "set a = 10.0.0.0/8\nset b = |", f"{PEERS} @a svc/web in ns/shop"),
    ("a reference", f"{IN_SHOP} allow from @|", "@own"),
    ("a namespace by name", f"{IN_SHOP} allow from ns/|", "ns/lab ns/shop"),
    ("pods in", f"{IN_SHOP} allow from pods in |", "ns ns/lab ns/shop"),
    ("a Service", f"{IN_SHOP} allow to svc/|", "svc/probe in ns/lab svc/web"),
    ("after peers", f"{IN_SHOP} allow to any |", "allow as isolate log until"),
    ("an included definition", 'include "common.npc"\nset x = @|', "@branches @offices"),
    ("a file", 'include "|', "common.npc"),
    ("keys of pods", "policy x for pods(|", "app tier x/note"),
    ("a second key", "policy x for pods(app=web, |", "app tier x/note"),
    ("a negated key", "policy x for pods(!t|", "!tier"),
    (
        "keys of namespaces",
        f"{IN_SHOP} allow from pods(app=web) in ns(|",
        "env kubernetes.io/metadata.name team",
    ),
    ("keys of nodes", f"{IN_SHOP} allow from nodes(|", "role"),
    ("values", "policy x for pods(app=|", "db probe web"),
    ("values that begin", "policy x for pods(app=d|", "db"),
    ("a value in quotes", "policy x for pods(x/note=|", '"two words"'),
    ("values in a list", "policy x for pods(app in (web, |", "db probe web"),
    ("values not in a list", "policy x for pods(app not in (|", "db probe web"),
    ("values of namespaces", f"{IN_SHOP} allow from ns(env=|", "prod stage"),
    ("after a key", "policy x for pods(app |", "in not"),
    ("a comment", "# |", ""),
    ("a comment after a string", 'include "x" # |', ""),
    ("a string", 'policy x for pods { allow to any log "|', ""),
    ("after a mistake in an earlier item", "policy ! ?\npolicy x |", "annotations for in labels"),
    (
        "after a mistake in the same policy",
        f"{IN_SHOP} allow web\n allow from pods in |",
        "ns ns/lab ns/shop",
    ),
    ("with text behind it", "policy x | for pods { allow from any }", "annotations for in labels"),
]


@pytest.mark.parametrize(("marked", "offered"), [row[1:] for row in OFFERED], ids=[row[0] for row in OFFERED])
def test_offers(marked: str, offered: str, folder: Path) -> None:
    text, offset = at_cursor(marked)
    document, project = opened(folder, text)
    found = completions(document, offset, project)
    texts = [one.text for one in found.found]
    assert " ".join(sorted(texts)) == " ".join(sorted(_split(offered)))
    assert all(one.startswith(text[found.start : offset]) for one in texts)


def _split(offered: str) -> list[str]:
    """The candidates of a row: words, `svc/x in ns/y` and strings in one piece."""
    joined = offered.replace(" in ns/", "\0in\0ns/").replace('"two words"', '"two\0words"')
    return [one.replace("\0", " ") for one in joined.split()]


def test_without_an_inventory_there_are_words(folder: Path) -> None:
    document, project = opened(folder, "policy x for pods { allow from ", inventory=False)
    found = completions(document, len(document.text), project)
    assert sorted(one.text for one in found.found) == ["any", "nodes", "ns", "pods"]


def test_many_candidates_are_cut(folder: Path) -> None:
    sets = "".join(f"set s{number} = any\n" for number in range(MOST + 1))
    document, project = opened(folder, f"{sets}set x = @")
    found = completions(document, len(document.text), project)
    assert (len(found.found), found.is_all) == (MOST, False)


def test_every_keyword_is_described() -> None:
    assert KEYWORDS.keys() == words()


def test_the_protocols_are_those_of_the_grammar(folder: Path) -> None:
    rules = "\n".join(f"  allow {one.replace('/', '/http')} to any" for one in PROTOCOLS)
    document, project = opened(folder, f"policy x for pods {{\n{rules}\n}}")
    assert isinstance(project, Project)
    (policy,) = document.program.items
    assert len(getattr(policy, "statements", ())) == len(PROTOCOLS)
