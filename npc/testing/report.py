"""Outcomes as text for people, and as JUnit XML for services that show test results."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from npc.testing.cases import PLAN
from npc.testing.running import Change, Outcome

MOST_LINES = 100
"""Lines of a file's difference that are shown."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold (section 2.2)."""


def headline(outcome: Outcome) -> str:
    """What is wrong with a case, in a line."""
    words = [*outcome.faults[:1]]
    if len(outcome.faults) > 1:
        words.append(f"{len(outcome.faults) - 1} more")
    if outcome.changes:
        words += [outcome.meaning, ", ".join(map(_state, outcome.changes))]
    return "; ".join(words)


def details(outcome: Outcome) -> Iterator[str]:
    """All that is wrong with a case, line by line."""
    yield from outcome.faults
    if outcome.changes:
        yield outcome.meaning
    for change in sorted(outcome.changes, key=lambda change: change.file != PLAN):  # the plan reads best
        yield from difference(change)


def difference(change: Change) -> list[str]:
    """How a file differs from what is expected, as a unified diff."""
    lines = [
        line if line.endswith("\n") else f"{line}\n\\ no newline at the end"
        for line in difflib.unified_diff(
            _lines(change.expected),
            _lines(change.made),
            f"{change.file} ({'not there' if change.expected is None else 'expected'})",
            f"{change.file} ({'not made: stale' if change.made is None else 'made'})",
        )
    ]
    shown = [line.removesuffix("\n") for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"... {len(lines) - MOST_LINES:,} more lines")
    return shown or [_state(change)]


def junit(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as JUnit XML, one suite with a test case each."""
    suite = ElementTree.Element(
        "testsuite",
        name="npc",
        tests=str(len(outcomes)),
        failures=str(sum(not one.passed for one in outcomes)),
        errors="0",
        skipped="0",
        time=f"{sum(one.seconds for one in outcomes):.3f}",
    )
    for one in outcomes:
        folder, _, name = one.case.name.rpartition("/")
        case = ElementTree.SubElement(
            suite, "testcase", classname=_xml(folder or "npc"), name=_xml(name), time=f"{one.seconds:.3f}"
        )
        if not one.passed:
            failure = ElementTree.SubElement(case, "failure", message=_xml(headline(one)))
            failure.text = _xml("\n".join(details(one)))
    suites = ElementTree.Element("testsuites", suite.attrib)
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, "unicode") + "\n"


def _state(change: Change) -> str:
    if change.expected is None:
        return f"{change.file} is not there"
    return f"{change.file} {'is stale' if change.made is None else 'differs'}"


def _lines(content: bytes | None) -> list[str]:
    """The lines of a file with their ends, which are newlines alone."""
    text = (content or b"").decode("utf-8", "backslashreplace")
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
