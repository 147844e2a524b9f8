"""A ruleset's lines as they are written, for those who are told of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.frontend.source import Origin, Source, Span
from npc.compiler.verify.program import Line, Malformed, Unsupported

_LIKE = re.compile(
    r"^(?:(?P<nft>table \w+ \S+|\{\s*\"nftables\")|(?P<iptables>\*filter|create \S+ (?:hash|bitmap|list):\S+)"
    r"|(?P<ovs>.*\btable=\d+,.*\bactions=))",
    re.MULTILINE,
)
"""Lines that tell a target."""
_HOST_RULE = re.compile(r"(?:\[[0-9]+:[0-9]+\] )?-A (?!NPC)")
"""A rule of iptables that is not in a chain of npc's: Docker's, kube-proxy's, somebody's."""
_HEAD = 2_000
"""Characters of a text in which they are looked for."""


@dataclass(slots=True)
class Pages:
    """The texts of a ruleset, by the names of their files."""

    texts: Mapping[str, str] = field(repr=False)
    _lines: dict[str, list[str]] = field(default_factory=dict)
    _listings: dict[str, Any] = field(default_factory=dict)

    def line(self, line: Line) -> str:
        """What stands in a line; nothing where it is none. Of a listing in JSON it is the rule itself."""
        if not self.has_lines(line):
            return self._listed(line)
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

    def _listed(self, line: Line) -> str:
        """A rule of `nft --json list`, with its chain; nothing where several tables have its handle."""
        if line.file not in self.texts or line.number < 1:
            return ""
        found = [one for one in self._rules_in_json(line.file) if one.get("handle") == line.number]
        if len(found) != 1:
            return ""
        words = " ".join(json.dumps(one, separators=(",", ":")) for one in found[0].get("expr", ()))
        return f"chain {found[0].get('chain')}: {words}"

    def _rules_in_json(self, file: str) -> Iterator[dict[str, Any]]:
        if file not in self._listings:
            try:
                listing: Any = json.loads(self.texts[file])
            except (ValueError, RecursionError):
                listing = None
            self._listings[file] = listing.get("nftables", []) if isinstance(listing, dict) else []
        for entry in self._listings[file]:
            rule = entry.get("rule") if isinstance(entry, dict) else None
            if isinstance(rule, dict) and rule.get("family") == "inet":
                yield rule

    def place(self, line: Line) -> str:
        """`npc.nft:12`, or `ruleset.json: handle 12`; nothing of what stands nowhere."""
        if line.file not in self.texts or line.number < 1:
            return ""
        return str(line) if self.has_lines(line) else f"{line.file}: handle {line.number}"

    def origin(self, line: Line, construct: str = "") -> Origin | None:
        """A line as the place of a diagnostic; of a construct in words, what it has between backticks."""
        written = self.line(line) if self.has_lines(line) else ""
        if not written:
            return None
        word = construct.split("`")[1] if construct.count("`") == 2 else ""
        start = written.find(word) if word else -1
        if start < 0:
            word, start = written.strip(), len(written) - len(written.lstrip())
        span = Span(line.number, start + 1, start + 1 + max(len(word), 1))
        return Origin(Source(line.file, content=self.texts[line.file].encode()), span=span)

    def not_understood(self, error: Unsupported, target: str) -> Diagnostic:
        """The diagnostic of what a reader, or the proof, does not take."""
        origin = self.origin(error.line, error.construct)
        place = self.place(error.line) if origin is None else ""
        where = f" ({place})" if place else ""
        looks_like = self._looks_like(error.line.file)
        if looks_like and looks_like != target:
            other = f"it looks like a ruleset for {looks_like}: give --target {looks_like}"
            error = type(error)(error.construct, error.line, other)
        if isinstance(error, Malformed):
            message = f"malformed: {error.construct.rstrip(',')}{where}"
            return Diagnostic(codes.MALFORMED_RULESET, message, origin, help=error.help or "")
        help = error.help or "npc verify guesses nothing: it proves rulesets of which it knows every word"
        if error.help is None and target == "iptables" and _HOST_RULE.match(self.line(error.line)):
            help = "it comes before npc's jump, or leads there, and so is proven too: put npc's jump first"
        return Diagnostic(
            codes.NOT_UNDERSTOOD, f"{error.construct} is not understood{where}", origin, help=help
        )

    def _looks_like(self, file: str) -> str:
        """The target of npc's own whose rulesets have lines like the first of a text; empty: nobody knows."""
        text = self.texts.get(file, "")
        found = _LIKE.search(text[:_HEAD])
        return "" if found is None or found.lastgroup is None else found.lastgroup
