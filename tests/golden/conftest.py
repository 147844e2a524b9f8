"""Golden rulesets are loaded under the same conditions as the dataplane tests: root, nft and namespaces, or a skip."""

from tests.dataplane.conftest import pytest_runtest_setup

__all__ = ["pytest_runtest_setup"]
