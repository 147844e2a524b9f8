"""Mutants of rulesets, and what the proof says of each, as a table (`python -m bench.mutants`).

Seeded: mutant number N is the same at every call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

from tests.verify import seeded
from tests.verify.judging import Finding, Judgement, changed_lines, judge
from tests.verify.notations import MUTATIONS
from tests.verify.rulesets import TARGETS, Ruleset, golden, some

MOST_LINES: Final = 500
"""Of a ruleset that mutants are made of."""
RANDOM_PLANS: Final = 40
PACKETS: Final = 150


@dataclass(frozen=True, slots=True)
class Mutant:
    """A ruleset with one place changed."""

    number: int
    ruleset: Ruleset
    mutation: str
    texts: Mapping[str, str]

    def __str__(self) -> str:
        lines = "\n    ".join(changed_lines(self.ruleset.texts, self.texts)[:6])
        return f"mutant {self.number}, {self.ruleset}, {self.mutation}:\n    {lines}"


@cache
def originals() -> Mapping[str, tuple[Ruleset, ...]]:
    """Rulesets that mutants are made of, by target: golden cases and random plans."""
    found: dict[str, list[Ruleset]] = {target: [] for target in TARGETS}
    for one in (*golden(), *some(Random(0), seeded.plan, RANDOM_PLANS)):
        if one.plan.classes and sum(text.count("\n") for text in one.texts.values()) <= MOST_LINES:
            found[one.target].append(one)
    return {target: tuple(rulesets) for target, rulesets in found.items()}


def mutants(numbers: Iterable[int]) -> Iterator[Mutant]:
    """Mutants by their numbers: targets and mutations take turns."""
    for number in numbers:
        target = TARGETS[number % len(TARGETS)]
        names = sorted(MUTATIONS[target])
        yield _mutant(number, target, names[number // len(TARGETS) % len(names)])


def _mutant(number: int, target: str, name: str) -> Mutant:
    chance = Random(number)
    mutation = MUTATIONS[target][name]
    rulesets = originals()[target]
    for ruleset in chance.sample(rulesets, len(rulesets)):
        files = [file for file in ruleset.texts if not file.endswith(".sh")]
        for file in chance.sample(files, len(files)):
            lines = ruleset.texts[file].split("\n")
            changed = mutation(chance, lines)
            if changed is not None and changed != lines:
                texts = {**ruleset.texts, file: "\n".join(changed)}
                return Mutant(number, ruleset, name, texts)
    raise LookupError(f"{target}: no ruleset has a place for the mutation {name!r}")


def examined(numbers: Iterable[int]) -> Iterator[tuple[Mutant, Judgement]]:
    """Mutants, and what the proof makes of them."""
    for one in mutants(numbers):
        yield one, judge(one.ruleset, one.texts, Random(one.number), PACKETS)


def table(found: Iterable[tuple[Mutant, Judgement]]) -> str:
    """How many of each target and mutation came to what, as text."""
    counts: dict[tuple[str, str], Counter[Finding]] = {}
    for mutant, judgement in found:
        key = mutant.ruleset.target, mutant.mutation
        counts.setdefault(key, Counter())[judgement.finding] += 1
    words = "".join(f"{finding.value:>12}" for finding in Finding)
    lines = [f"{'':52}{words}"]
    total: Counter[Finding] = Counter()
    for (target, mutation), count in sorted(counts.items()):
        cells = "".join(f"{count[finding] or '':>12}" for finding in Finding)
        lines.append(f"{target:10}{mutation:42}{cells}")
        total += count
    lines.append(f"{'all':52}{''.join(f'{total[finding]:>12}' for finding in Finding)}")
    return "\n".join(lines)
