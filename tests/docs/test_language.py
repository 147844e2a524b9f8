"""Docs in the policy language: every text compiles, is formatted, and says what its twin in YAML says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from npc.compiler.frontend.diagnostics import Diagnostic, has_errors
from npc.compiler.frontend.source import Source
from npc.compiler.language.format import format_program
from npc.compiler.language.lowering import lower
from npc.compiler.language.names import Names
from npc.compiler.language.parser import parse
from npc.compiler.language.to_kubernetes import Object, cluster_network_policy, network_policy
from npc.compiler.language.tree import ClusterPolicyBlock, PolicyBlock, ServiceDefinition, SetDefinition
from tests.docs.pages import PAGES, ROOT, Block, blocks
from tests.language.objects import defaulted

LANGUAGE = ROOT / "docs" / "language.md"
MISTAKES = "mistakes/"
"""The folder of texts that are wrong on purpose."""

WRITTEN = [
    pytest.param(page, block, id=f"{page.name}:{block.line}")
    for page in PAGES
    if page.name != "diagnostics.md"  # whose texts are all wrong on purpose, and run by the console
    for block in blocks(page)
    if block.language == "npc"
]


@pytest.mark.parametrize(("page", "block"), WRITTEN)
def test_what_is_shown_is_right(page: Path, block: Block, tmp_path: Path) -> None:
    """Or wrong, where it is meant to be; and it is formatted."""
    for other in blocks(page):
        if other.language == "npc" and other.file is not None:
            path = tmp_path / other.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(other.lines), encoding="utf-8")
    text = "\n".join(block.lines) + "\n"
    path = tmp_path / (block.file or "page.npc")
    found = lower([Source(path.name, path, text.encode())]).diagnostics
    assert has_errors(found) == (block.file or "").startswith(MISTAKES), _told(found)
    if not has_errors(found) and page.name != "formatting.md":  # which shows what it is good for
        assert format_program(parse(Source(path.name), text).program, text) == text


def _told(found: tuple[Diagnostic, ...]) -> list[str]:
    return [one.message for one in found]


def twins() -> list[tuple[Block, Block]]:
    """The texts of the reference that a YAML text follows."""
    found = list(blocks(LANGUAGE))
    return [
        (one, other)
        for one, other in pairwise(found)
        if (one.language, other.language) == ("npc", "yaml") and one.file is None
    ]


@pytest.mark.parametrize(("one", "other"), twins(), ids=lambda block: str(block.line))
def test_twins_are_one(one: Block, other: Block) -> None:
    expected = [defaulted(policy) for policy in yaml.safe_load_all("\n".join(other.lines))]
    assert [defaulted(policy) for policy in in_kubernetes("\n".join(one.lines))] == expected


def test_there_are_twins_of_everything() -> None:
    assert len(twins()) >= 5


def in_kubernetes(text: str) -> list[Object]:
    """The policies of a text as Kubernetes objects."""
    parsed = parse(Source("page.npc"), text)
    assert not parsed.diagnostics, _told(parsed.diagnostics)
    items = parsed.program.items
    names = Names(
        {one.name.text: one for one in items if isinstance(one, SetDefinition)},
        {one.name.text: one for one in items if isinstance(one, ServiceDefinition)},
    )
    return [
        network_policy(one, names, _refuse)
        if isinstance(one, PolicyBlock)
        else cluster_network_policy(one, names, _refuse)
        for one in items
        if isinstance(one, PolicyBlock | ClusterPolicyBlock)
    ]


def _refuse(*refused: object) -> None:
    pytest.fail(f"Kubernetes cannot say it: {refused}")


def rows(heading: str) -> list[tuple[str, str]]:
    """The rows of the table with a heading, as their two pieces of code."""
    lines = iter(LANGUAGE.read_text(encoding="utf-8").split("\n"))
    next(line for line in lines if line == f"| npc | {heading} |")
    next(lines)
    found = []
    while (line := next(lines)).startswith("|"):
        left, right = (cell.strip().strip("`") for cell in line.strip("| ").split(" | "))
        found.append((left, right))
    return found


def rule_of(text: str) -> Any:
    """The one ingress rule of a policy with one statement."""
    (policy,) = in_kubernetes(f"policy x for pods {{ {text} }}")
    (rule,) = policy["spec"]["ingress"]
    return rule


@pytest.mark.parametrize(("peer", "twin"), rows("peer"))
def test_peers(peer: str, twin: str) -> None:
    assert rule_of(f"allow from {peer}")["from"] == [yaml.safe_load(f"{{{twin}}}")]


@pytest.mark.parametrize(("requirements", "twin"), rows("selector"))
def test_selectors(requirements: str, twin: str) -> None:
    peers = rule_of(f"allow from pods({requirements})")["from"]
    assert peers == [{"podSelector": yaml.safe_load(f"{{{twin}}}")}]


@pytest.mark.parametrize(("services", "twin"), rows("ports"))
def test_services(services: str, twin: str) -> None:
    assert rule_of(f"allow {services} from any")["ports"] == yaml.safe_load(f"[{twin}]")
