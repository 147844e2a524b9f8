"""Brings the outputs that the manual shows up to date: `python -m tests.docs.rewrite`. Read the difference.

An output with a line `...` is left to its author, and named.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.docs.console import ELISION, Console, matches
from tests.docs.pages import PAGES, Step, blocks, steps


def main() -> None:
    """Rewrite every page, and tell what was done."""
    os.environ["COLUMNS"] = "100"
    for page in PAGES:
        for report in rewrite(page):
            sys.stdout.write(f"{report}\n")


def rewrite(page: Path) -> Iterator[str]:
    """Replace the outputs that a page shows and that are others now; what was done, by line."""
    changed = []
    for step, output in _stale(page):
        if any(line.strip() == ELISION for line in step.output):
            yield f"{page.name}:{step.line}: differs, and is yours to mend"
        else:
            changed.append((step, output))
            yield f"{page.name}:{step.line}: rewritten"
    lines = page.read_text(encoding="utf-8").split("\n")
    for step, output in reversed(changed):
        start = step.first_output - 1
        lines[start : start + len(step.output)] = output.split("\n")[:-1]
    page.write_text("\n".join(lines), encoding="utf-8")


def _stale(page: Path) -> Iterator[tuple[Step, str]]:
    with tempfile.TemporaryDirectory() as folder:
        console = Console(Path(folder))
        for block in blocks(page):
            if block.file is not None:
                console.write(block)
            for step in steps(block) if block.language == "console" else ():
                output = console.run(step.command)
                if step.output and not matches(step.output, output):
                    yield step, output


if __name__ == "__main__":
    main()
