"""Time npc against Aerleon on the same rules of addresses and ports, and count what they make of them.

    python -m bench.aerleon [--rules 100 1000 10000] [--rounds 3]

Aerleon (PyPI `aerleon`, the extra `bench`) makes the filters of many network devices out of one policy. Both
are timed as their users see them: the whole process, from files on disk to files on disk. Rounds alternate.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.address_rules import AERLEON_TARGETS, PER_POD, address_rules, write_aerleon, write_policies
from bench.process import RunFailedError, Usage, run_python

DEFAULT = (100, 1_000, 10_000)
SMALL = (100, 1_000)
MISSING = "Aerleon is not installed: pip install 'npc-compiler[bench]'"


@dataclass(frozen=True, slots=True)
class Output:
    """What a program made: rules that packets are compared with, and members of sets."""

    rules: int
    elements: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both programs on the same rules: a run of each a round."""

    target: str
    rules: int
    npc: tuple[Usage, ...]
    aerleon: tuple[Usage, ...]
    npc_output: Output
    aerleon_output: Output


def is_installed() -> bool:
    """Whether there is an Aerleon to compare with."""
    return importlib.util.find_spec("aerleon") is not None


def run_npc(policies: Path, inventory: Path, target: str, output: Path) -> Usage:
    """Compile with npc: to a file for nft, to a folder for iptables."""
    arguments = ("--target", target, policies, "--inventory", inventory, "--output", output, "--quiet")
    return run_python("-m", "npc", "compile", *arguments)


def run_aerleon(policy: Path, definitions: Path, output: Path) -> Usage:
    """Compile with Aerleon in one process, into a folder."""
    output.mkdir(exist_ok=True)
    return run_python(
        *("-m", "aerleon", "--base_directory", policy.parent, "--policy_file", policy),
        *("--definitions_directory", definitions, "--output_directory", output, "--max_renderers", "1"),
    )


def compare(count: int, target: str, rounds: int, folder: Path) -> Comparison:
    """Write the rules for both, run both in turns, and count what came out.

    This process stays small, or a run would be measured as at least as large: others write and count.
    """
    written = _in_another("--write", str(count), target, folder)
    policies, inventory, policy, definitions = map(Path, written)
    ours, theirs = folder / "npc-output", folder / "aerleon-output"
    npc: list[Usage] = []
    aerleon: list[Usage] = []
    for _ in range(rounds):
        npc.append(run_npc(policies, inventory, target, ours))
        aerleon.append(run_aerleon(policy, definitions, theirs))
    outputs = [Output(*map(int, _in_another("--count", output))) for output in (ours, theirs)]
    return Comparison(target, count, tuple(npc), tuple(aerleon), *outputs)


def _in_another(*arguments: str | Path) -> list[str]:
    """The lines that this module prints in a process of its own."""
    return run_python("-m", "bench.aerleon", *arguments).stdout.splitlines()


# --- what came out ------------------------------------------------------------------------------------------

_NO_RULE = frozenset(("table", "chain", "set", "map", "type", "comment", "flags", "delete", "}"))
"""Words that lines of nft begin with which are no rules."""
_BRACES = re.compile(r"(?:elements = \{|\{ )([^{}]*)\}")


def counted(output: Path) -> Output:
    """The rules and elements in a file, or in all files of a folder."""
    files = sorted(output.iterdir()) if output.is_dir() else [output]
    found = [_count(file.read_text(encoding="utf-8")) for file in files if file.suffix != ".sh"]
    return Output(sum(one.rules for one in found), sum(one.elements for one in found))


def _count(text: str) -> Output:
    """Of nft's notation, iptables-restore's, or ipset's."""
    plain = re.sub(r'#[^\n]*|"[^"\n]*"', "", text)
    if not re.search(r"^table ", plain, re.MULTILINE):
        lines = plain.splitlines()
        return Output(
            sum(line.startswith("-A ") for line in lines), sum(line.startswith("add ") for line in lines)
        )
    elements = sum(
        sum(bool(one.strip()) for one in listed[1].split(",")) for listed in _BRACES.finditer(plain)
    )
    without_sets = re.sub(r"elements = \{[^{}]*\}", "", plain)
    first_words = [line.split()[0] for line in without_sets.splitlines() if line.strip()]
    return Output(sum(word not in _NO_RULE for word in first_words), elements)


# --- the table ----------------------------------------------------------------------------------------------


def report(found: Sequence[Comparison]) -> str:
    """A line for each target and number of rules: npc, Aerleon, and how many times npc's Aerleon takes."""
    row = "{:<9}{:>7}  {:>6}{:>8}{:>7}  {:>5}{:>8}{:>7}  {:>14}{:>14}".format
    lines = [
        row("", "", "wall s", "Aerleon", "ratio", "MB", "Aerleon", "ratio", "rules+elements", "Aerleon"),
    ]
    for one in found:
        wall, their_wall = (statistics.median(run.wall for run in runs) for runs in (one.npc, one.aerleon))
        peak, their_peak = (max(run.peak_bytes for run in runs) for runs in (one.npc, one.aerleon))
        ratio = statistics.median(
            theirs.wall / ours.wall for ours, theirs in zip(one.npc, one.aerleon, strict=True)
        )
        lines.append(
            row(
                *(one.target, f"{one.rules:,}", f"{wall:.2f}", f"{their_wall:.2f}", f"{ratio:.2f}"),
                *(f"{peak / 1e6:.0f}", f"{their_peak / 1e6:.0f}", f"{their_peak / peak:.2f}"),
                *map(_output_text, (one.npc_output, one.aerleon_output)),
            )
        )
    return "\n".join(lines)


def _output_text(output: Output) -> str:
    return f"{output.rules:,}+{output.elements:,}"


def main(argv: Sequence[str] | None = None) -> None:
    """The command line: compare at each size, print the table."""
    parser = argparse.ArgumentParser(prog="bench.aerleon", description="Time npc against Aerleon.")
    parser.add_argument("--rules", type=int, nargs="+", default=DEFAULT, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument(
        "--write",
        nargs=3,
        metavar=("N", "TARGET", "DIR"),
        help="only write both programs' files",
    )
    parser.add_argument("--count", type=Path, metavar="PATH", help="only count rules and elements")
    arguments = parser.parse_args(argv)
    if arguments.write:
        count, target, folder = arguments.write
        rules = address_rules(int(count))
        paths = *write_policies(rules, Path(folder)), *write_aerleon(rules, target, Path(folder))
        print(*paths, sep="\n")
        return
    if arguments.count:
        found_there = counted(arguments.count)
        print(found_there.rules, found_there.elements, sep="\n")
        return
    if not is_installed():
        print(MISSING)
        return
    found = []
    for target in AERLEON_TARGETS:
        for count in arguments.rules:
            with tempfile.TemporaryDirectory(prefix="npc-bench-") as scratch:
                found.append(compare(count, target, arguments.rounds, Path(scratch)))
    print(f"rules of addresses and ports, {PER_POD} for each pod; medians of {arguments.rounds}")
    print(report(found))


if __name__ == "__main__":
    try:
        main()
    except RunFailedError as failure:
        raise SystemExit(str(failure)) from None
