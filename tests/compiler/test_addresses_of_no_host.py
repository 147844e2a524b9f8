"""Addresses that no packet of another host carries are errors: loaders refuse them or read more into them."""

from __future__ import annotations

import pytest

from npc.api import compile_sources
from npc.compiler.frontend.diagnostics import InputError
from npc.compiler.frontend.source import Source

REFUSED = ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1")
TAKEN = ("1.0.0.0", "126.255.255.255", "128.0.0.0", "223.255.255.255", "::2", "fe80::1", "fd00::")


def _compile(address: str) -> None:
    text = f"endpoints: [{{name: a, addresses: ['{address}']}}]"
    compile_sources([Source("inventory.yaml", content=text.encode())])


@pytest.mark.parametrize("address", REFUSED)
def test_refused(address: str) -> None:
    with pytest.raises(InputError, match="is no host's address"):
        _compile(address)


@pytest.mark.parametrize("address", TAKEN)
def test_taken(address: str) -> None:
    _compile(address)
