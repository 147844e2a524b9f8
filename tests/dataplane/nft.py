"""Loading nftables rulesets into a network's node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.dataplane.topology import Network


def load_nft(network: Network, text: str) -> None:
    """Run `nft -f` on a script, in the node. CommandError, with nft's words, when nft refuses it."""
    network.node.run(["nft", "-f", "-"], text)


def flush_nft(network: Network) -> None:
    """Remove every table. Conntrack remembers what it saw: see `Network.fresh_port`."""
    network.node.run(["nft", "flush ruleset"])


@contextmanager
def nft_loaded(network: Network, text: str) -> Iterator[None]:
    """Run the body with this script, and nothing else, loaded."""
    flush_nft(network)
    load_nft(network, text)
    try:
        yield
    finally:
        flush_nft(network)
