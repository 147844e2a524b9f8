"""The manual is complete where completeness can be checked, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from npc.compiler.frontend.codes import ALL, Code
from tests.cli.invocation import npc
from tests.docs.pages import PAGES, ROOT, anchor, blocks, headings, links, prose, steps
from tests.golden.cases import find_cases

DIAGNOSTICS = ROOT / "docs" / "diagnostics.md"
SEMANTICS = ROOT / "docs" / "semantics.md"
_GENERATED = re.compile(r"\b[behpi][46]_(?:to_)?[0-9a-f]{10}\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in links(page):
        if target.startswith(("https://", "mailto:")):
            continue
        name, _, fragment = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (fragment and fragment not in map(anchor, headings(path))):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {(ROOT / target.partition("#")[0]).resolve() for target in links(ROOT / "README.md")}
    assert [page.name for page in PAGES[1:] if page not in reached] == []


@pytest.mark.parametrize("code", ALL, ids=lambda code: code.name)
def test_every_diagnostic_is_explained(code: Code) -> None:
    section = "\n".join(prose(DIAGNOSTICS)).partition(f"### {code.name}\n\n")[2]
    assert section.replace(".**", "**").startswith(f"**{code.severity}: {code.title}**")


def test_every_diagnostic_has_an_example() -> None:
    shown = "\n".join(
        line
        for block in blocks(DIAGNOSTICS)
        if block.language == "console"
        for step in steps(block)
        for line in step.output
    )
    assert [code.name for code in ALL if f"{code.severity}[{code.name}]" not in shown] == []


def test_examples_of_the_semantics_are_golden_cases() -> None:
    text = " ".join(" ".join(prose(SEMANTICS)).split())
    named = [
        name
        for match in re.finditer(r"Examples?: ((?:`[a-z0-9-]+`(?:, )?)+)\.", text)
        for name in re.findall(r"`([^`]+)`", match[1])
    ]
    assert len(named) > 20
    assert set(named) - {case.folder.name for case in find_cases()} == set()


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "nft.md"], ids=lambda page: page.name)
def test_generated_names_are_those_of_the_example(page: Path) -> None:
    """In the text and in blocks that are not run; what a command of the page shows is compared anyway."""
    ruleset = npc("compile", "examples/shop", folder=ROOT).stdout
    shown = [line for one in blocks(page) if one.language == "console" for line in one.lines]
    known = set(_GENERATED.findall("\n".join([ruleset, *shown])))
    assert set(_GENERATED.findall(page.read_text(encoding="utf-8"))) - known == set()


def test_the_diagnostics_stand_in_order() -> None:
    named = [heading for heading in headings(DIAGNOSTICS) if heading.startswith("NPC")]
    assert named == [code.name for code in ALL]
