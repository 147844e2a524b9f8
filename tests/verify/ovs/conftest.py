"""Listings of real bridges are read where dataplane tests can run, and else skipped with the reason."""

from __future__ import annotations

from tests.dataplane.conftest import pytest_runtest_setup

__all__ = ["pytest_runtest_setup"]
