"""Every mutant of a ruleset is caught with a true witness, shown equivalent, or refused by name."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from tests.verify.judging import Finding, Judgement
from tests.verify.mutants import Mutant, examined, originals, table
from tests.verify.notations import MUTATIONS

ALL: Final = 2000
FEW: Final = 300
MOST_REFUSED: Final = 1 / 10
"""Of the mutants, those with a construct that a reader does not know: it refuses them by name."""

Found = list[tuple[Mutant, Judgement]]


@pytest.mark.parametrize("target", MUTATIONS)
def test_what_mutants_are_made_of_is_proven(target: str) -> None:
    assert [str(one) for one in originals()[target] if not one.proof] == []


def test_some_mutants() -> None:
    check(list(examined(range(FEW))))


@pytest.mark.slow
def test_all_mutants() -> None:
    found = list(examined(range(ALL)))
    check(found)
    tried = {(mutant.ruleset.target, mutant.mutation) for mutant, _ in found}
    assert tried == {(target, name) for target, names in MUTATIONS.items() for name in names}
    caught = {
        (mutant.ruleset.target, mutant.mutation)
        for mutant, judgement in found
        if judgement.finding is Finding.CAUGHT
    }
    assert tried - caught == NEVER_CAUGHT.keys()


NEVER_CAUGHT: Final = {
    ("nft", "family swapped"): "sets are of one family: nft takes none of them",
    ("nft", "policy flipped"): "every way through the chains ends in a verdict: no packet meets the policy",
}
"""Mutations of which none means anything else, and why."""


def check(found: Found) -> None:
    wrong = [
        f"{mutant}\n  {judgement.text}" for mutant, judgement in found if judgement.finding is Finding.WRONG
    ]
    assert wrong == [], table(found)
    counts = Counter(judgement.finding for _, judgement in found)
    assert counts[Finding.UNSUPPORTED] <= MOST_REFUSED * len(found), table(found)
    assert counts[Finding.CAUGHT] > len(found) / 2, table(found)
    refused = [
        str(mutant)
        for mutant, judgement in found
        if judgement.finding in (Finding.MALFORMED, Finding.UNSUPPORTED) and not judgement.text
    ]
    assert refused == [], "what is refused is named"
