"""Networks end, however their block or their process ends, and the cache keeps no more than it should."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.dataplane.namespace import CommandError, Namespace
from tests.dataplane.topology import Host, Network, network_cache, open_network

pytestmark = pytest.mark.dataplane

ROOT = Path(__file__).parents[2]
HOSTS = (Host.of("a", "10.0.0.1", "fd00::1"), Host.of("b", "10.0.0.2"))


@pytest.fixture
def watcher() -> Iterator[Namespace]:
    """A namespace to tie others to, which outlives them."""
    with closing(Namespace.create("watcher")) as watcher:
        yield watcher


def tie(network: Network, watcher: str) -> None:
    """Join each namespace to the watcher by a veth pair, which goes when the kernel destroys either end."""
    for index, namespace in enumerate(network.namespaces):
        pair = ["watched", "type", "veth", "peer", "name", f"tie{index}", "netns", watcher]
        namespace.run(["ip", "link", "add", *pair])


def ties(watcher: Namespace) -> list[str]:
    with watcher.entered():
        return [name for _, name in socket.if_nameindex() if name.startswith("tie")]


def ties_left(watcher: Namespace) -> list[str]:
    """The ties that stay: the kernel destroys namespaces in the background."""
    deadline = time.monotonic() + 20
    while (left := ties(watcher)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def home() -> Path:
    return Path("/proc/thread-self/ns/net").readlink()


def test_after_the_block(watcher: Namespace) -> None:
    before = open_descriptors()
    with open_network(HOSTS) as network:
        tie(network, watcher.path)
        assert ties(watcher) == ["tie0", "tie1", "tie2"]
    assert open_descriptors() == before
    assert ties_left(watcher) == []


def test_after_an_error_in_the_block(watcher: Namespace) -> None:
    def fail() -> None:
        with open_network(HOSTS) as network:
            tie(network, watcher.path)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert ties_left(watcher) == []


def test_after_an_error_while_building() -> None:
    before = open_descriptors()
    with pytest.raises(CommandError), open_network([*HOSTS, Host.of("multicast", "ff02::1")]):
        pass
    assert open_descriptors() == before


def test_after_a_kill(watcher: Namespace) -> None:
    script = f"""if True:
        import sys
        from tests.dataplane.test_lifetime import HOSTS, open_network, tie
        with open_network(HOSTS) as network:
            tie(network, "{watcher.path}")
            print("tied", flush=True)
            sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "tied\n"
        assert ties(watcher) == ["tie0", "tie1", "tie2"]
        process.kill()
    assert ties_left(watcher) == []


def test_the_thread_returns_after_an_error(watcher: Namespace) -> None:
    def fail() -> None:
        with watcher.entered():
            assert home() != before
            raise LookupError

    before = home()
    with pytest.raises(LookupError):
        fail()
    assert home() == before


def test_the_cache_keeps_the_networks_used_last() -> None:
    a, b, c = ((Host.of(name, "10.0.0.1"),) for name in "abc")
    before = open_descriptors()
    with network_cache(kept=2) as network_for:
        first, second = network_for(a), network_for(b)
        assert network_for(iter(a)) is first
        network_for(c)
        assert network_for(a) is first
        assert network_for(b) is not second
    assert open_descriptors() == before
