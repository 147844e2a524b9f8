"""What `bench.fleet` makes of its measurements."""

from __future__ import annotations

from pathlib import Path

from bench.cluster import Size
from bench.fleet import Result, measure, report
from bench.generate import reuse_or_generate
from bench.process import Usage


def test_report() -> None:
    result = Result(
        nodes=101,
        alone=(Usage(2.0, 1.9, 10**8, ""), Usage(2.2, 2.1, 10**8, ""), Usage(9.0, 9.0, 10**8, "")),
        one_job=Usage(4.4, 4.1, 2 * 10**8, ""),
        several_jobs=Usage(3.3, 5.0, 10**8, ""),
        jobs=2,
        bytes_written=202 * 10**6,
    )
    assert report(result).splitlines() == [
        "101 nodes                                 wall s     CPU s   peak MB to --jobs 1",
        "--all-nodes --jobs 1                         4.4       4.1       200        1.00",
        "--all-nodes --jobs 2                         3.3       5.0       100        0.75",
        "a loop of --node (from 3)                  222.2                            50.5",
        "a node after the first: 20.0 ms of CPU, written; 2.00 MB each",
    ]


def test_it_measures(tmp_path: Path) -> None:
    cluster = reuse_or_generate(tmp_path / "cluster", Size(policies=10, pods=40, namespaces=2, nodes=4))
    result = measure(cluster, "nft", 4, alone=2, jobs=2, scratch=tmp_path)
    assert len(result.alone) == 2
    assert result.bytes_written == sum(path.stat().st_size for path in (tmp_path / "all").rglob("npc.nft"))
