"""What is under editors/ knows the keywords of the grammar: all of them, and no other."""

from __future__ import annotations

import json
import re

import pytest
from lark import Tree

from npc.compiler.frontend.source import Source
from npc.compiler.language.format import format_program
from npc.compiler.language.parser import parse
from tests.docs.pages import ROOT
from tests.docs.railroad import definitions, words

EDITORS = ROOT / "editors"
PROTOCOLS = {"tcp", "udp", "sctp", "icmp", "icmpv6", "any"}
"""What a word of traffic begins with; the grammar has them in one pattern."""
ITEMS = {"policy", "cluster", "set", "service", "include"}
PREFIXES = {"svc"}
"""Of words in two parts; `ns` is a keyword as well."""


def textmate_words() -> set[str]:
    """The words in the patterns of the TextMate grammar, by themselves or in a list of choices."""
    text = (EDITORS / "vscode" / "syntaxes" / "npc.tmLanguage.json").read_text(encoding="utf-8")
    repository = json.loads(text)["repository"]
    patterns = [one for rule in repository.values() for one in (rule, *rule.get("patterns", ()))]
    found = " ".join(one[key] for one in patterns for key in ("match", "begin") if key in one)
    return set(re.findall(r"(?<![\w\\\[-])[a-z][a-z0-9]+(?![\w\]-])", found))


def vim_words() -> set[str]:
    """The words of `syntax keyword`, and those of two parts in patterns."""
    text = (EDITORS / "vim" / "syntax" / "npc.vim").read_text(encoding="utf-8")
    keywords = re.findall(r"^syntax keyword \w+ (.*?)(?: nextgroup=.*)?$", text, re.MULTILINE)
    named = re.findall(r"\\%\(((?:\w+\\\|)*\w+)\\\)\\?ze?/", text)
    return {word for line in keywords for word in line.split()} | {
        word for choice in named for word in choice.split("\\|")
    }


@pytest.mark.parametrize("found", [textmate_words(), vim_words()], ids=["TextMate", "vim"])
def test_keywords(found: set[str]) -> None:
    assert found == words() | PROTOCOLS | PREFIXES


def test_the_words_in_patterns_are_those_of_the_grammar() -> None:
    protocols = re.match(r"/\(\?:([a-z0-9|]+)\)", pattern("TRAFFIC"))
    assert protocols is not None
    assert set(protocols[1].split("|")) == PROTOCOLS
    assert {pattern(name).partition(r"\/")[0] for name in ("BEHIND_SERVICE", "NAMED_NAMESPACE")} == {
        f"/{prefix}" for prefix in PREFIXES | {"ns"}
    }


def pattern(name: str) -> str:
    """The regular expression of a terminal, between slashes."""
    body = definitions()[name].body
    assert isinstance(body, Tree)
    return str(body.children[0])


def test_the_snippets_begin_with_keywords() -> None:
    snippets = json.loads((EDITORS / "vscode" / "snippets" / "npc.json").read_text(encoding="utf-8"))
    assert {one["body"][0].split()[0] for one in snippets.values()} <= words()


def test_the_extension_names_files_that_there_are() -> None:
    folder = EDITORS / "vscode"
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    contributes = package["contributes"]
    named = [package["main"], *(one["configuration"] for one in contributes["languages"])]
    named += [one["path"] for key in ("grammars", "snippets") for one in contributes[key]]
    assert [one for one in named if not (folder / one).is_file()] == []
    grammar = json.loads((folder / contributes["grammars"][0]["path"]).read_text(encoding="utf-8"))
    assert grammar["scopeName"] == contributes["grammars"][0]["scopeName"]


def test_the_snippets_are_policies() -> None:
    """With their placeholders filled in as they are offered."""
    snippets = json.loads((EDITORS / "vscode" / "snippets" / "npc.json").read_text(encoding="utf-8"))
    for name, one in snippets.items():
        text = re.sub(r"\$\{\d+(?::([^}]*)|\|([^,|]*)[^}]*)\}|\$0", r"\1\2", "\n".join(one["body"]))
        whole = text if text.split()[0] in ITEMS else f"policy x for pods {{\n  {text}\n}}"
        parsed = parse(Source(name), f"{whole}\n")
        assert (name, [fault.message for fault in parsed.diagnostics]) == (name, [])
        assert format_program(parsed.program, f"{whole}\n") == f"{whole}\n"
