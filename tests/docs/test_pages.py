"""The manual is complete where completeness can be checked, and its links lead somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from npc.compiler.frontend.codes import ALL, Code
from tests.docs.pages import PAGES, ROOT, anchor, blocks, headings, links, prose, steps

DIAGNOSTICS = ROOT / "docs" / "diagnostics.md"


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
    text = "\n".join(prose(DIAGNOSTICS))
    assert f"### {code.name}\n\n**{code.severity}: {code.title}.**" in text


def test_every_diagnostic_has_an_example() -> None:
    shown = "\n".join(
        line
        for block in blocks(DIAGNOSTICS)
        if block.language == "console"
        for step in steps(block)
        for line in step.output
    )
    assert [code.name for code in ALL if f"{code.severity}[{code.name}]" not in shown] == []


def test_the_diagnostics_stand_in_order() -> None:
    named = [heading for heading in headings(DIAGNOSTICS) if heading.startswith("NPC")]
    assert named == [code.name for code in ALL]
