"""How much a finding counts: its code's own severity, or what the user chose for it.

Takes diagnostics, gives those that count, with the severity that they count as. Everything that npc prints
or decides by (exit codes, `--strict`) comes through `Levels.judged`. What is an error by itself stays one:
a policy that the API server rejects cannot be compiled, whatever the configuration says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from npc.compiler.frontend.codes import ALL, Code, Severity
from npc.compiler.frontend.diagnostics import Diagnostic, did_you_mean

LEVELS: Mapping[str, Severity | None] = {
    "0": None,
    "note": Severity.NOTE,
    "warn": Severity.WARNING,
    "error": Severity.ERROR,
}
"""What a code can be set to; None: it is not reported."""
_BY_NAME = {code.name: code for code in ALL}


@dataclass(frozen=True, slots=True)
class Levels:
    """What was chosen for some codes, by their names.

    >>> levels = Levels({"NPC401": None})
    >>> [levels.of(_BY_NAME[name]) for name in ("NPC401", "NPC402", "NPC709")]
    [None, <Severity.WARNING: 'warning'>, None]
    """

    chosen: Mapping[str, Severity | None] = field(default_factory=dict)

    def of(self, code: Code) -> Severity | None:
        """What findings of a code count as; None: nothing."""
        return self.chosen.get(code.name, code.severity if code.is_on else None)

    def judged(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The diagnostics that count: not switched off, and allowed by no comment beside them."""
        found = [one for one in diagnostics if self.of(one.code) is not None]
        if any(is_configurable(one.code) and one.origin is not None for one in found):
            from npc.compiler.lint.allowances import not_allowed  # seldom needed

            found = not_allowed(found)
        return [self._at_level(one) for one in found]

    def _at_level(self, one: Diagnostic) -> Diagnostic:
        level = self.of(one.code)
        return one if level is one.severity else replace(one, level=level)


DEFAULTS = Levels()
"""Every code counts as its own severity."""


def is_configurable(code: Code) -> bool:
    """Whether a code's level can be chosen: errors are errors."""
    return code.severity is not Severity.ERROR


def level_fault(name: str, level: object) -> tuple[str, str] | None:
    """What is wrong with a choice, and how to mend it; None when it is right.

    >>> level_fault("NPC401", "off")
    ("NPC401: 'off' is not a level", 'write 0, "note", "warn" or "error"')
    """
    code = _BY_NAME.get(name)
    if code is None:
        return f"there is no code {name!r}", did_you_mean(
            name, [one.name for one in ALL if is_configurable(one)]
        )
    if not is_configurable(code):
        return f"{name} is always an error: {code.title}", "only warnings, notes and lints have a level"
    text = str(level) if type(level) in (str, int) else ""
    if text not in LEVELS:
        help = 'write 0, "note", "warn" or "error"'
        return f"{name}: {level!r} is not a level", help
    return None
