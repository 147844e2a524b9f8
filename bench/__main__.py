"""`python -m bench`: every benchmark, at a size that takes seconds; `--full` for a large cluster."""

from __future__ import annotations

import argparse

from bench import compile as compile_bench


def main() -> None:
    """Run the benchmarks one after the other and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="100,000 pods and 10,000 policies (400 MB)")
    size = [] if parser.parse_args().full else ["--small"]
    compile_bench.main(size)


if __name__ == "__main__":
    main()
