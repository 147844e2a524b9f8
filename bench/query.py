"""Time `npc query`: one question to a large cluster beside reading it, and batches beside plain decoding.

    python -m bench.query [--small] [--dir DIR] [--questions 100000]

One question is asked in this process after the files were read: what is printed is how much the answer
adds to reading. A batch is measured in CPU seconds, beside decoding and encoding as many lines with msgspec.
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
from typing import Any

import msgspec

from bench.compile import SMALL
from bench.generate import reuse_or_generate, size_of, size_options
from npc.compiler.ask.asking import ask
from npc.compiler.ask.batch import Batch
from npc.compiler.ask.relation import Relation
from npc.compiler.ask.report import text
from npc.compiler.resolve import Model
from npc.models import model_paths

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


def answer(model: Model, question: dict[str, Any]) -> str:
    """The text that answers a question."""
    reply = ask(model, question["src"], question["dst"], f"tcp/{question['port']}")
    return text(reply, _plain)


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: write the cluster if it is not there, measure, print."""
    parser = argparse.ArgumentParser(prog="bench.query", description="Time npc query.")
    size_options(parser)
    parser.add_argument("--small", action="store_true", help="500 policies and 5,000 pods on 50 nodes")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the cluster is, or goes")
    parser.add_argument("--questions", type=int, default=100_000, metavar="N")
    arguments = parser.parse_args(argv)
    size = replace(SMALL, seed=arguments.seed) if arguments.small else size_of(arguments)
    gc.disable()  # as the command does while it reads
    with tempfile.TemporaryDirectory(prefix="npc-bench-") as scratch:
        cluster = reuse_or_generate((arguments.dir or Path(scratch, "cluster")).resolve(), size)
        paths = [str(cluster.policies), str(cluster.inventory)]
        models: list[Model] = []
        reading = seconds(lambda: models.append(model_paths(paths)[0]))
        model = models[0]
        lines = questions(model, arguments.questions, arguments.seed)
        asked = [msgspec.json.decode(line) for line in lines[:SINGLE]]
        single = statistics.median(seconds(partial(answer, model, one)) for one in asked)
    batch = Batch(Relation(model))
    first, again = (seconds(lambda: list(batch.answers(lines))) for _ in range(2))
    floor = seconds(lambda: [_encoded(msgspec.json.decode(one)) for one in lines])
    print(f"npc query: {size.policies:,} policies, {size.pods:,} pods; CPU time")
    print(f"one question, explained: {single * 1000:.1f} ms, {single / reading:.2%} of reading the files")
    print(
        f"a batch of {len(lines):,}: {len(lines) / first:,.0f} a second, "
        f"{first / floor:.1f} times decoding the lines; asked again {len(lines) / again:,.0f}"
    )


def _encoded(question: object) -> bytes:
    return msgspec.json.encode({"allowed": bool(question)})


def _plain(words: str, _colour: str) -> str:
    return words


if __name__ == "__main__":
    main()
