"""Writes what `npc check` says now as what is expected: `python -m tests.frontend.broken.rewrite [TABLE...]`.

Read the difference as a user would: is the caret at the mistake, and does one know how to mend it?
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.frontend.broken.table import LANGUAGE, Case, read_table, tables, write_table


def main(names: Sequence[str]) -> None:
    """Rewrite the tables of these names, or all."""
    for table in (*tables(), *tables(LANGUAGE)):
        if not names or table.stem in names:
            write_table(table, [_as_it_is(case) for case in read_table(table)])


def _as_it_is(case: Case) -> Case:
    with tempfile.TemporaryDirectory() as folder:
        return replace(case, expected=case.check(Path(folder)).stdout.strip("\n"))


if __name__ == "__main__":
    main(sys.argv[1:])
