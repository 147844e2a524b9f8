"""`npc convert`, and the target that prints policies: what goes where."""

from __future__ import annotations

import io
from pathlib import Path
from unittest import mock

import pytest

from tests.cli.inputs import POLICY
from tests.cli.invocation import npc

IN_LANGUAGE = "policy web in shop for pods { allow tcp/80 from any }\n"
"""What POLICY is in the language."""
OBJECT = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
  podSelector: {}
  policyTypes:
    - Ingress
  ingress:
    - ports:
        - protocol: TCP
          port: 80
"""
"""What IN_LANGUAGE is in YAML."""


@pytest.fixture
def folder(inputs: Path) -> Path:
    """The usual inputs, and policies of the language."""
    (inputs / "web.npc").write_text(IN_LANGUAGE, encoding="utf-8")
    (inputs / "log.npc").write_text("policy log in shop for pods { allow from any log }\n", encoding="utf-8")
    (inputs / "until.npc").write_text(
        "policy u for pods { allow from any until 2020-01-01 }\n", encoding="utf-8"
    )
    (inputs / "other.npc").write_text("policy a in shop for pods { isolate ingress }\n", encoding="utf-8")
    return inputs


RUNS = [
    # (name, command line, exit code, standard output, words on standard error)
    ("to the language", "convert --to npc policy.yaml", 0, IN_LANGUAGE, ""),
    ("to YAML", "convert --to yaml web.npc", 0, OBJECT, ""),
    ("standard output", "convert --to yaml web.npc --output -", 0, OBJECT, ""),
    (
        "a note of what is passed over",
        "convert --to npc policy.yaml web.npc",
        0,
        IN_LANGUAGE,
        "note[NPC415]: passed over: 1 policy that is in npc already",
    ),
    (
        "a warning",
        "convert --to npc warning.yaml",
        0,
        "policy web in shop for pods { allow tcp/80 from 10.0.0.1/8 }\n",
        "warning[NPC401]",
    ),
    ("--quiet", "convert --quiet --to npc warning.yaml web.npc", 0, None, ""),
    ("an error of the input", "convert --to npc invalid.yaml", 1, "", "error[NPC201]"),
    ("what YAML cannot say", "convert --to yaml log.npc", 1, "", "error[NPC611]"),
    ("nothing to convert", "convert --to npc web.npc", 1, "", "error[NPC109]"),
    ("no such file", "convert --to npc absent.yaml", 1, "", "error[NPC101]"),
    ("no notation", "convert policy.yaml", 2, "", "--to"),
    ("another notation", "convert --to json policy.yaml", 2, "", "json"),
    ("YAML into a file of the language", "convert --to yaml web.npc -o out.npc", 2, "", "name it *.yaml"),
    ("the language into YAML", "convert --to npc policy.yaml -o out.yml", 2, "", "name it *.npc"),
    ("YAML into JSON", "convert --to yaml web.npc -o out.json", 2, "", "name it *.yaml"),
    ("any other name", "convert --to yaml web.npc -o out.txt", 0, "", ""),
    ("a rule that ends", "convert --to yaml until.npc", 1, "", "npc compile --target kubernetes leaves out"),
    ("the target", "compile --target kubernetes web.npc", 0, OBJECT, ""),
    ("the target, of YAML", "compile --target kubernetes policy.yaml inventory.yaml", 0, OBJECT, ""),
    (
        "the target, of both, sorted",
        "compile --target kubernetes web.npc other.npc",
        0,
        OBJECT.replace("name: web", "name: a").partition("  ingress:")[0] + "---\n" + OBJECT,
        "",
    ),
    ("one policy twice", "compile --target kubernetes web.npc policy.yaml", 0, OBJECT, "warning[NPC404]"),
    ("what the target cannot say", "compile --target kubernetes log.npc", 1, "", "error[NPC611]"),
    ("no policy for the target", "compile --target kubernetes inventory.yaml", 1, "", "error[NPC109]"),
    ("a node", "compile --target kubernetes web.npc --node node-a", 1, "", "error[NPC506]"),
    ("a setting", "compile --target kubernetes web.npc --set a=b", 1, "", "error[NPC506]"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "stdout", "stderr"), [case[1:] for case in RUNS], ids=[case[0] for case in RUNS]
)
def test_runs(folder: Path, arguments: str, code: int, stdout: str | None, stderr: str) -> None:
    outcome = npc(*arguments.split(), folder=folder)
    assert outcome.code == code, outcome
    assert stdout is None or outcome.stdout == stdout
    assert stderr in outcome.stderr
    assert bool(stderr) == bool(outcome.stderr)


OUTPUTS = [
    # (name, output, files that are there afterwards)
    ("a file", "out.npc", {"out.npc": IN_LANGUAGE}),
    ("a folder that is not there", "out/", {"out/policy.npc": IN_LANGUAGE}),
    ("a folder that is", "there", {"there/policy.npc": IN_LANGUAGE}),
]


@pytest.mark.parametrize(
    ("output", "files"), [case[1:] for case in OUTPUTS], ids=[case[0] for case in OUTPUTS]
)
def test_output(folder: Path, output: str, files: dict[str, str]) -> None:
    (folder / "there").mkdir()
    outcome = npc("convert", "--to", "npc", "policy.yaml", "-o", output, folder=folder)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "")
    for name, text in files.items():
        assert (folder / name).read_text(encoding="utf-8") == text


def test_a_folder_gets_a_file_for_each_that_is_read(folder: Path) -> None:
    outcome = npc("convert", "--to", "yaml", "web.npc", "other.npc", "-o", "out/", folder=folder)
    assert outcome.code == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["other.yaml", "web.yaml"]
    assert (folder / "out" / "web.yaml").read_text(encoding="utf-8") == OBJECT


def test_two_files_of_one_name_are_an_error(folder: Path) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "policy.yaml").write_text(POLICY.replace("name: web", "name: b"), encoding="utf-8")
    outcome = npc("convert", "--to", "npc", "policy.yaml", "below/policy.yaml", "-o", "out/", folder=folder)
    assert outcome.code == 1
    assert "two files would be out/policy.npc" in outcome.stderr
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("to", "text", "expected"), [("npc", POLICY, IN_LANGUAGE), ("yaml", IN_LANGUAGE, OBJECT)]
)
def test_standard_input(folder: Path, to: str, text: str, expected: str) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    with mock.patch("sys.stdin", stdin):
        outcome = npc("convert", "--to", to, "-", folder=folder)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, expected, "")


def test_a_rule_that_has_ended_needs_no_words(folder: Path) -> None:
    text = "policy web in shop for pods { allow tcp/80 from any  allow to any until 2020-01-31 }\n"
    (folder / "web.npc").write_text(text, encoding="utf-8")
    outcome = npc("compile", "-t", "kubernetes", "--today", "2020-02-01", "web.npc", folder=folder)
    assert outcome.code == 0
    assert outcome.stdout == OBJECT.replace("    - Ingress\n", "    - Ingress\n    - Egress\n")
    outcome = npc("compile", "-t", "kubernetes", "--today", "2020-01-31", "web.npc", folder=folder)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "Kubernetes has no rules that end" in outcome.stderr


def test_both_notations_of_the_shop_give_the_same_rules() -> None:
    root = Path(__file__).parents[2] / "examples"
    inventory = "shop/inventory.yaml"
    in_yaml = npc("compile", "shop/policies", inventory, folder=root)
    in_language = npc("compile", "shop-npc", inventory, folder=root)
    assert (in_yaml.code, in_language.code, in_language.stderr) == (0, 0, "")
    assert in_language.stdout == in_yaml.stdout
