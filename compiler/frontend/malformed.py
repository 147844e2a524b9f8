"""What keeps bytes from being text, and text from being YAML, in words for its author.

libyaml names what its scanner missed, and where it noticed. The mistake is often elsewhere: at the
bracket or the quote that was opened, or in the indentation of a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import yaml
from yaml.reader import ReaderError

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, Related
from npc.compiler.frontend.source import Lines, Origin, Source, Span

TEMPLATE = re.compile(r"\{\{|\{%")
TEMPLATE_HELP = "this looks like a template: render it first (helm template, kustomize build)"
_CONFLICT = re.compile(r"<<<<<<<|=======|>>>>>>>")


def not_text(origin: Origin, error: UnicodeDecodeError) -> Diagnostic:
    """The byte at which a file, or a JSON value in it, stops being UTF-8."""
    data, offset = error.object, error.start
    help = "manifests are UTF-8 text; is this another kind of file?"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        help = "this is UTF-16: save it as UTF-8"
    before = len(data[:offset].decode("utf-8"))
    origin = replace(origin, within=(before, before + 1))
    return Diagnostic(codes.NOT_TEXT, f"the byte 0x{data[offset]:02x} is not UTF-8", origin, help=help)


def malformed_yaml(source: Source, data: bytes, first_line: int, error: yaml.YAMLError) -> Diagnostic:
    """What keeps `data`, the text of a source from a line (from 0) on, from being YAML."""
    if isinstance(error, ReaderError):
        message, help = _unreadable(error)
        span = _span_at_end(data[: error.position])
        fault = _Fault(message, help, span)
    else:
        assert isinstance(error, yaml.MarkedYAMLError)  # libyaml has no other
        fault = _explain(Lines.of(data.decode("utf-8", "replace")), first_line, error)
    related: tuple[Related, ...] = ()
    if fault.other is not None:
        related = (Related(Origin(source, span=_moved(fault.other, first_line)), fault.other_label),)
    origin = Origin(source, span=_moved(fault.span, first_line))
    message = f"malformed YAML: {fault.message}"
    return Diagnostic(codes.SYNTAX, message, origin, help=fault.help, related=related)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong, how to mend it, and where; `other` is a second place that has to do with it."""

    message: str
    help: str
    span: Span
    other: Span | None = None
    other_label: str = ""


def _unreadable(error: ReaderError) -> tuple[str, str]:
    """A character that YAML does not allow: message and help."""
    character = error.character
    number = character if isinstance(character, int) else ord(str(character)[:1] or "\0")
    if number == 0:
        return "the character U+0000 is not allowed", "this is no text, or UTF-16: save it as UTF-8"
    return f"the character U+{number:04X} is not allowed", "leave it out; it may be invisible in an editor"


def _explain(lines: Lines, first_line: int, error: yaml.MarkedYAMLError) -> _Fault:
    mark = error.problem_mark or error.context_mark
    begun = error.context_mark or mark
    assert mark is not None  # libyaml's errors have one or both
    assert begun is not None
    line = lines.line(mark.line)
    before, character = line[: mark.column], line[mark.column : mark.column + 1]
    here = Span(mark.line + 1, mark.column + 1, mark.column + 2)
    start = Span(begun.line + 1, begun.column + 1, begun.column + 2)
    last = _last_character(lines, mark.line if line.startswith("---") and not mark.column else None)
    is_at_end = (here.line, here.column) > (last.line, last.column)
    if is_at_end:
        here = last
    fault = _Fault(" ".join(filter(None, (error.problem, error.context))), "", here)
    match error.problem:
        case "did not find expected ',' or ']'" | "did not find expected ',' or '}'":
            fault = _unclosed(lines, start, None if is_at_end else here)
        case "found unexpected end of stream" | "found unexpected document indicator":
            fault = _Fault("the quote is not closed", "", start)
        case "could not find expected ':'":
            whole = Span(start.line, start.column, len(lines.line(begun.line).rstrip()) + 1)
            fault = _Fault("expected 'key: value'", "", whole)
        case "mapping values are not allowed in this context":
            fault = _unexpected_value(before, here)
        case "did not find expected key" | "did not find expected '-' indicator":
            fault = _unexpected_token(before, character, first_line + begun.line + 1, here)
        case "found character that cannot start any token" if character != "\t":
            fault = _Fault(f"a value cannot begin with {character!r}", "put the value in quotes", here)
        case _ if character == "\t" and not before.strip():
            fault = _Fault("a tab as indentation", "indent with spaces: YAML does not allow tabs there", here)
        case str(problem) if problem in _WORDS:
            message, help = _WORDS[problem]
            fault = _Fault(message, help, here)
    around = lines.line(mark.line) + lines.line(begun.line)
    if TEMPLATE.search(around):
        return _Fault(fault.message, TEMPLATE_HELP, fault.span)
    if any(_CONFLICT.match(lines.line(place.line)) for place in (mark, begun)):
        return _Fault(fault.message, "this looks like a merge conflict: resolve it first", fault.span)
    return fault


def _last_character(lines: Lines, end_line: int | None) -> Span:
    """The last that is written, before a line or in all."""
    text = lines.text if end_line is None else lines.text[: lines.starts[end_line]]
    end = max(1, len(text.rstrip(" \r\n\x85\u2028\u2029")))
    return lines.span(end - 1, end)


def _unclosed(lines: Lines, opened: Span, here: Span | None) -> _Fault:
    """A flow collection that does not end, or goes on where it may not."""
    bracket = lines.line(opened.line - 1)[opened.column - 1 : opened.column]
    expected = "expected ',' or " + ("']'" if bracket == "[" else "'}'")
    if here is None:
        return _Fault(f"the {bracket!r} is not closed", "", opened)
    if here.line == opened.line:
        return _Fault(expected, "", here, opened, "opened here")
    return _Fault(f"the {bracket!r} is not closed", "", opened, here, f"{expected} before this")


def _unexpected_value(before: str, here: Span) -> _Fault:
    """A ':' where no key can stand: in a value, or in a line that goes on with the value above."""
    if re.search(r":\s", before):
        return _Fault("a second ':' in one line", "put a value that holds ': ' in quotes", here)
    key = before.lstrip(" -")
    start = here.column - len(key)
    return _Fault(
        "a key where none can stand",
        "align it with the keys that it belongs to; the line above has its value already",
        Span(here.line, start, here.column) if key else here,
    )


def _unexpected_token(before: str, character: str, began: int, here: Span) -> _Fault:
    """Something that does not continue the mapping or list that began on a line."""
    if character == ":":
        return _Fault("no key before the ':'", "", here)
    if not before.strip():
        return _Fault(
            f"this line does not go on with what began in line {began}",
            "align it with the lines that it belongs to",
            here,
        )
    if character in ("]", "}"):
        return _Fault(f"the {character!r} closes nothing", "", here)
    help = "there is a quote too many or too few, here or in a line above"
    return _Fault("unexpected text after a value", help, here)


_TAB = ("a tab as indentation", "indent with spaces: YAML does not allow tabs there")
_WORDS = {
    "block sequence entries are not allowed in this context": (
        "a list where none can stand",
        "begin the list on a line of its own",
    ),
    "did not find expected <document start>": (
        "text after the end of a document",
        "begin another document with '---'",
    ),
    "did not find expected alphabetic or numeric character": (
        "'*' and '&' begin an alias and an anchor, and no name follows",
        "put the value in quotes",
    ),
    "did not find expected comment or line break": (
        "text beside the '|' or '>' that begins a block of text",
        "begin the text on the next line",
    ),
    "did not find expected node content": ("expected a value or the closing bracket", ""),
    "found a tab character that violates indentation": _TAB,
    "found a tab character where an indentation space is expected": _TAB,
    "found incompatible YAML document": ("a version of YAML other than 1.1 and 1.2", "leave out the line"),
    "found invalid Unicode character escape code": (
        "an escape that is no character",
        "write the character itself",
    ),
    "found undefined tag handle": ("a tag that is not declared", "Kubernetes manifests need no tags"),
    "found unexpected ':'": ("no space after the ':'", "write 'key: value', or put the text in quotes"),
    "found unknown escape character": (
        "an escape that YAML does not have",
        "double the backslash, or use single quotes",
    ),
}
"""What libyaml says, what is meant, and how to mend it."""


def _span_at_end(data: bytes) -> Span:
    """The place of the character behind some bytes."""
    text = data.decode("utf-8", "replace")
    return Lines.of(text).span(len(text), len(text) + 1)


def _moved(span: Span, lines: int) -> Span:
    return Span(span.line + lines, span.column, span.end)
