"""Templates of one's own, good and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.invocation import Outcome, npc


def _compile(folder: Path, template: bytes) -> Outcome:
    (folder / "templates").mkdir()
    (folder / "templates/nft.j2").write_bytes(template)
    return npc("compile", "policy.yaml", "inventory.yaml", "--template-dir", "templates", folder=folder)


def test_a_template_overrides_the_built_in_one(inputs: Path) -> None:
    template = (
        b"{% for chain in ruleset.chains if chain.hook %}{{ chain.name }}: {{ chain.hook }}\n{% endfor %}"
    )
    assert _compile(inputs, template) == Outcome(
        0, "forward: type filter hook forward priority filter; policy accept;\n", ""
    )


def test_other_templates_stay_as_they_are(inputs: Path) -> None:
    (inputs / "templates").mkdir()
    (inputs / "templates/other.j2").write_text("{% broken")
    plain = npc("compile", "policy.yaml", "inventory.yaml", folder=inputs)
    outcome = npc("compile", "policy.yaml", "inventory.yaml", "--template-dir", "templates", folder=inputs)
    assert outcome == plain


BROKEN = [
    # (name, template, where and why)
    ("syntax", b"\n{% if %}", "nft.j2:2: Expected an expression"),
    ("an unknown filter", b"{{ ruleset | nosuch }}", "nft.j2:1: No filter named 'nosuch'"),
    ("an unknown name", b"\n\n{{ rulset.name }}", "nft.j2:3: 'rulset' is undefined"),
    ("an unknown attribute", b"\n{{ ruleset.nosuch }}", "nft.j2:2: "),
    ("no such template", b"{% include 'other.j2' %}", "other.j2"),
    ("itself", b"{% include 'nft.j2' %}", "nft.j2"),
    ("an operation that fails", b"\n{{ 1 + 'a' }}", "nft.j2:2: "),
    ("a division", b"{{ 1 // 0 }}", "nft.j2:1: "),
    ("no text", b"\xff\xfe", "nft.j2"),
]


@pytest.mark.parametrize(
    ("template", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_broken_template_is_an_error_in_the_input(inputs: Path, template: bytes, words: str) -> None:
    outcome = _compile(inputs, template)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("error[NPC504]: ")
    assert words in outcome.stderr
