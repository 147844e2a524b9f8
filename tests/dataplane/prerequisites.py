"""What the tests here ask of a machine, tried rather than looked up: a kernel may lack any part of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from tests.dataplane.namespace import CommandError
from tests.dataplane.nft import load_nft
from tests.dataplane.probe import differences, matrix, run
from tests.dataplane.topology import Host, Network, open_network

_TRIAL_HOSTS = (Host.of("a", "10.0.0.1", "fd00::1"), Host.of("b", "10.0.0.2", "fd00::2"))
_TRIAL_RULESET = """
table inet trial {
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    ip daddr vmap { 10.0.0.2 : accept }
  }
}
"""


def missing(programs: Iterable[str]) -> str | None:
    """Why a test that runs these programs cannot run here, in one line; None when it can."""
    wanted = ("ip", *programs)
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    if absent := [program for program in wanted if shutil.which(program) is None]:
        return f"needs {' and '.join(absent)}"
    try:
        with open_network(_TRIAL_HOSTS) as network:
            return _trial(network, wanted)
    except (OSError, CommandError) as error:
        return f"network namespaces do not work here: {_one_line(error)}"


def _trial(network: Network, programs: Iterable[str]) -> str | None:
    if "nft" in programs:
        try:
            load_nft(network, _TRIAL_RULESET)
        except CommandError as error:
            return f"nft does not work here: {_one_line(error)}"
    probes = matrix(network.owners, [("tcp", 80), ("udp", 80), ("sctp", 80), ("icmp", 0)])
    expected = dict.fromkeys(probes, True)
    unlike = differences(network, expected, run(network, expected))
    return f"packets do not pass between network namespaces here: {unlike[0]}" if unlike else None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
