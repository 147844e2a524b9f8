"""A ruleset's lines as they are written, for those who are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.source import Origin, Source, Span
from npc.compiler.verify.program import Line, Malformed, Unsupported


@dataclass(slots=True)
class Pages:
    """The texts of a ruleset, by the names of their files."""

    texts: Mapping[str, str] = field(repr=False)
    _lines: dict[str, list[str]] = field(default_factory=dict)

    def line(self, line: Line) -> str:
        """What stands in a line; nothing where it is none, as in a listing in JSON."""
        if not self.has_lines(line):
            return ""
        lines = self.lines(line.file)
        return lines[line.number - 1].rstrip("\r") if 0 < line.number <= len(lines) else ""

    def lines(self, file: str) -> list[str]:
        """All lines of a file."""
        if file not in self._lines:
            self._lines[file] = self.texts[file].split("\n")
        return self._lines[file]

    def has_lines(self, line: Line) -> bool:
        """Whether a rule stands in a line; in a listing in JSON its number is its handle."""
        text = self.texts.get(line.file)
        return text is not None and line.number > 0 and text[:64].lstrip()[:1] not in ("{", "[")

    def place(self, line: Line) -> str:
        """`npc.nft:12`, or `ruleset.json: handle 12`; nothing of what stands nowhere."""
        if line.file not in self.texts or line.number < 1:
            return ""
        return str(line) if self.has_lines(line) else f"{line.file}: handle {line.number}"

    def origin(self, line: Line, construct: str = "") -> Origin | None:
        """A line as the place of a diagnostic; of a construct in words, what it has between backticks."""
        written = self.line(line)
        if not written:
            return None
        word = construct.split("`")[1] if construct.count("`") == 2 else ""
        start = written.find(word) if word else -1
        if start < 0:
            word, start = written.strip(), len(written) - len(written.lstrip())
        span = Span(line.number, start + 1, start + 1 + max(len(word), 1))
        return Origin(Source(line.file, content=self.texts[line.file].encode()), span=span)

    def not_understood(self, error: Unsupported) -> Diagnostic:
        """The diagnostic of what a reader, or the proof, does not take."""
        origin = self.origin(error.line, error.construct)
        place = self.place(error.line) if origin is None else ""
        where = f" ({place})" if place else ""
        if isinstance(error, Malformed):
            help = error.help or ""
            return Diagnostic(
                codes.MALFORMED_RULESET, f"malformed: {error.construct}{where}", origin, help=help
            )
        help = error.help or "npc verify guesses nothing: it proves rulesets of which it knows every word"
        return Diagnostic(
            codes.NOT_UNDERSTOOD, f"{error.construct} is not understood{where}", origin, help=help
        )
