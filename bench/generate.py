"""Write a synthetic cluster: DIR/policies.yaml and DIR/inventory.json.

    python -m bench.generate DIR --policies 10000 --pods 100000 --namespaces 1000 --nodes 1000 [--seed 1]

The files are a function of the arguments alone, byte for byte: no clock, no environment. Both are
written as a stream: only the order of the pods' places and the names in one namespace are held in memory.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import yaml

from bench import objects, policies
from bench.cluster import Size, Topology

DEFAULT = Size()
# Written last, so that a directory whose generation was cut short is not taken for a whole one.
SIZE_FILE = "size.json"
ITEM_INDENT = b"\n" + 8 * b" "


@dataclass(frozen=True, slots=True)
class Cluster:
    """The two files of a generated cluster."""

    policies: Path
    inventory: Path


def generate(
    directory: Path,
    *,
    policies: int = DEFAULT.policies,
    pods: int = DEFAULT.pods,
    namespaces: int = DEFAULT.namespaces,
    nodes: int = DEFAULT.nodes,
    seed: int = DEFAULT.seed,
) -> Cluster:
    """Write a cluster into `directory`; raise ValueError for a size that its address ranges cannot hold."""
    return generate_size(directory, Size(policies, pods, namespaces, nodes, seed))


def generate_size(directory: Path, size: Size) -> Cluster:
    """Write the cluster of that size into `directory`, made when absent, over what is there."""
    topology = Topology(size)
    cluster = _cluster(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / SIZE_FILE).unlink(missing_ok=True)
    with cluster.policies.open("w", encoding="utf-8") as file:
        yaml.dump_all(
            policies.policies(topology), file, Dumper=yaml.CSafeDumper, explicit_start=True, sort_keys=False
        )
    with cluster.inventory.open("wb", buffering=1 << 20) as binary:
        write_list(binary, objects.objects(topology))
    (directory / SIZE_FILE).write_bytes(msgspec.json.encode(asdict(size)))
    return cluster


def reuse_or_generate(directory: Path, size: Size) -> Cluster:
    """The cluster of that size in `directory`, written only when it is not there already."""
    size_file = directory / SIZE_FILE
    if size_file.exists() and msgspec.json.decode(size_file.read_bytes(), type=Size) == size:
        return _cluster(directory)
    return generate_size(directory, size)


def write_list(file: BinaryIO, items: Iterable[dict[str, Any]]) -> None:
    """Write a `v1 List` the way kubectl prints one: keys sorted, four spaces to a level."""
    encode = msgspec.json.Encoder(order="sorted").encode
    file.write(b'{\n    "apiVersion": "v1",\n    "items": [')
    separator = b""
    for item in items:
        text = msgspec.json.format(encode(item), indent=4).replace(b"\n", ITEM_INDENT)
        file.write(separator + ITEM_INDENT + text)
        separator = b","
    file.write(b'\n    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n')


def size_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that make a `Size`, for `size_of`."""
    for name, value in asdict(DEFAULT).items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N", help=f"default {value}")


def size_of(arguments: argparse.Namespace) -> Size:
    """The `Size` that the options of `size_options` ask for."""
    return Size(**{name: getattr(arguments, name) for name in asdict(DEFAULT)})


def _cluster(directory: Path) -> Cluster:
    return Cluster(directory / "policies.yaml", directory / "inventory.json")


def main() -> None:
    """The command line: write the files, print their names and sizes."""
    parser = argparse.ArgumentParser(prog="bench.generate", description="Write a synthetic cluster.")
    parser.add_argument("directory", type=Path, metavar="DIR")
    size_options(parser)
    arguments = parser.parse_args()
    cluster = generate_size(arguments.directory, size_of(arguments))
    for path in (cluster.policies, cluster.inventory):
        print(f"{path}  {path.stat().st_size / 1e6:,.1f} MB")


if __name__ == "__main__":
    main()
