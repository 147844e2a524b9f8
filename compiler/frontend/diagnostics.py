"""Diagnostics as data: what is wrong, where, and how to mend it. Rendering is `render`'s."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from npc.compiler.frontend.codes import Code, Severity
from npc.compiler.frontend.source import Origin


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that a diagnostic speaks of, and what is there."""

    origin: Origin
    label: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about the input."""

    code: Code
    message: str
    origin: Origin | None = None
    field: str = ""
    """The API server's field path (`spec.ingress[0].from[1].ipBlock.cidr`), where there is one."""
    reason: str = ""
    """The API server's error type (`Invalid`, `Required`, ...), where it would give one."""
    label: str = ""
    """What to write beside the caret."""
    help: str = ""
    about: str = ""
    """The object that it is about: `NetworkPolicy shop/web`."""
    related: tuple[Related, ...] = ()
    level: Severity | None = None
    """What it counts as where that is not the code's own severity."""

    @property
    def severity(self) -> Severity:
        return self.level or self.code.severity


class Format(StrEnum):
    """How diagnostics are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


class InputError(Exception):
    """The input has errors; nothing can be compiled from it."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        first = next((d for d in self.diagnostics if d.severity is Severity.ERROR), None)
        super().__init__(first.message if first else "the input has errors")

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Diagnostic, ...]]]:
        """An exception is copied from the arguments of Exception, which is given the message alone."""
        return InputError, (self.diagnostics,)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether one of them is an error."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)


def has_warnings(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether one of them is a warning."""
    return any(diagnostic.severity is Severity.WARNING for diagnostic in diagnostics)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that `word` was most likely meant to be, whatever its case; None when none is close.

    `cutoff` is how alike they must be, from 0 to 1 (difflib's ratio).

    >>> nearest("podSelecter", ["podSelector", "policyTypes"])
    'podSelector'
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    match = difflib.get_close_matches(word.lower()[:80], by_lower, n=1, cutoff=cutoff)
    return by_lower[match[0]] if match else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Help text that names the nearest known word, or lists the known ones."""
    choices = list(known)
    close = nearest(word, choices)
    if close is not None:
        return f"did you mean {close!r}?"
    return "expected one of: " + ", ".join(choices) if choices else ""
