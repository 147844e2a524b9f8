"""The dataplanes that one set of tests runs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

import pytest

from npc.backends.base import Options
from tests.dataplane.iptables import VARIANTS, iptables_loaded, load_iptables
from tests.dataplane.nft import load_nft, nft_loaded
from tests.dataplane.topology import Network


@dataclass(frozen=True, slots=True)
class Dataplane:
    """A target and the kernel side that loads its artifacts."""

    name: str
    target: str
    programs: tuple[str, ...]
    loaded: Callable[[Network, Mapping[str, str]], AbstractContextManager[None]]
    """Runs its body with the artifacts loaded, and nothing else."""
    load: Callable[[Network, Mapping[str, str]], object]
    """Loads them over what is loaded."""
    options: Options = field(default_factory=Options)

    def param(self) -> object:
        """For `pytest.mark.parametrize`, with the mark that asks for the programs."""
        return pytest.param(self, id=self.name, marks=pytest.mark.dataplane(*self.programs))


def _nft_loaded(network: Network, artifacts: Mapping[str, str]) -> AbstractContextManager[None]:
    return nft_loaded(network, artifacts["npc.nft"])


def _load_nft(network: Network, artifacts: Mapping[str, str]) -> None:
    load_nft(network, artifacts["npc.nft"])


def _iptables(name: str, variant: str, options: Options) -> Dataplane:
    loaded, load = partial(iptables_loaded, variant=variant), partial(load_iptables, variant=variant)
    return Dataplane(name, "iptables", _IPTABLES, loaded, load, options)


_IPTABLES = ("iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy", "ipset")
NFT = Dataplane("nft", "nft", ("nft",), _nft_loaded, _load_nft)
IPTABLES = tuple(_iptables(f"iptables-{variant}", variant, Options()) for variant in VARIANTS)
WITHOUT_IPSET = _iptables("iptables-nft without ipset", "nft", Options(settings={"ipset": "no"}))
ALL = (NFT, *IPTABLES)
