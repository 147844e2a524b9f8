"""What counts as what: levels, the configuration file, and comments that allow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from npc.compiler.frontend.codes import ALL, Severity
from npc.compiler.lint.levels import LEVELS, Levels
from npc.compiler.lint.lints import ALL as LINTS
from tests.cli.invocation import npc
from tests.lint.findings import INVENTORY, codes_by_line, findings_in

OPEN = "policy web in shop for pods(app=web) {\n  allow from any\n}\n"
INVENTORY_OF_WEB = "endpoints: [{name: w, namespace: shop, labels: {app: web}, addresses: [10.0.0.1]}]\n"


def test_every_lint_has_a_code_of_its_hundred() -> None:
    linted = {one.code.name for one in LINTS} - {"NPC410"}
    hundred = {code.name for code in ALL if code.name.startswith("NPC7")}
    assert hundred - linted == {"NPC714"}


@pytest.mark.parametrize(
    ("level", "code", "shown"),
    [("0", 0, ""), ("note", 0, "note["), ("warn", 0, "warning["), ("error", 1, "error[")],
)
def test_levels(tmp_path: Path, level: str, code: int, shown: str) -> None:
    (tmp_path / "a.npc").write_text(OPEN)
    outcome = npc("check", "a.npc", "--level", f"NPC708={level}", folder=tmp_path)
    assert outcome.code == code
    assert f"{shown}NPC708" in outcome.stdout if shown else not outcome.stdout


def test_strict_is_about_what_counts_as_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.npc").write_text(OPEN)
    codes = {
        level: npc("check", "a.npc", "--strict", "--level", f"NPC708={level}", folder=tmp_path).code
        for level in LEVELS
    }
    assert codes == {"0": 0, "note": 0, "warn": 1, "error": 1}


@pytest.mark.parametrize(
    ("format", "path"), [("json", "severity"), ("sarif", "level")], ids=["json", "sarif"]
)
def test_machines_see_the_level(tmp_path: Path, format: str, path: str) -> None:
    (tmp_path / "a.npc").write_text(OPEN)
    outcome = npc("check", "a.npc", "--level", "NPC708=error", "--format", format, folder=tmp_path)
    value = json.loads(outcome.stdout)
    (found,) = value if format == "json" else value["runs"][0]["results"]
    assert found[path] == "error"


def test_sarif_tells_what_is_off_by_default(tmp_path: Path) -> None:
    (tmp_path / "a.npc").write_text(OPEN)
    log = json.loads(npc("check", "a.npc", "--format", "sarif", folder=tmp_path).stdout)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    off = {rule["id"] for rule in rules if not rule["defaultConfiguration"]["enabled"]}
    assert off == {"NPC703", "NPC709", "NPC711"}


def test_compile_honours_levels(tmp_path: Path) -> None:
    (tmp_path / "a.npc").write_text(OPEN)
    (tmp_path / "inventory.yaml").write_text(INVENTORY_OF_WEB)
    arguments = ("compile", "a.npc", "inventory.yaml", "--output", "out.nft")
    assert "warning[NPC416]" in npc(*arguments, folder=tmp_path).stderr
    assert "NPC416" not in npc(*arguments, "--level", "NPC416=0", folder=tmp_path).stderr
    (tmp_path / "out.nft").unlink()
    (tmp_path / "npc.toml").write_text('lint.NPC416 = "error"\n')
    outcome = npc(*arguments, folder=tmp_path)
    assert (outcome.code, "error[NPC416]" in outcome.stderr) == (1, True)
    assert not (tmp_path / "out.nft").exists()


CONFIGURATIONS = [
    # (name, file, text, the code of the check of a policy that is open)
    ("npc.toml", "npc.toml", '[lint]\nNPC708 = "error"\n', 1),
    ("pyproject.toml", "pyproject.toml", '[tool.npc.lint]\nNPC708 = "error"\n', 1),
    ("a pyproject.toml of others", "pyproject.toml", "[project]\nname = 'x'\n", 0),
    ("a pyproject.toml that is broken", "pyproject.toml", "[project\n", 0),
    ("an empty table", "pyproject.toml", "[tool.npc]\n", 0),
    ("excluded", "npc.toml", 'exclude = ["live"]\n[lint]\nNPC708 = "error"\n', 0),
]


@pytest.mark.parametrize(
    ("file", "text", "code"), [one[1:] for one in CONFIGURATIONS], ids=[one[0] for one in CONFIGURATIONS]
)
def test_the_configuration_of_a_folder_above(tmp_path: Path, file: str, text: str, code: int) -> None:
    folder = tmp_path / "policies" / "live"
    folder.mkdir(parents=True)
    (folder / "a.npc").write_text(OPEN)
    (folder.parent / "b.npc").write_text("policy b for pods { isolate ingress }\n")
    (folder.parent / file).write_text(text)
    assert npc("check", ".", folder=folder.parent).code == code


def test_the_nearest_configuration_counts(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.npc").write_text(OPEN)
    (tmp_path / "npc.toml").write_text('lint.NPC708 = "error"\n')
    assert npc("check", "a.npc", folder=tmp_path / "inner").code == 1
    (tmp_path / "inner" / "npc.toml").write_text("")
    assert npc("check", "a.npc", folder=tmp_path / "inner").code == 0
    assert npc("check", "a.npc", "--config", "../npc.toml", folder=tmp_path / "inner").code == 1
    inner = ("check", "a.npc", "--config", "../npc.toml", "--level", "NPC708=0")
    assert npc(*inner, folder=tmp_path / "inner").code == 0


QUESTIONS = {
    "query": ("query", "any", "any", "-p", "a.npc", "-i", "pods.yaml"),
    "reach": ("reach", "a.npc", "pods.yaml"),
    "diff": ("diff", "a.npc", "a.npc", "-i", "pods.yaml"),
}


@pytest.mark.parametrize("command", QUESTIONS)
@pytest.mark.parametrize(
    ("level", "code", "shown"), [("0", 0, ""), ("note", 0, "note["), ("error", 1, "error[")]
)
def test_levels_where_questions_are_asked(
    tmp_path: Path, command: str, level: str, code: int, shown: str
) -> None:
    (tmp_path / "a.npc").write_text(OPEN.replace("any", "10.0.0.1/8"))
    (tmp_path / "pods.yaml").write_text(f"{INVENTORY_OF_WEB}namespaces: [{{name: shop}}]\n")
    (tmp_path / "npc.toml").write_text(f'lint.NPC401 = "{level}"\n')
    outcome = npc(*QUESTIONS[command], folder=tmp_path)
    assert outcome.code == code
    assert outcome.stderr.startswith(f"{shown}NPC401]") if shown else "NPC401" not in outcome.stderr


def test_the_namespace_of_names(tmp_path: Path) -> None:
    (tmp_path / "a.npc").write_text(OPEN)
    (tmp_path / "pods.yaml").write_text(INVENTORY_OF_WEB)
    arguments = ("reach", "a.npc", "pods.yaml", "--to", "pods(app=web)", "-q")
    assert npc(*arguments, folder=tmp_path).code == 1
    (tmp_path / "npc.toml").write_text('namespace = "shop"\n')
    assert "to shop/w" in npc(*arguments, folder=tmp_path).stdout
    assert npc(*arguments, "-n", "other", folder=tmp_path).code == 1
    query = ("query", "any", "pods(app=web)", "-p", "a.npc", "-i", "pods.yaml")
    assert "to shop/w" in npc(*query, folder=tmp_path).stdout
    assert npc(*query, "-n", "other", folder=tmp_path).code == 1


WRONG = [
    # (name, text, what is said, where)
    ("a key", 'exlude = ["a"]\n', "did you mean 'exclude'?", "npc.toml:1:1"),
    ("a code", '[lint]\nNPC798 = "warn"\n', "there is no code 'NPC798'", "npc.toml:2:1"),
    ("a level", '[lint]\nNPC708 = "of"\n', "is not a level", "npc.toml:2:1"),
    ("a level that is true", "[lint]\nNPC708 = true\n", "is not a level", "npc.toml:2:1"),
    ("an error's level", '[lint]\nNPC201 = "warn"\n', "is always an error", "npc.toml:2:1"),
    ("no list", 'exclude = "a"\n', "expected a list of patterns", "npc.toml:1:1"),
    ("no namespace", 'namespace = "A b"\n', "expected a namespace's name", "npc.toml:1:1"),
    ("no table", "lint = 3\n", "expected a table", "npc.toml:1:1"),
    ("no TOML", "lint = \n", "malformed TOML", "npc.toml:1:8"),
    ("two mistakes", '[lint]\nNPC1 = "warn"\nNPC2 = 0\n', "'NPC2'", "npc.toml:3:1"),
    ("behind its table", '[a]\nNPC708 = 1\n[lint]\nNPC708 = "x"\n', "is not a level", "npc.toml:4:1"),
]


@pytest.mark.parametrize(("text", "said", "where"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
@pytest.mark.parametrize("command", ["check", "compile"])
def test_configurations_that_are_wrong(
    tmp_path: Path, text: str, said: str, where: str, command: str
) -> None:
    (tmp_path / "a.npc").write_text(OPEN)
    (tmp_path / "npc.toml").write_text(text)
    outcome = npc(command, "a.npc", folder=tmp_path)
    assert outcome.code == 1
    shown = outcome.stdout + outcome.stderr
    assert "NPC509" in shown
    assert said in shown
    assert where in shown


def test_a_level_option_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.npc").write_text(OPEN)
    for text in ("NPC708", "NPC708=of", "NPC999=warn"):
        assert "--level" in npc("check", "a.npc", "--level", text, folder=tmp_path).stdout


ALLOWED = [
    # (name, file, text, what is found: the code and the line)
    ("on the line", "a.npc", OPEN.replace("any", "any # npc: allow NPC708"), []),
    ("on the line before", "a.npc", OPEN.replace("  allow", "  # npc: allow NPC708 why\n  allow"), []),
    ("two lines before", "a.npc", OPEN.replace("  allow", "  # npc: allow NPC708\n  # why\n\n  allow"), []),
    ("before the policy", "a.npc", f"set a = ns\n# npc: allow NPC708\n{OPEN}", [("NPC406", 1)]),
    ("at the head", "a.npc", f"# npc: allow NPC708 NPC713\n{OPEN}{OPEN.replace('web in', 'two in')}", []),
    ("behind it", "a.npc", f"{OPEN}# npc: allow NPC708\n", [("NPC708", 2), ("NPC714", 4)]),
    ("another code", "a.npc", OPEN.replace("any", "any # npc: allow NPC712"), [("NPC708", 2), ("NPC714", 2)]),
    ("one of two", "a.npc", OPEN.replace("any", "any # npc: allow NPC708, NPC712"), [("NPC714", 2)]),
    ("in small letters", "a.npc", OPEN.replace("any", "any # NPC: Allow npc708, Npc712"), [("NPC714", 2)]),
    ("no code", "a.npc", OPEN.replace("any", "any # npc: allow"), [("NPC708", 2), ("NPC714", 2)]),
    ("an error's code", "a.npc", OPEN.replace("any", "any # npc: allow NPC708 NPC201"), [("NPC714", 2)]),
    ("a code that needs an inventory", "a.npc", OPEN.replace("any", "any # npc: allow NPC708 NPC704"), []),
    ("in a string", "a.npc", OPEN.replace("any", 'any log "# npc: allow NPC708"'), [("NPC708", 2)]),
]


@pytest.mark.parametrize(
    ("name", "text", "expected"), [one[1:] for one in ALLOWED], ids=[one[0] for one in ALLOWED]
)
def test_allowing_in_the_language(name: str, text: str, expected: list[tuple[str, int]]) -> None:
    assert codes_by_line(findings_in(text, name=name, levels=Levels())) == expected


HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\n"
SPEC = "spec:\n  ingress:\n    - from:\n        - ipBlock: {cidr: 10.0.0.1/8}\n"
IN_YAML = [
    # (name, text, the lines where NPC401 is found, and those where NPC714 is)
    ("not at all", HEAD + SPEC, [7], []),
    ("on the line", f"{HEAD}{SPEC.rstrip()} # npc: allow NPC401\n", [], []),
    (
        "on the line before",
        (HEAD + SPEC).replace("        - ip", "        # npc: allow NPC401\n        - ip"),
        [],
        [],
    ),
    (
        "on a line before that",
        (HEAD + SPEC).replace("    - from", "    # npc: allow NPC401\n    - from"),
        [8],
        [6],
    ),
    ("at the head", f"# npc: allow NPC401\n{HEAD}{SPEC}", [], []),
    (
        "at the head of another",
        f"# npc: allow NPC401\n{HEAD}---\n{HEAD}{SPEC}".replace("web", "one", 1),
        [12],
        [1],
    ),
    (
        "at the head of the second",
        f"{HEAD.replace('web', 'one')}--- # npc: allow NPC401\n{HEAD}{SPEC}",
        [],
        [],
    ),
    ("below the second's ---", f"{HEAD.replace('web', 'one')}---\n# npc: allow NPC401\n{HEAD}{SPEC}", [], []),
    ("behind other words", (HEAD + SPEC).replace("}\n", "} # masked # npc: allow NPC401\n"), [], [3]),
    (
        "in a text",
        (HEAD + SPEC).replace("name: web", "name: web, annotations: {a: '# npc: allow NPC401'}"),
        [7],
        [],
    ),
    (
        "in a long text",
        HEAD.replace(
            "{name: web, namespace: shop}",
            "\n  name: web\n  annotations:\n    a: |\n      # npc: allow NPC401\n      x",
        )
        + SPEC,
        [12],
        [],
    ),
    ("no space before", f"{HEAD}{SPEC.rstrip()}# npc: allow NPC401\n".replace("/8}#", "/8} #"), [], []),
    ("spaces", f"{HEAD}{SPEC.rstrip()} #npc:  allow  NPC401,NPC402\n", [], [7]),
]


@pytest.mark.parametrize(
    ("text", "found", "unused"), [one[1:] for one in IN_YAML], ids=[one[0] for one in IN_YAML]
)
def test_allowing_in_yaml(text: str, found: list[int], unused: list[int]) -> None:
    lines = codes_by_line(findings_in(text, name="a.yaml", levels=Levels()))
    assert [line for code, line in lines if code == "NPC401"] == found
    assert [line for code, line in lines if code == "NPC714"] == unused


def test_what_a_folder_shows_is_judged_there(tmp_path: Path) -> None:
    """A comment for what only other policies show is not said to be in vain for a file alone."""
    (tmp_path / "a.npc").write_text(OPEN.replace("any", "any # npc: allow NPC708 NPC701"))
    assert "NPC714" not in npc("check", "a.npc", folder=tmp_path).stdout
    assert "NPC714" in npc("check", ".", folder=tmp_path).stdout


def test_errors_cannot_be_allowed() -> None:
    text = OPEN.replace("any", "10.0.0.0/33 # npc: allow NPC204")
    assert ("NPC204", 2) in codes_by_line(findings_in(text, levels=Levels()))


def test_a_warning_that_is_made_an_error_can_be_allowed() -> None:
    levels = Levels({"NPC708": Severity.ERROR})
    assert findings_in(OPEN.replace("any", "any # npc: allow NPC708"), levels=levels) == ()


def test_lints_look_at_nothing_beside_errors() -> None:
    found = findings_in(OPEN + "policy x for pods { allow tcp/0 from ns }\n", inventory=INVENTORY)
    assert {one.severity for one in found} == {Severity.ERROR}
