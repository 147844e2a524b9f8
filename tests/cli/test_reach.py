"""`npc reach` as a command: what it reads, where it writes, how it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.invocation import npc

SHOP = str(Path(__file__).parents[2] / "examples" / "shop")


def test_policies_and_inventory_by_any_option_are_the_same() -> None:
    shop = Path(SHOP)
    whole = npc("reach", SHOP)
    assert (whole.code, whole.stderr) == (0, "")
    apart = npc("reach", "-p", str(shop / "policies"), "-i", str(shop / "inventory.yaml"))
    assert apart.stdout == whole.stdout


@pytest.mark.parametrize(
    ("format", "begins"),
    [
        ("text", "from outside\n"),
        ("json", "{\n"),
        ("csv", "from,to,traffic,family\n"),
        ("markdown", "| From | To | Ports |\n"),
        ("dot", "digraph connections {\n"),
        ("mermaid", "flowchart LR\n"),
    ],
)
def test_formats_go_to_standard_output_or_to_a_file(format: str, begins: str, tmp_path: Path) -> None:
    shown = npc("reach", SHOP, "--format", format)
    assert shown.code == 0
    assert shown.stdout.startswith(begins)
    path = tmp_path / "out"
    written = npc("reach", SHOP, "--format", format, "--output", str(path))
    assert (written.code, written.stdout) == (0, "")
    assert path.read_text() == shown.stdout


def test_a_page_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "reach.html"
    outcome = npc("reach", SHOP, "--html", str(path))
    assert (outcome.code, outcome.stdout) == (0, "")
    page = path.read_text()
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")  # nothing to load


def test_a_page_of_bad_input_is_not_written(tmp_path: Path) -> None:
    bad = tmp_path / "bad.npc"
    bad.write_text("policy x in shop for pods { allow tpc }\n")
    outcome = npc("reach", str(bad), "--html", str(tmp_path / "reach.html"))
    assert outcome.code == 1
    assert "bad.npc:1:" in outcome.stderr
    assert not (tmp_path / "reach.html").exists()


FAULTS = [
    # (name, arguments, exit code, words that are said)
    ("no input", (), 2, "name files or directories with policies"),
    ("a page and an output", (SHOP, "--html", "a", "--output", "b"), 2, "leave out --output"),
    ("a page and a format", (SHOP, "--html", "a", "--format", "json"), 2, "leave out --format"),
    ("no such format", (SHOP, "--format", "pdf"), 2, "mermaid"),
    ("no such assumption", (SHOP, "--assume", "luck"), 2, "ipblock=external"),
    ("no such file", ("nowhere.yaml",), 1, "nowhere.yaml"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "words"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_faults(arguments: tuple[str, ...], code: int, words: str) -> None:
    outcome = npc("reach", *arguments)
    assert (outcome.code, outcome.stdout) == (code, "")
    assert words in outcome.stderr


def test_blocks_may_be_taken_for_the_outside_alone() -> None:
    as_is, external = (
        json.loads(npc("reach", SHOP, "--format", "json", *options).stdout)
        for options in ((), ("--assume", "ipblock=external"))
    )
    web = {"workloads": ["shop/deploy/web"]}
    assert any(
        one["to"] == web and "tcp/443" in one["traffic"] and "workloads" in one["from"]
        for one in as_is["connections"]
    )
    assert not any(
        one["to"] == web and "tcp/443" in one["traffic"] and "workloads" in one["from"]
        for one in external["connections"]
    )
    assert "Assumed: blocks of addresses never mean pods." in external["notes"]


NARROWED = [
    # (options, who sends and who receives, in every connection)
    (("--from", "shop/deploy/web"), ({"shop/deploy/web"}, None)),
    (("--to", "shop/deploy/api"), (None, {"shop/deploy/api"})),
    (("--from", "pods(app=api) in ns/shop", "--to", "ns/shop"), ({"shop/deploy/api"}, {"shop/sts/db"})),
    (
        ("--from", "deploy/api", "-n", "shop", "--to", "192.0.2.0/24"),
        ({"shop/deploy/api"}, {"192.0.2.16/28"}),
    ),
]


@pytest.mark.parametrize(("options", "expected"), NARROWED, ids=[" ".join(one) for one, _ in NARROWED])
def test_from_and_to(options: tuple[str, ...], expected: tuple[set[str] | None, set[str] | None]) -> None:
    outcome = npc("reach", SHOP, "--format", "json", *options)
    assert (outcome.code, outcome.stderr) == (0, "")
    found = json.loads(outcome.stdout)["connections"]
    for key, names in zip(("from", "to"), expected, strict=True):
        if names is not None:
            assert {name for one in found for (listed,) in [one[key].values()] for name in listed} == names


def test_who_was_not_asked_about_is_not_said_to_be_silent() -> None:
    assert "nothing may leave" not in npc("reach", SHOP, "--from", "shop/deploy/web").stdout


def test_focus() -> None:
    found = json.loads(npc("reach", SHOP, "--format", "json", "--focus", "shop/sts/db").stdout)["connections"]
    ends = [
        [name for (listed,) in [one[key].values()] for name in listed]
        for one in found
        for key in ("from", "to")
    ]
    assert all("shop/sts/db" in (*left, *right) for left, right in zip(ends[::2], ends[1::2], strict=True))
    assert len(found) == 3


def test_a_name_that_nobody_has() -> None:
    outcome = npc("reach", SHOP, "--from", "shop/wbe")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "--from" in outcome.stderr
    assert "shop/deploy/web" in outcome.stderr


@pytest.mark.parametrize(
    "who", ["nobody", "?0.0/?0.0", "?0.0", "kube-system/?4.0", "nowhere/x", "shop/nobody"]
)
def test_pods_that_do_not_exist_yet_have_no_names(who: str) -> None:
    outcome = npc("reach", SHOP, "--focus", who)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "error[NPC510]" in outcome.stderr
    assert "?" not in outcome.stderr.replace(who, "").replace(who.rpartition("/")[2], "").replace(
        who.partition("/")[0], ""
    )


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("--html",), "reach.html"),
        (("--output",), "reach.txt"),
        (("--format", "json", "--output"), "reach.json"),
        (("--format", "markdown", "--output"), "reach.md"),
    ],
)
def test_a_file_in_a_folder_has_the_suffix_of_its_format(
    arguments: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    assert npc("reach", SHOP, *arguments, str(tmp_path)).code == 0
    assert [one.name for one in tmp_path.iterdir()] == [name]
