"""How the proof does on what is wrong: mutants of rulesets, and lowering with a bug in each of its functions.

    python -m bench.mutants --count 2000
    python -m bench.mutants --lowering

Prints a table of what was found of each target and mutation, what was refused, by name, and everything about
which the proof is wrong: then the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.verify.broken_lowering import outcomes
from tests.verify.judging import Finding
from tests.verify.mutants import examined, table
from tests.verify.rulesets import TARGETS


def main() -> None:
    """Read the command line and print the findings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=2000, help="how many mutants")
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--lowering", action="store_true", help="break lowering instead of rulesets")
    parser.add_argument("--target", choices=TARGETS, action="append", help="of lowering: this target alone")
    given = parser.parse_args()
    is_wrong = lowering(given.target or TARGETS) if given.lowering else mutants(given.first, given.count)
    sys.exit(1 if is_wrong else 0)


def mutants(first: int, count: int) -> bool:
    """Print what the proof makes of mutants; whether it is wrong about one."""
    found = list(examined(range(first, first + count)))
    print(table(found))
    refused = Counter(
        f"{mutant.ruleset.target} {judgement.finding.value}: {judgement.text}"
        for mutant, judgement in found
        if judgement.finding in (Finding.MALFORMED, Finding.UNSUPPORTED)
    )
    for text, times in sorted(refused.items()):
        print(f"{times:4} {text}")
    wrong = [(mutant, judgement.text) for mutant, judgement in found if judgement.finding is Finding.WRONG]
    for mutant, text in wrong:
        print(f"{mutant}\n  {text}")
    return bool(wrong)


def lowering(targets: list[str] | tuple[str, ...]) -> bool:
    """Print what the proof makes of broken lowering; whether it is wrong about a ruleset."""
    is_wrong = False
    for target in targets:
        found = 0
        caught = 0
        for one in outcomes(target):
            print(f"{target:10}{'caught' if one.is_caught else 'not caught':12}{one}", flush=True)
            for text in one.wrong:
                print(f"  WRONG: {text}")
            is_wrong |= bool(one.wrong)
            found += 1
            caught += one.is_caught
        print(f"{target}: {found} functions, {caught} caught", flush=True)
    return is_wrong


if __name__ == "__main__":
    main()
