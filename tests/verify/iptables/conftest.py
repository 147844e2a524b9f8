"""Tests that load rulesets are skipped where nothing can, with the reason."""

from __future__ import annotations

from tests.dataplane.conftest import pytest_runtest_setup

__all__ = ["pytest_runtest_setup"]
