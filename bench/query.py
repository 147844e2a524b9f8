"""Time `npc query`: one question to a large cluster beside reading it, and batches beside plain decoding.

    python -m bench.query [--small] [--dir DIR] [--questions 100000]

One question is asked in this process after the files were read: what is printed is how much the answer
adds to reading, of pods by name, by address and by labels; the first question also loads what answers need. A
batch is measured in CPU seconds, beside decoding and encoding as many lines with msgspec.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from bench.compile import SMALL
from bench.generate import reuse_or_generate, size_of, size_options
from npc.asking import unchecked_sources
from npc.compiler.algebra.addresses import format_address
from npc.compiler.inventory import Endpoint
from npc.compiler.resolve import Model
from npc.models import readable

PORTS = (80, 443, 5432, 8080)
SINGLE = 25
"""Single questions, of which the median counts."""


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds that something takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def questions(model: Model, count: int, seed: int) -> list[bytes]:
    """Questions about two random pods each."""
    names = list(map(str, model.inventory.endpoints))
    rng = random.Random(seed)
    return [
        msgspec.json.encode(
            {"src": rng.choice(names), "dst": rng.choice(names), "protocol": "tcp", "port": rng.choice(PORTS)}
        )
        for _ in range(count)
    ]


def answer(model: Model, source: str, destination: str, port: int) -> str:
    """The text that answers a question."""
    from npc.compiler.ask.asking import ask  # as the command: when there is a question
    from npc.compiler.ask.report import text

    return text(ask(model, source, destination, f"tcp/{port}"), _plain)


def by_name(endpoint: Endpoint) -> str:
    """A pod as people call it."""
    return str(endpoint)


def by_address(endpoint: Endpoint) -> str:
    """A pod by its first address."""
    return format_address(endpoint.addresses[0])


def by_labels(endpoint: Endpoint) -> str:
    """The pods of a namespace that share a label with one."""
    key, value = next(iter(endpoint.labels.items()))
    return f"pods({key}={value}) in ns/{endpoint.namespace}"


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: write the cluster if it is not there, measure, print."""
    parser = argparse.ArgumentParser(prog="bench.query", description="Time npc query.")
    size_options(parser)
    parser.add_argument("--small", action="store_true", help="500 policies and 5,000 pods on 50 nodes")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the cluster is, or goes")
    parser.add_argument("--questions", type=int, default=100_000, metavar="N")
    arguments = parser.parse_args(argv)
    size = replace(SMALL, seed=arguments.seed) if arguments.small else size_of(arguments)
    with tempfile.TemporaryDirectory(prefix="npc-bench-") as scratch:
        cluster = reuse_or_generate((arguments.dir or Path(scratch, "cluster")).resolve(), size)
        paths = [str(cluster.policies), str(cluster.inventory)]
        models: list[Model] = []
        reading = seconds(lambda: models.append(unchecked_sources(readable(paths))[0]))
        model = models[0]
        gc.freeze()  # as the command does
        lines = questions(model, arguments.questions, arguments.seed)
        rng = random.Random(arguments.seed)
        told = [one for one in model.inventory.endpoints if one.addresses and one.labels]
        pairs = [(rng.choice(told), rng.choice(told), rng.choice(PORTS)) for _ in range(SINGLE)]
        source, destination, port = pairs[0]
        first = seconds(partial(answer, model, by_name(source), by_name(destination), port))
        singles = {
            words: statistics.median(
                seconds(partial(answer, model, say(source), say(destination), port))
                for source, destination, port in pairs
            )
            for words, say in (("by name", by_name), ("by address", by_address), ("by labels", by_labels))
        }
    from npc.compiler.ask.batch import Batch
    from npc.compiler.ask.relation import Relation

    batch = Batch(Relation(model))
    fresh, again = (seconds(lambda: list(batch.answers(lines))) for _ in range(2))
    floor = seconds(lambda: [_encoded(msgspec.json.decode(one)) for one in lines])
    print(f"npc query: {size.policies:,} policies, {size.pods:,} pods; CPU time")
    print(f"the first question, with what it loads: {first * 1000:.1f} ms")
    for words, single in singles.items():
        print(f"one question {words}: {single * 1000:.1f} ms, {single / reading:.2%} of reading the files")
    print(
        f"a batch of {len(lines):,}: {len(lines) / fresh:,.0f} a second, "
        f"{fresh / floor:.1f} times decoding the lines; asked again {len(lines) / again:,.0f}"
    )


def _encoded(question: object) -> bytes:
    return msgspec.json.encode({"allowed": bool(question)})


def _plain(words: str, _colour: str) -> str:
    return words


if __name__ == "__main__":
    main()
