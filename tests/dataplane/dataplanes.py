"""The dataplanes that one set of tests runs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

import pytest

from npc.backends.base import Options
from tests.dataplane.iptables import iptables_loaded
from tests.dataplane.nft import nft_loaded
from tests.dataplane.topology import Network


@dataclass(frozen=True, slots=True)
class Dataplane:
    """A target and the kernel side that loads its artifacts."""

    name: str
    target: str
    programs: tuple[str, ...]
    loaded: Callable[[Network, Mapping[str, str]], AbstractContextManager[None]]
    """Runs its body with the artifacts loaded, and nothing else."""
    options: Options = field(default_factory=Options)

    def param(self) -> object:
        """For `pytest.mark.parametrize`, with the mark that asks for the programs."""
        return pytest.param(self, id=self.name, marks=pytest.mark.dataplane(*self.programs))


def _nft(network: Network, artifacts: Mapping[str, str]) -> AbstractContextManager[None]:
    return nft_loaded(network, artifacts["npc.nft"])


_IPTABLES = ("iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy", "ipset")
NFT = Dataplane("nft", "nft", ("nft",), _nft)
IPTABLES = tuple(
    Dataplane(f"iptables-{variant}", "iptables", _IPTABLES, partial(iptables_loaded, variant=variant))
    for variant in ("nft", "legacy")
)
WITHOUT_IPSET = Dataplane(
    "iptables-nft without ipset",
    "iptables",
    _IPTABLES,
    partial(iptables_loaded, variant="nft"),
    Options(settings={"ipset": "no"}),
)
ALL = (NFT, *IPTABLES)
