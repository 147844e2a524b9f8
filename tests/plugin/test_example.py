"""examples/backend-plugin, installed as a stranger would, beside this npc: a target of its own package."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import Finished

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "examples" / "backend-plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed package, and nothing else; no network is needed."""
    sources = tmp_path_factory.mktemp("sources") / "plugin"
    shutil.copytree(PLUGIN, sources, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    offline = ("--no-build-isolation", "--no-deps", "--no-index")
    done = subprocess.run(
        [*pip, *offline, "--target", folder, sources],
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def npc(*arguments: str, installed: Path) -> Finished:
    """Run `npc` where the package is installed too, in the project's folder."""
    path = os.pathsep.join(filter(None, [str(installed), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "npc", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def test_it_is_listed(installed: Path) -> None:
    lines = npc("targets", installed=installed).stdout.splitlines()
    assert "csv          a table of what is allowed, for spreadsheets (npc.csv)" in lines
    assert any(line.strip().startswith("--set separator=") for line in lines)


def test_it_compiles(installed: Path) -> None:
    outcome = npc("compile", "--target", "csv", "examples/shop", installed=installed)
    assert (outcome.code, outcome.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(outcome.stdout), strict=True))
    assert [row for row in rows if row["subject"] == "shop/db-0" and row["direction"] == "ingress"] == [
        {
            "direction": "ingress",
            "subject": "shop/db-0",
            "protocol": "tcp",
            "ports": port,
            "peers": peers,
            "policies": "shop/db shop/default-deny shop/metrics",
        }
        for port, peers in (
            ("5432", "pods(app=api) in ns/shop"),
            ("9187", "pods(app.kubernetes.io/name=prometheus) in ns/monitoring"),
        )
    ]


def test_its_setting(installed: Path) -> None:
    outcome = npc("compile", "--target", "csv", "--set", "separator=;", "examples/shop", installed=installed)
    assert outcome.stdout.startswith("direction;subject;protocol;ports;peers;policies\n")


REFUSED = [
    (("--log-denied",), "the target csv has no --log-denied: a table only says what is allowed"),
    (("--deny-with", "reject"), "the target csv has no --deny-with reject"),
    (("--own-node", "policed"), "the target csv has no --own-node policed"),
    (("--set", "separator=ab"), "the separator 'ab' is not one character"),
    (("--set", "seperator=;"), "the target csv has no setting 'seperator'"),
]


@pytest.mark.parametrize(("options", "said"), REFUSED, ids=[" ".join(case[0]) for case in REFUSED])
def test_what_it_refuses(installed: Path, options: tuple[str, ...], said: str) -> None:
    outcome = npc("compile", "--target", "csv", *options, "examples/shop", installed=installed)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith(f"error[NPC506]: {said}")


def test_its_golden_case(installed: Path) -> None:
    outcome = npc("test", "examples/backend-plugin/cases", installed=installed)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "1 passed\n", "")


def test_its_template_can_be_overridden(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "csv.j2").write_text('# a table\n{% include "npc/csv.j2" %}')
    options = ("--target", "csv", "--template-dir", str(tmp_path))
    outcome = npc("compile", "examples/shop", *options, installed=installed)
    assert outcome.stdout.startswith("# a table\ndirection,subject")
