r"""Comments that allow findings: `# npc: allow NPC701`, with a reason behind the codes if need be.

At the end of a line, a comment is for that line; on a line of its own, for the next one. At the head of a
YAML document, or of a file in the policy language, it is for all of it; before a policy of the language,
for all of that. Comments are told from text that looks like one by reading the YAML, or the language, once
more; that is done only for sources which have such a text.

>>> source = Source("a.yaml", content=b"a: 1 # npc: allow NPC401\nb: '# npc: allow NPC402'\n")
>>> [(one.codes[0].name, one.first, one.last) for one in allowances(source)]
[('NPC401', 1, 1)]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

import yaml
from yaml._yaml import CParser
from yaml.events import DocumentStartEvent, ScalarEvent, StreamEndEvent

from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import ALL, Code, Severity
from npc.compiler.frontend.diagnostics import Diagnostic, did_you_mean
from npc.compiler.frontend.files import LANGUAGE_SUFFIX, STDIN
from npc.compiler.frontend.locate import Page, locate
from npc.compiler.frontend.recognition import is_meant_as_the_language
from npc.compiler.frontend.source import Lines, Origin, Source, Span

_MARK = re.compile(rb"#\s*npc:\s*allow\b", re.IGNORECASE)
_COMMENT = re.compile(r"(?:(?<=\s)|(?<![^\n\r]))#[ \t]*npc:[ \t]*allow\b(?P<rest>[^\n\r]*)", re.IGNORECASE)
_CODE = re.compile(r"[\s,]*(?P<name>NPC\w*)", re.IGNORECASE)
_BY_NAME = {code.name: code for code in ALL}
_EVERY_LINE = 10**9


@dataclass(frozen=True, slots=True)
class Named:
    """A code that a comment names, and where."""

    name: str
    """In capitals, however it was written."""
    span: Span


@dataclass(frozen=True, slots=True)
class Allowance:
    """A comment and the lines that it is for, from 1, the last included."""

    source: Source
    span: Span
    codes: tuple[Named, ...]
    first: int
    last: int

    def covers(self, line: int, code: Code) -> bool:
        """Whether a finding on a line is allowed."""
        return self.first <= line <= self.last and any(one.name == code.name for one in self.codes)


def allowances(source: Source) -> tuple[Allowance, ...]:
    """The comments of a source that allow something; none in JSON, which has no comments."""
    if source.name.endswith(".json"):  # not read for that: it may be an inventory of gigabytes
        return ()
    try:
        data = source.data()
    except OSError:
        return ()
    if _MARK.search(data) is None:
        return ()
    lines = Page.of(source).lines
    if source.name.endswith(LANGUAGE_SUFFIX) or (source.name == STDIN and is_meant_as_the_language(data)):
        return tuple(_in_language(source, lines))
    return tuple(_in_yaml(source, lines))


def not_allowed(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics that no comment allows; errors cannot be allowed."""
    return _sifted(diagnostics, _allowances_beside(diagnostics))[0]


def unused(
    diagnostics: Sequence[Diagnostic], sources: Iterable[Source], searched: Set[Code]
) -> Iterator[Diagnostic]:
    """A warning for each code that a comment names in vain: one that was searched for, or unknown."""
    found = [one for source in sources for one in allowances(source)]
    used = _sifted(diagnostics, found)[1]
    for one in found:
        if not one.codes:
            message = "the comment allows nothing: it names no code"
            yield Diagnostic(
                codes.UNUSED_ALLOW,
                message,
                Origin(one.source, span=one.span),
                help="write # npc: allow NPC701",
            )
        for named in one.codes:
            code, help = _BY_NAME.get(named.name), "remove the code from the comment"
            if code is None:
                message = f"there is no code {named.name}"
                help = did_you_mean(named.name, _BY_NAME)
            elif code.severity is Severity.ERROR:
                message = f"{named.name} is an error: it cannot be allowed"
            elif code in searched and (id(one), named.name) not in used:
                message = f"the comment allows {named.name}, which is not found here"
            else:
                continue
            yield Diagnostic(codes.UNUSED_ALLOW, message, Origin(one.source, span=named.span), help=help)


def _allowances_beside(diagnostics: Iterable[Diagnostic]) -> list[Allowance]:
    sources = dict.fromkeys(
        one.origin.source
        for one in diagnostics
        if one.origin is not None and one.code.severity is not Severity.ERROR
    )
    return [allowed for source in sources for allowed in allowances(source)]


def _sifted(
    diagnostics: Sequence[Diagnostic], found: Sequence[Allowance]
) -> tuple[list[Diagnostic], set[tuple[int, str]]]:
    """The diagnostics that are not allowed, and which codes of which comments allowed others."""
    if not found:
        return list(diagnostics), set()
    by_source: dict[Source, list[Allowance]] = {}
    for one in found:
        by_source.setdefault(one.source, []).append(one)
    origins = [one.origin for one in diagnostics if one.origin is not None and one.origin.source in by_source]
    spans, _ = locate(origins)
    kept, used = [], set()
    for diagnostic in diagnostics:
        origin = diagnostic.origin
        allowing = []
        if origin is not None and origin in spans and diagnostic.code.severity is not Severity.ERROR:
            line = spans[origin].line
            allowing = [one for one in by_source[origin.source] if one.covers(line, diagnostic.code)]
        used |= {(id(one), diagnostic.code.name) for one in allowing}
        if not allowing:
            kept.append(diagnostic)
    return kept, used


def _in_yaml(source: Source, lines: Lines) -> Iterator[Allowance]:
    texts, starts = _scalars_and_documents(lines)
    for match in _COMMENT.finditer(lines.text):
        if any(first <= match.start() < last for first, last in texts):
            continue
        line = lines.number(match.start())
        document = max((one for one in starts if one <= line), default=0)
        following = min((one for one in starts if one > line), default=len(lines.starts))
        before = [lines.line(number) for number in range(document, line)]
        is_alone = not lines.line(line)[: match.start() - lines.starts[line]].strip(" \t")
        opens = lines.line(line).startswith("---") or is_alone
        if opens and all(_is_empty(one) for one in before):
            first, last = document, following - 1
        else:
            first = last = _next_line(lines, line) if is_alone else line
        yield _allowance(source, lines, match, first, last)


def _is_empty(line: str) -> bool:
    """Whether a line has nothing but a comment, or the beginning of a document."""
    text = line.removeprefix("---").strip()
    return not text or text.startswith(("#", "%"))


def _scalars_and_documents(lines: Lines) -> tuple[list[tuple[int, int]], list[int]]:
    """The characters of scalars that a `#` may be in, and the lines that documents begin on."""
    texts, starts = [], [0]
    parser = CParser(lines.text)
    try:
        while not isinstance(event := parser.get_event(), StreamEndEvent):
            if not isinstance(event, DocumentStartEvent | ScalarEvent):
                continue
            first, last = event.start_mark, event.end_mark
            assert first is not None  # libyaml's events have both
            assert last is not None
            if isinstance(event, DocumentStartEvent):
                starts += [first.line] if event.explicit else []
            elif event.style or last.line > first.line:
                texts.append((lines.starts[first.line] + first.column, lines.starts[last.line] + last.column))
    except yaml.YAMLError:
        pass  # reported by the reader
    return texts, starts


def _in_language(source: Source, lines: Lines) -> Iterator[Allowance]:
    from npc.compiler.language.parser import parse  # manifests need not wait for it
    from npc.compiler.language.tree import ClusterPolicyBlock, PolicyBlock

    program = parse(source, lines.text).program
    head = program.items[0].start if program.items else len(lines.text)
    policies = {
        lines.number(one.start): lines.number(one.end)
        for one in program.items
        if isinstance(one, PolicyBlock | ClusterPolicyBlock)
    }
    for comment in program.comments:
        match = _COMMENT.match(lines.text, comment.start)
        if match is None:
            continue
        line = lines.number(comment.start)
        is_alone = not lines.text[lines.starts[line] : comment.start].strip()
        first = last = _next_line(lines, line) if is_alone else line
        if comment.start < head:
            first, last = 0, _EVERY_LINE
        elif is_alone:
            last = policies.get(first, first)
        yield _allowance(source, lines, match, first, last)


def _next_line(lines: Lines, line: int) -> int:
    """The line that a comment on a line of its own is for: the next that holds more than a comment."""
    number = line + 1
    while number < len(lines.starts) and _is_empty(lines.line(number)):
        number += 1
    return number


def _allowance(source: Source, lines: Lines, match: re.Match[str], first: int, last: int) -> Allowance:
    named = []
    at = match.start("rest")
    while (code := _CODE.match(lines.text, at)) is not None and code.end() <= match.end():
        named.append(Named(code["name"].upper(), lines.span(code.start("name"), code.end())))
        at = code.end()
    return Allowance(source, lines.span(*match.span()), tuple(named), first + 1, last + 1)
