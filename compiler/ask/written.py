"""Where rules are written, for those who name them: read again only when something is to be said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from npc.compiler.ask.rulings import Decider
from npc.compiler.frontend.locate import shown
from npc.compiler.frontend.render import cropped, printable
from npc.compiler.frontend.source import Origin, Span


@dataclass(frozen=True, slots=True)
class WrittenRules:
    """The places of some rules, each with the line that it is on."""

    places: Mapping[Origin, tuple[Span, str]]

    @staticmethod
    def of(deciders: Iterable[Decider]) -> WrittenRules:
        return WrittenRules(shown(one.rule.origin for one in deciders))

    def line(self, decider: Decider) -> tuple[str, int, int, str]:
        """File, line and column of a rule, and what the line says; without control characters.

        Of a long line it is the part around the rule: a file of JSON may be one line of megabytes.
        """
        origin = decider.rule.origin
        span, line = self.places[origin]
        said = cropped(line, span.column - 1, span.end - 1)[0].strip()
        return printable(origin.source.name), span.line, span.column, printable(said)
