"""`python -m bench`: every benchmark, at a size that takes seconds; `--full` for a large cluster."""

from __future__ import annotations

import argparse

from bench import aerleon, check, fleet, growth, language, loading, reach
from bench import compile as compile_bench
from bench import diff as diff_bench
from bench import query as query_bench
from bench import verify as verify_bench
from bench.dataplane import tables as dataplane


def main() -> None:
    """Run the benchmarks one after the other and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="clusters to 1,000,000 pods (4 GB of disk)")
    is_full = parser.parse_args().full
    compile_bench.main([] if is_full else ["--small"])
    print()
    check.main(["--rounds", "1"] if is_full else ["--small"])
    print()
    fleet.main([] if is_full else ["--small"])
    print()
    language.main([] if is_full else ["--policies", str(language.SMALL)])
    print()
    query_bench.main([] if is_full else ["--small"])
    print()
    verify_bench.main([] if is_full else ["--small"])
    print()
    diff_bench.main([] if is_full else ["--small"])
    print()
    reach.main([] if is_full else ["--small"])
    print()
    aerleon.main([] if is_full else ["--rules", *map(str, aerleon.SMALL)])
    print()
    growth.main(["--full"] if is_full else [])
    print()
    dataplane.main(["--full"] if is_full else [])
    if is_full:
        dataplane.main(["--full", "--router"])
    print()
    loading.main([] if is_full else ["--small"])


if __name__ == "__main__":
    main()
