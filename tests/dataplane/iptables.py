"""Loading npc's iptables artifacts into a network's node, as a user would: with load.sh."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.dataplane.topology import Network

VARIANTS = ("nft", "legacy")
"""Of the programs: iptables-nft and iptables-legacy."""


def load_iptables(network: Network, artifacts: Mapping[str, str], variant: str, *arguments: str) -> str:
    """Run load.sh in the node; what it prints. CommandError when it fails."""
    programs = [f"IPTABLES=iptables-{variant}", f"IP6TABLES=ip6tables-{variant}"]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in artifacts.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        return network.node.run(["env", *programs, "sh", f"{folder}/load.sh", *arguments])


def flush_iptables(network: Network) -> None:
    """Remove every rule and chain, of both variants, and every set."""
    for variant in VARIANTS:
        for program in (f"iptables-{variant}", f"ip6tables-{variant}"):
            network.node.run([program, "-F"])
            network.node.run([program, "-X"])
    network.node.run(["ipset", "destroy"])


@contextmanager
def iptables_loaded(network: Network, artifacts: Mapping[str, str], variant: str) -> Iterator[None]:
    """Run the body with these artifacts, and nothing else, loaded."""
    flush_iptables(network)
    load_iptables(network, artifacts, variant)
    try:
        yield
    finally:
        flush_iptables(network)
