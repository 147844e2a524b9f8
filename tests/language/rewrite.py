"""Writes what npc makes of the texts in golden/language now as what is expected.

`python -m tests.language.rewrite`, which is part of `make golden`. Read the difference as an author would:
is it what you would have written?
"""

from __future__ import annotations

import sys

from tests.language.golden import GOLDEN, stale


def main() -> None:
    """Rewrite every file that is stale, and tell which."""
    for path, made in stale():
        path.write_text(made, encoding="utf-8")
        sys.stdout.write(f"rewrote {path.relative_to(GOLDEN.parent)}\n")


if __name__ == "__main__":
    main()
