"""Tests marked `dataplane(program, …)` need root, `ip`, network namespaces and the named programs.

Where something is missing they are skipped with the reason, unless the environment variable CI is set:
there they fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.dataplane.prerequisites import missing
from tests.dataplane.topology import NetworkFor, network_cache

_MISSING = pytest.StashKey[dict[tuple[str, ...], str | None]]()
_NETWORKS_KEPT = 4


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: a fixture of a wider scope may already build a network."""
    marker = item.get_closest_marker("dataplane")
    if marker is None:
        return
    known = item.config.stash.setdefault(_MISSING, {})
    if marker.args not in known:
        known[marker.args] = missing(marker.args)
    reason = known[marker.args]
    if reason is None:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (not skipped, as CI is set)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def network_for() -> Iterator[NetworkFor]:
    """`open_network`, but equal arguments give the network that already stands: see `network_cache`."""
    with network_cache(_NETWORKS_KEPT) as cached:
        yield cached
