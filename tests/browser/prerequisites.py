"""What the tests here ask of a machine, tried rather than looked up: a browser may be there and not run."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.browser.chromium import PROGRAMS, BrowserError, chromium, program


def missing() -> str | None:
    """Why a test in a browser cannot run here, in one line; None when it can."""
    if program() is None:
        return f"needs a browser: none of {', '.join(PROGRAMS)} is installed"
    try:
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
            chromium(Path(profile)) as page,
        ):
            answer = page.evaluate("6 * 7")
    except (OSError, BrowserError) as error:
        return f"the browser does not run here: {' '.join(str(error).split())}"
    return None if answer == 42 else f"the browser says that 6 × 7 is {answer}"
