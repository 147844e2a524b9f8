"""Golden rulesets are loaded where dataplane tests can run, and else skipped with the reason."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.dataplane.conftest import pytest_runtest_setup

__all__ = ["ovs_ofctl", "pytest_runtest_setup"]


@pytest.fixture(scope="session")
def ovs_ofctl() -> str:
    """The program's path: to parse flows it needs neither root nor a bridge."""
    path = shutil.which("ovs-ofctl")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("needs ovs-ofctl (not skipped, as CI is set)", pytrace=False)
        pytest.skip("needs ovs-ofctl")
    return path
