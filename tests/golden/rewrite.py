"""What npc gives now becomes what is expected: `python -m tests.golden.rewrite [CASE...]`, or `make golden`.

A CASE is a name such as nft/default-deny, or default-deny for that of every target. Read the difference as if
someone else had written it: a golden file is a claim about what policies mean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.golden.cases import GOLDEN, Case, find_cases


def main(names: Sequence[str], root: Path = GOLDEN) -> int:
    """Rewrite the named cases, or all; the exit code."""
    cases = find_cases(root)
    chosen = [case for case in cases if not names or {case.name, case.folder.name} & set(names)]
    unknown = set(names) - {name for case in chosen for name in (case.name, case.folder.name)}
    if unknown:
        print(f"there is no golden case {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    changed = [line for case in chosen for line in rewrite(case)]
    print("\n".join([*changed, f"{len(chosen)} cases, {len(changed)} files changed"]))
    return 0


def rewrite(case: Case) -> Iterable[str]:
    """Bring the expectations of a case up to date, and tell what was done to each file that changed."""
    before, after = case.expected(), case.compiled()
    for name in sorted(before.keys() | after.keys()):
        path = case.folder / name
        if name not in after:
            path.unlink()
            yield f"removed {case.name}/{name}"
        elif after[name] != before.get(name):
            path.write_bytes(after[name].encode("utf-8"))
            yield f"{'rewrote' if name in before else 'wrote'} {case.name}/{name}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
