"""Targets are found by name."""

from __future__ import annotations

import pytest

from npc.backends.base import Printer, find_target, target_names
from npc.backends.nft import BACKEND
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import InputError


def test_nft_is_there() -> None:
    assert "nft" in target_names()
    assert find_target("nft") is BACKEND


@pytest.mark.parametrize("name", target_names())
def test_a_target_goes_by_the_name_that_it_is_found_by(name: str) -> None:
    target = find_target(name)
    assert target.name == name
    if isinstance(target, Printer):
        assert target.artifact
    else:
        assert target.templates
        assert target.load
        assert target.check


@pytest.mark.parametrize(
    ("name", "help"), [("ntf", "did you mean 'nft'?"), ("", "expected one of"), ("NFT", "nft")]
)
def test_a_target_that_there_is_not(name: str, help: str) -> None:
    with pytest.raises(InputError) as raised:
        find_target(name)
    (fault,) = raised.value.diagnostics
    assert fault.code is codes.NO_TARGET
    assert help in fault.help
