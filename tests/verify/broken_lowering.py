"""Each function of lowering broken in turn, and what the proof says of the rulesets that come of it.

`python -m bench.mutants --lowering` prints a line for each function.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from random import Random
from types import FrameType
from typing import Final

from tests.verify import seeded
from tests.verify.judging import Finding, judge
from tests.verify.rulesets import FORMS, Ruleset, lowered
from tests.verify.sabotage import Bug, Function, functions, wrapped

CAUGHT: Final = frozenset({Finding.CAUGHT.value, Finding.MALFORMED.value, Finding.UNSUPPORTED.value})
"""What the proof says where it does not let a ruleset pass."""
FAILED: Final = "compilation fails"
SAME: Final = "same output"
ATTEMPTS: Final = 24
"""Bugs that are tried in a function until the proof catches one."""
SECONDS: Final = 2
"""How much of the CPU's time a broken compilation may take: it may run in circles."""
PLANS: Final = 4
MOST_LINES: Final = 900
LOGGING: Final = ("nft", "iptables")
"""Targets that can log."""
PACKETS: Final = 60


@dataclass
class Outcome:
    """What became of the bugs in one function."""

    function: str
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_caught(self) -> bool:
        return bool(CAUGHT & self.counts.keys())

    def __str__(self) -> str:
        return f"{self.function}: " + ", ".join(f"{name} {count}" for name, count in self.counts.items())


@cache
def cases(target: str) -> tuple[tuple[Ruleset, str], ...]:
    """Proven rulesets of small random plans in every form, and the form."""
    chance = Random(1)
    found = []
    for form in FORMS[target]:
        made = 0
        while made < PLANS:
            plan = seeded.plan(chance, logs=made % 4 == 3 and target in LOGGING)
            one = lowered(plan, target, form)
            lines = sum(text.count("\n") for text in one.texts.values()) if one else MOST_LINES + 1
            if one is not None and lines <= MOST_LINES and one.plan.classes:
                found.append((one, form))
                made += 1
    return tuple(found)


def outcome(target: str, function: Function, attempts: int = ATTEMPTS) -> Outcome:
    """Try bugs in a function until the proof catches one."""
    found = Outcome(function.name)
    chance = Random(function.name)
    tried = 0
    for ruleset, form in chance.sample(cases(target), len(cases(target))):
        bug = Bug(chance.randrange(1 << 30))
        texts = _compiled(ruleset, form, function, bug)
        if bug.calls and not bug.results:
            bug = Bug(0, is_run=False)
            texts = _compiled(ruleset, form, function, bug)
        if not bug.calls:
            continue
        tried += 1
        if texts is None:
            found.counts[FAILED] += 1
        elif texts == ruleset.texts:
            found.counts[SAME] += 1
        else:
            judgement = judge(ruleset, texts, chance, PACKETS)
            found.counts[judgement.finding.value] += 1
            if judgement.finding is Finding.WRONG:
                found.wrong.append(f"{function.name}, {ruleset}: {judgement.text}")
        if found.is_caught or tried == attempts:
            break
    return found


def _compiled(ruleset: Ruleset, form: str, function: Function, bug: Bug) -> dict[str, str] | None:
    """What a broken compilation gives; None where it fails."""
    with wrapped(function, bug), _limited():
        try:
            made = lowered(ruleset.plan, ruleset.target, form)
        except Exception:  # whatever a broken compiler raises: it gives no ruleset
            return None
    return None if made is None else dict(made.texts)


@contextmanager
def _limited() -> Iterator[None]:
    """Run the body for a bounded time: TimeoutError after that."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def outcomes(target: str, *, step: int = 1, attempts: int = ATTEMPTS) -> Iterator[Outcome]:
    """The functions of a target's lowering, or every so many of them."""
    for function in functions(target)[::step]:
        yield outcome(target, function, attempts)
