"""The files of a node are the same whoever makes them, and nothing is lost with a worker."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from npc.api import compile_nodes
from npc.backends.base import Options
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import InputError
from npc.workers import Team, Workers, dask, in_process, lent, processes
from tests.fleet.clusters import NODES, one_by_one, write_cluster
from tests.fleet.dask_cluster import Cluster, cluster
from tests.fleet.tasks import first_line, give_up, linger

SECONDS = 60.0
"""A bound for what takes two."""


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    with cluster(tmp_path_factory.mktemp("dask")) as found:
        yield found


@contextmanager
def threads(thing: Any) -> Iterator[Team]:
    """Two threads, which ask one model."""
    with ThreadPoolExecutor(2) as executor, lent(executor, 2)(thing) as team:
        yield team


@contextmanager
def spawned(thing: Any) -> Iterator[Team]:
    """A pool of the caller's, whose processes begin with nothing."""
    with ProcessPoolExecutor(2, get_context("spawn")) as executor, lent(executor, 2)(thing) as team:
        yield team


LOCAL: list[tuple[str, Workers]] = [
    ("this process", in_process),
    ("one process", processes(1)),
    ("two processes", processes(2)),
    ("more processes than nodes", processes(len(NODES) + 1)),
    ("threads", threads),
    ("spawned processes", spawned),
]


@pytest.mark.parametrize("target", ["nft", "iptables", "ovs"])
@pytest.mark.parametrize("workers", [case[1] for case in LOCAL], ids=[case[0] for case in LOCAL])
def test_workers_of_this_machine(tmp_path: Path, workers: Workers, target: str) -> None:
    paths = write_cluster(tmp_path)
    assert list(compile_nodes(paths, target).compile(workers)) == list(one_by_one(paths, target).items())


@pytest.mark.parametrize("target", ["nft", "iptables", "ovs"])
def test_a_dask_cluster(tmp_path: Path, dask_cluster: Cluster, target: str) -> None:
    paths = write_cluster(tmp_path)
    found = compile_nodes(paths, target).compile(dask(dask_cluster.address))
    assert list(found) == list(one_by_one(paths, target).items())


def test_options_and_templates_travel(tmp_path: Path) -> None:
    paths = write_cluster(tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "nft.j2").write_text('{% include "npc/nft.j2" %}# the end\n', encoding="utf-8")
    options = Options(log_denied=True, table="mine")
    fleet = compile_nodes(paths, "nft", options=options, template_dir=tmp_path / "templates")
    texts = [artifacts["npc.nft"] for _, artifacts in fleet.compile(spawned)]
    expected = [one["npc.nft"] + "# the end\n" for one in one_by_one(paths, "nft", options).values()]
    assert texts == expected


def test_templates_that_a_worker_does_not_have(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    fleet = compile_nodes(write_cluster(tmp_path), "nft", template_dir=tmp_path / "templates")
    (tmp_path / "templates").rmdir()
    with pytest.raises(InputError, match="has no folder") as caught:
        list(fleet)
    assert caught.value.diagnostics[0].code is codes.TEMPLATE


def test_only_what_is_wanted_travels(tmp_path: Path) -> None:
    fleet = compile_nodes(write_cluster(tmp_path), "nft")
    with processes(2)(fleet.compiler) as team:
        found = dict(fleet.each(first_line, team))
    assert [line for _, line in found.values()] == [
        f"# Compiled by npc for nftables: node {one}." for one in NODES
    ]
    assert os.getpid() not in {process for process, _ in found.values()}


def test_progress(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    list(compile_nodes(write_cluster(tmp_path), "nft").compile(progress=lambda *words: told.append(words)))
    assert told == [("compiling nodes", number + 1, len(NODES)) for number in range(len(NODES))]


def test_errors_of_workers_keep_their_diagnostics(tmp_path: Path) -> None:
    """Two endpoints of one node share an OpenFlow port, which only the target can tell."""
    more = "".join(
        f"  - {{name: x{port}, namespace: shop, labels: {{app: web}}, addresses: [10.9.0.{number}], "
        f"node: node-03, ovsPort: 5}}\n"
        for number, port in enumerate("ab")
    )
    fleet = compile_nodes(write_cluster(tmp_path, more=more), "ovs")
    messages = []
    for workers in (in_process, processes(2)):
        with pytest.raises(InputError) as caught:
            list(fleet.compile(workers))
        messages.append([(one.code, one.message) for one in caught.value.diagnostics])
    assert messages[0] == messages[1] != []


@pytest.mark.parametrize("joins_late", [False, True], ids=["both are there", "the other joins late"])
def test_a_dask_worker_is_killed(tmp_path: Path, joins_late: bool) -> None:
    """While it is at a node, which the other one then does: each node comes out once, and as ever."""
    pytest.importorskip("distributed")
    paths = write_cluster(tmp_path)
    fleet = compile_nodes(paths, "nft")
    log = tmp_path / "log"
    log.mkdir()
    with cluster(tmp_path, 1 if joins_late else 2) as found, dask(found.address)(fleet.compiler) as team:
        results = fleet.each(partial(linger, log), team)
        done = [next(results)]
        if joins_late:
            found.add_worker()
        victim = found.workers[0]
        _until(lambda: _at_work(log, victim.pid))
        (interrupted,) = _at_work(log, victim.pid)
        victim.kill()
        done += results
    assert done == list(one_by_one(paths, "nft").items())
    ended = {tuple(path.name.split(" ended ")) for path in log.glob("* ended *")}
    assert (interrupted, str(victim.pid)) not in ended
    assert interrupted in {node for node, _ in ended}


def _at_work(log: Path, process: int) -> set[str]:
    """The nodes that a process has begun with and not ended."""
    begun, ended = (
        {path.name.split()[0] for path in log.glob(f"* {word} {process}")} for word in ("begun", "ended")
    )
    return begun - ended


def _until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_all_dask_workers_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("npc.workers.PATIENCE", 2.0)
    fleet = compile_nodes(write_cluster(tmp_path), "nft")
    with cluster(tmp_path) as found:
        results = fleet.compile(dask(found.address))
        next(results)
        for worker in found.workers:
            worker.kill()
        with pytest.raises(InputError, match="could not do the work") as caught:
            list(results)
    assert caught.value.diagnostics[0].help == "there has been no worker for 2 seconds"


def test_the_dask_scheduler_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    fleet = compile_nodes(write_cluster(tmp_path), "nft")
    with cluster(tmp_path) as found:
        results = fleet.compile(dask(found.address))
        next(results)
        found.scheduler.kill()
        with pytest.raises(InputError) as caught:
            list(results)
    assert [one.code for one in caught.value.diagnostics] == [codes.EXECUTOR]


def test_no_dask_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("npc.workers.PATIENCE", 1.0)
    fleet = compile_nodes(write_cluster(tmp_path), "nft")
    with pytest.raises(InputError, match="no Dask scheduler answers") as caught:
        list(fleet.compile(dask("127.0.0.1:9")))
    assert [one.code for one in caught.value.diagnostics] == [codes.EXECUTOR]


def test_no_dask_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("npc.workers.PATIENCE", 1.0)
    fleet = compile_nodes(write_cluster(tmp_path), "nft")
    with (
        cluster(tmp_path, workers=0) as found,
        pytest.raises(InputError, match="has had no worker") as caught,
    ):
        list(fleet.compile(dask(found.address)))
    assert [one.code for one in caught.value.diagnostics] == [codes.EXECUTOR]


def test_another_version_of_npc(
    tmp_path: Path, dask_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("npc.workers.own_version", lambda: "0.0.0")
    with pytest.raises(InputError, match=r"the Dask worker tcp://\S+ has npc \d") as caught:
        list(compile_nodes(write_cluster(tmp_path), "nft").compile(dask(dask_cluster.address)))
    assert "all workers need npc 0.0.0" in caught.value.diagnostics[0].help


def test_a_process_is_killed(tmp_path: Path) -> None:
    fleet = compile_nodes(write_cluster(tmp_path), "nft")
    with (
        pytest.raises(InputError, match="a worker process was ended") as caught,
        processes(2)(fleet.compiler) as team,
    ):
        list(fleet.each(give_up, team))
    assert [one.code for one in caught.value.diagnostics] == [codes.EXECUTOR]


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match="needs the package distributed") as caught:
        list(compile_nodes(write_cluster(tmp_path), "nft").compile(dask("127.0.0.1:9")))
    assert "npc-compiler[dask]" in caught.value.diagnostics[0].help
