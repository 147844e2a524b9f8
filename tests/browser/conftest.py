"""Tests marked `browser` need a Chromium that runs.

Where there is none they are skipped with the reason, unless the environment variable CI is set: there they
fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Page, chromium
from tests.browser.prerequisites import missing

_MISSING = pytest.StashKey[list[str | None]]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: the browser is one."""
    if item.get_closest_marker("browser") is None:
        return
    known = item.config.stash.setdefault(_MISSING, [])
    if not known:
        known.append(missing())
    if known[0] is None:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{known[0]} (not skipped, as CI is set)", pytrace=False)
    pytest.skip(known[0])


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of a browser that the tests of a module share, one after the other."""
    with chromium(Path(tmp_path_factory.mktemp("profile"))) as page:
        yield page
