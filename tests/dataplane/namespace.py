"""Network namespaces without names: a file descriptor is all that keeps one alive.

A namespace made here has no name that could collide with another's. The kernel destroys it, with every
device, route and ruleset inside, when the descriptor is closed or the process ends, be it by SIGKILL. To
look into one from a shell while a test stands in the debugger: `nsenter --net=/proc/PID/fd/FD`
(`Namespace.path`).

setns(2) and unshare(2) move the calling thread only; every function here moves it back before it returns.
Python has os.setns from 3.12 on; ctypes serves 3.11 as well.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_COMMAND_SECONDS = 120
_LIBC = ctypes.CDLL(None, use_errno=True)


class CommandError(Exception):
    """A command ended with an error; `stderr` holds its own words."""

    def __init__(self, argv: Sequence[str], namespace: str, code: int, stderr: str) -> None:
        super().__init__(f"{' '.join(argv)} in namespace {namespace}: exit code {code}\n{stderr.rstrip()}")
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace; `name` is for messages only."""

    name: str
    descriptor: int

    @classmethod
    def create(cls, name: str) -> Namespace:
        """Make a namespace with nothing but a loopback device, which is down. OSError: not root."""
        with _returning():
            _check(_LIBC.unshare(_CLONE_NEWNET), "unshare(CLONE_NEWNET)")
            return cls(name, _current())

    def close(self) -> None:
        """Let go of it: the kernel destroys it once no process and no socket is inside."""
        os.close(self.descriptor)

    @property
    def path(self) -> str:
        """The path by which another process (`ip link add … netns PATH`) finds it."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Run the body inside: the sockets it creates and the processes it starts belong here."""
        with _returning():
            _setns(self.descriptor)
            yield

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """Make a non-blocking socket, which stays inside wherever it is used from."""
        with self.entered():
            made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    def run(self, argv: Sequence[str], stdin: str = "") -> str:
        """Run a command inside and give its standard output. CommandError when it fails."""
        with self.entered():
            done = subprocess.run(
                argv, input=stdin, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
            )
        if done.returncode != 0:
            raise CommandError(argv, self.name, done.returncode, done.stderr)
        return done.stdout

    def set_sysctls(self, values: Mapping[str, int]) -> None:
        """Set sysctls, named by their path below /proc/sys/net, which shows the caller's namespace."""
        with self.entered():
            for name, value in values.items():
                Path("/proc/sys/net", name).write_text(str(value), encoding="ascii")


def _current() -> int:
    """A descriptor of the calling thread's namespace."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def _returning() -> Iterator[None]:
    home = _current()
    try:
        yield
    finally:
        try:
            _setns(home)
        finally:
            os.close(home)


def _setns(descriptor: int) -> None:
    _check(_LIBC.setns(descriptor, _CLONE_NEWNET), "setns")


def _check(result: int, call: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{call}: {os.strerror(error)}")
