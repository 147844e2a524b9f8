"""The pictures of the grammar are those of the grammar as it is, and the manual shows them all.

After a change that is meant: `python -m tests.docs.railroad`.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.docs.pages import ROOT
from tests.docs.railroad import FOLDER, definitions, pictures

LANGUAGE = ROOT / "docs" / "language.md"


def test_the_pictures_are_up_to_date() -> None:
    assert {one.name: one.read_text(encoding="utf-8") for one in FOLDER.glob("*.svg")} == dict(pictures())


def test_every_word_of_the_grammar_is_in_a_picture() -> None:
    """But for what the parser passes over."""
    drawn = {
        text
        for picture in pictures().values()
        for one in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
        if (text := one.text) is not None
    }
    unseen = {
        one.name
        for one in definitions().values()
        if not one.is_rule and one.title not in drawn and one.name not in ("SPACE", "COMMENT")
    }
    assert unseen == set()


def test_the_reference_shows_every_picture() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(images/grammar/([\w-]+\.svg)\)", LANGUAGE.read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(pictures())
