"""VS Code and vim colour each word of the language for what it is there."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.pages import ROOT
from tests.editors.textmate import Grammar
from tests.editors.vim import can_colour, groups

TEXTMATE = Grammar.of(ROOT / "editors" / "vscode" / "syntaxes" / "npc.tmLanguage.json")


class Colour(NamedTuple):
    """What a word is, in the words of the TextMate grammar and of the syntax file."""

    scope: str
    group: str


NONE = Colour("", "")
COMMENT = Colour("comment.line.number-sign.npc", "npcComment")
STRING = Colour("string.quoted.double.npc", "npcString")
ESCAPE = Colour("constant.character.escape.npc", "npcEscape")
DECLARATION = Colour("keyword.declaration.npc", "npcDeclaration")
ACTION = Colour("keyword.control.action.npc", "npcAction")
KEYWORD = Colour("keyword.other.npc", "npcKeyword")
POLICY = Colour("entity.name.function.policy.npc", "npcName")
DEFINITION = Colour("variable.other.definition.npc", "npcDefinition")
REFERENCE = Colour("variable.other.reference.npc", "npcReference")
NAMESPACE = Colour("entity.name.namespace.npc", "npcNamespace")
BY_NAME = Colour("entity.name.namespace.npc", "npcNamed")
LABEL = Colour("entity.name.label.npc", "npcLabel")
PEER = Colour("support.type.peer.npc", "npcPeer")
NAMED_PEER = Colour("support.type.peer.npc", "npcNamedKind")
KEY = Colour("entity.name.tag.label.npc", "npcKey")
VALUE = Colour("string.unquoted.value.npc", "npcValue")
ITEM = Colour("string.unquoted.value.npc", "npcItem")
OPERATOR = Colour("keyword.operator.word.npc", "npcOperator")
NOT = Colour("keyword.operator.logical.npc", "npcOperator")
PROTOCOL = Colour("support.constant.protocol.npc", "npcProtocol")
PORT_PROTOCOL = Colour("support.constant.protocol.npc", "npcPortProtocol")
PORT = Colour("constant.numeric.port.npc", "npcPort")
PORT_NAME = Colour("constant.other.port.npc", "npcPort")
ADDRESS = Colour("constant.other.address.npc", "npcAddress")
DATE = Colour("constant.other.date.npc", "npcDate")
NUMBER = Colour("constant.numeric.npc", "npcNumber")

SAMPLES = [
    ("# policy x for pods", [("# policy x", COMMENT)]),
    ('include "common.npc" # again', [("include", DECLARATION), ("common", STRING), ("# again", COMMENT)]),
    (
        "policy web in shop for pods { isolate ingress }",
        [
            ("policy", DECLARATION),
            ("web", POLICY),
            ("in", KEYWORD),
            ("shop", NAMESPACE),
            ("for", KEYWORD),
            ("pods", PEER),
            ("{", NONE),
            ("isolate", ACTION),
            ("ingress", KEYWORD),
        ],
    ),
    ("policy policy for pods {", [("policy", DECLARATION), ("policy", POLICY)]),
    ("policy in in in for pods {", [("in", POLICY), ("in", KEYWORD), ("in", NAMESPACE), ("for", KEYWORD)]),
    ("policy a.b-c for pods {", [("a.b-c", POLICY)]),
    (
        'policy a labels(owner=net, "x/y"="z") for pods {',
        [("labels", KEYWORD), ("owner", KEY), ("net", VALUE), ('"x/y"', STRING), ('"z"', STRING)],
    ),
    (
        "allow from pods(app=web, from in (to, b), track not in (c), team, !legacy)",
        [
            ("from", KEYWORD),
            ("app", KEY),
            ("web", VALUE),
            ("from", KEY),
            ("in", OPERATOR),
            ("to", ITEM),
            ("b", ITEM),
            ("track", KEY),
            ("not", OPERATOR),
            ("c", ITEM),
            ("team", KEY),
            ("!", NOT),
            ("legacy", KEY),
        ],
    ),
    (
        "allow tcp/5432 to pods(app.kubernetes.io/name=db) in ns(env=prod)",
        [
            ("allow", ACTION),
            ("tcp", PORT_PROTOCOL),
            ("5432", PORT),
            ("to", KEYWORD),
            ("pods", PEER),
            ("app.kubernetes.io/name", KEY),
            ("db", VALUE),
            ("in", KEYWORD),
            ("ns", PEER),
            ("env", KEY),
            ("prod", VALUE),
        ],
    ),
    (
        "allow udp, sctp, icmp/echo-request, any/web to ns/kube-system, svc/db in ns/x",
        [
            ("udp", PROTOCOL),
            ("sctp", PROTOCOL),
            ("icmp", PORT_PROTOCOL),
            ("echo-request", PORT_NAME),
            ("any", PORT_PROTOCOL),
            ("web", PORT_NAME),
            ("ns", NAMED_PEER),
            ("kube-system", BY_NAME),
            ("svc", NAMED_PEER),
            ("db", BY_NAME),
            ("in", KEYWORD),
            ("ns", NAMED_PEER),
            ("x", BY_NAME),
        ],
    ),
    (
        "allow tcp/30000-32767 from 10.0.0.0/8 except (10.1.0.0/16), 2001:db8::/32, ::/0",
        [
            ("30000-32767", PORT),
            ("10.0.0.0/8", ADDRESS),
            ("except", KEYWORD),
            ("10.1.0.0/16", ADDRESS),
            ("2001:db8::/32", ADDRESS),
            ("::/0", ADDRESS),
        ],
    ),
    (
        'allow @ping from @clients log "db \\" " as from until 2027-01-31',
        [
            ("@ping", REFERENCE),
            ("@clients", REFERENCE),
            ("log", KEYWORD),
            ('"db ', STRING),
            ('\\"', ESCAPE),
            ("as", KEYWORD),
            ("from", LABEL),
            ("until", KEYWORD),
            ("2027-01-31", DATE),
        ],
    ),
    (
        "set inside = 10.0.0.0/8, any, nodes(role=worker)",
        [
            ("set", DECLARATION),
            ("inside", DEFINITION),
            ("10.0.0.0/8", ADDRESS),
            ("any", PEER),
            ("nodes", PEER),
            ("role", KEY),
            ("worker", VALUE),
        ],
    ),
    ("service dns = udp/53", [("service", DECLARATION), ("dns", DEFINITION), ("udp", PORT_PROTOCOL)]),
    (
        "cluster policy tier tier admin priority 10 for ns {",
        [
            ("cluster", DECLARATION),
            ("policy", DECLARATION),
            ("tier", POLICY),
            ("tier", KEYWORD),
            ("admin", KEYWORD),
            ("priority", KEYWORD),
            ("10", NUMBER),
            ("for", KEYWORD),
            ("ns", PEER),
        ],
    ),
    ("deny tcp/22 from any log", [("deny", ACTION), ("any", PEER), ("log", KEYWORD)]),
]


def shown(line: str, words: list[tuple[str, Colour]], colours: list[str]) -> list[tuple[str, str]]:
    """Each word with the colours that its characters have, joined: one where all is well."""
    found, start = [], 0
    for word, _ in words:
        start = line.index(word, start)
        found.append((word, "+".join(dict.fromkeys(colours[start : start + len(word)]))))
        start += len(word)
    return found


@pytest.mark.parametrize(("line", "words"), SAMPLES, ids=[line for line, _ in SAMPLES])
def test_textmate(line: str, words: list[tuple[str, Colour]]) -> None:
    assert shown(line, words, TEXTMATE.scopes(line)) == [(word, colour.scope) for word, colour in words]


@pytest.mark.skipif(not can_colour(), reason="needs vim with syntax files")
def test_vim(tmp_path: Path) -> None:
    text = "".join(f"{line}\n" for line, _ in SAMPLES)
    settings, found = groups(text, tmp_path)
    assert settings == ("npc", "# %s")
    start = 0
    wrong = []
    for line, words in SAMPLES:
        expected = [(word, colour.group) for word, colour in words]
        if (got := shown(line, words, found[start : start + len(line)])) != expected:
            wrong.append((line, set(got) ^ set(expected)))
        start += len(line) + 1
    assert wrong == []


def test_colours_end_with_their_line() -> None:
    """A selector or a string goes on in the next line, a comment does not."""
    text = "allow from pods(app=web, # (\n  tier=db) to any"
    scopes = TEXTMATE.scopes(text)
    assert [scopes[text.index(word)] for word in ("# (", "tier", "db", "to", "any")] == [
        COMMENT.scope,
        KEY.scope,
        VALUE.scope,
        KEYWORD.scope,
        PEER.scope,
    ]
