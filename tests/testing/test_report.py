"""Outcomes for people and for services."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from npc.testing import Case, Change, Outcome, details, difference, headline, junit
from npc.testing.report import MOST_LINES

CASE = Case("tests/policies/web", Path("tests/policies/web"))
CHANGE = Change("expect.nft", b"a\nb\n", b"a\nc\n")
FAILED = Outcome(CASE, ("packets.txt:3: x", "packets.txt:4: y"), (CHANGE,), "only the text changed", 0.25)

DIFFERENCES = [
    ("changed", b"x\ny\n", b"x\nz\n", ["--- f (expected)", "+++ f (made)", "@@ -1,2 +1,2 @@", " x", "-y",
                                        "+z"]),
    ("stale", b"x\n", None, ["--- f (expected)", "+++ f (not made: stale)", "@@ -1 +0,0 @@", "-x"]),
    ("new", None, b"x\n", ["--- f (not there)", "+++ f (made)", "@@ -0,0 +1 @@", "+x"]),
    ("newline at the end", b"x\n", b"x", ["--- f (expected)", "+++ f (made)", "@@ -1 +1 @@", "-x",
                                          "+x\n\\ no newline at the end"]),
    ("carriage returns", b"x\r\n", b"x\n", ["--- f (expected)", "+++ f (made)", "@@ -1 +1 @@", "-x\r", "+x"]),
    ("no text", b"\xff\n", b"x\n", ["--- f (expected)", "+++ f (made)", "@@ -1 +1 @@", "-\\xff", "+x"]),
    ("an empty file", b"", None, ["f is stale"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "made", "lines"), [case[1:] for case in DIFFERENCES], ids=[case[0] for case in DIFFERENCES]
)
def test_difference(expected: bytes | None, made: bytes | None, lines: list[str]) -> None:
    assert difference(Change("f", expected, made)) == lines


def test_a_long_difference_is_cut() -> None:
    lines = difference(Change("f", None, b"x\n" * 2000))
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == "... 1,903 more lines"


def test_words() -> None:
    assert headline(FAILED) == "packets.txt:3: x; 1 more; only the text changed; expect.nft differs"
    assert list(details(FAILED))[:4] == [*FAILED.faults, "only the text changed", "--- expect.nft (expected)"]


def test_junit() -> None:
    root = ElementTree.fromstring(junit([FAILED, Outcome(Case("b", Path("b")))]))
    suite = root[0]
    assert (root.tag, suite.tag, suite.attrib["tests"], suite.attrib["failures"]) == (
        "testsuites",
        "testsuite",
        "2",
        "1",
    )
    first, second = suite
    assert first.attrib == {"classname": "tests/policies", "name": "web", "time": "0.250"}
    assert first[0].tag == "failure"
    assert first[0].attrib["message"] == headline(FAILED)
    assert first[0].text == "\n".join(details(FAILED))
    assert (second.attrib["classname"], second.attrib["name"], list(second)) == ("npc", "b", [])


def test_junit_holds_no_character_that_xml_cannot() -> None:
    root = ElementTree.fromstring(junit([Outcome(CASE, ("a\x00b\x1b<&\ud800",))]))
    assert root[0][0][0].text == "a\ufffdb\ufffd<&\ufffd"
