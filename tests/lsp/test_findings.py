"""What is wrong with a text, and where: in it, and in what it includes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from npc.lsp.findings import findings
from npc.lsp.project import Project
from npc.lsp.trouble import inventory_trouble
from tests.lsp.project import INVENTORY

Found = tuple[str, str, list[tuple[str, str]]]
"""A code, the characters that it is about, and of each second place the file and the characters."""


def found(folder: Path, name: str, texts: dict[str, str], *inventory: str) -> list[Found]:
    """What is wrong with a file, given the texts of files that the editor has open: on disk all are empty.

    It is the first day of 2027.
    """
    for other in texts:
        (folder / other).write_text("")
    opened = {folder / name: text for name, text in texts.items()}
    paths = tuple(folder / one for one in inventory)
    project = Project(paths, opened=opened.get, today=lambda: date(2027, 1, 1))
    text = texts[name]

    def slice_of(path: Path, start: int, end: int) -> str:
        return (opened.get(path) or path.read_text())[start:end]

    return [
        (
            one.code.name,
            text[one.start : one.end],
            [(place.path.name, slice_of(place.path, place.start, place.end)) for place, _ in one.related],
        )
        for one in findings(folder / name, text, project)
    ]


POLICY = "policy x for pods { allow from @offices }"

WRONG: list[tuple[str, dict[str, str], list[Found]]] = [
    ("nothing", {"a.npc": "set a = any policy x for pods { allow tcp from @a }"}, []),
    ("an empty text", {"a.npc": ""}, []),
    ("a sentence", {"a.npc": "polcy x"}, [("NPC601", "polcy", [])]),
    ("a value", {"a.npc": "policy x for pods { allow from 10.0.0.0/33 }"}, [("NPC204", "10.0.0.0/33", [])]),
    (
        "a close name",
        {"a.npc": "set office = ns policy x for pods { allow from @offices, @office }"},
        [("NPC602", "@offices", [("a.npc", "office")])],
    ),
    (
        "a set that nobody uses",
        {"a.npc": "set a = any policy x for pods { isolate ingress }"},
        [("NPC406", "a", [])],
    ),
    ("an included set", {"a.npc": f'include "common.npc" {POLICY}'}, []),
    (
        "what is wrong in an included file",
        {"a.npc": f'include "common.npc" {POLICY}', "common.npc": "set offices = anyone"},
        [("NPC601", '"common.npc"', [("common.npc", "anyone")])],
    ),
    (
        "what is wrong further away",
        {"a.npc": f'include "b.npc" {POLICY}', "b.npc": 'include "common.npc"', "common.npc": "polcy"},
        [("NPC602", "@offices", []), ("NPC601", '"b.npc"', [("common.npc", "polcy")])],
    ),
    ("a file that is not there", {"a.npc": 'include "gone.npc"'}, [("NPC605", '"gone.npc"', [])]),
    (
        "two policies of one name",
        {"a.npc": "policy x for pods { isolate ingress }\npolicy x for pods { isolate egress }"},
        [("NPC208", "x", [("a.npc", "x")])],
    ),
    (
        "a YAML policy",
        {"a.yaml": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: X}\nspec: {}\n"},
        [("NPC204", "X", [])],
    ),
    (
        "a lint",
        {"a.npc": "policy x for pods { allow from any }"},
        [("NPC708", "allow from any", [])],
    ),
    (
        "a lint that a comment allows",
        {"a.npc": "# npc: allow NPC708\npolicy x for pods { allow from any }"},
        [],
    ),
    (
        "a comment that allows nothing",
        {"a.npc": "policy x for pods { isolate ingress } # npc: allow NPC708"},
        [("NPC714", "NPC708", [])],
    ),
    ("YAML of others", {"a.yaml": "a: [b\n"}, []),
    (
        "a last day that is past",
        {"a.npc": "policy x for pods { allow tcp from any until 2026-12-31 isolate egress }"},
        [("NPC407", "2026-12-31", [])],
    ),
    (
        "what needs an inventory",
        {"a.npc": "policy x in shop for pods { allow to svc/nope }"},
        [],
    ),
]


@pytest.mark.parametrize(("texts", "expected"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_findings(texts: dict[str, str], expected: list[Found], folder: Path) -> None:
    assert found(folder, next(iter(texts)), texts) == expected


AGAINST_THE_INVENTORY: list[tuple[str, str, list[Found]]] = [
    ("a Service", "policy x in shop for pods { allow to svc/web }", []),
    ("no Service", "policy x in shop for pods { allow to svc/wbe }", [("NPC304", "svc/wbe", [])]),
    (
        "a Service without pods",
        "policy x in lab for pods { allow to svc/outside }",
        [("NPC304", "svc/outside", [])],
    ),
    (
        "a Service of a set",
        "set s = svc/no in ns/shop policy x for pods { allow to @s } policy y for pods { allow from @s }",
        [("NPC304", "svc/no in ns/shop", [])],
    ),
    (
        "policies of equal priority",
        "cluster policy a tier admin for ns { allow from ns }\n"
        "cluster policy b tier admin for ns { deny from ns }",
        [("NPC418", "deny from ns", [("a.npc", "allow from ns")])],
    ),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [row[1:] for row in AGAINST_THE_INVENTORY],
    ids=[row[0] for row in AGAINST_THE_INVENTORY],
)
def test_findings_against_the_inventory(text: str, expected: list[Found], folder: Path) -> None:
    (folder / "inventory.yaml").write_text(INVENTORY.replace("two words", "two"))
    assert found(folder, "a.npc", {"a.npc": text}, "inventory.yaml") == expected


TROUBLE = [
    # (name, the inventory's files, what is said of them, below the folder; a name alone is of no file)
    ("none", {"i.yaml": "endpoints: []\nnamespaces: [{name: a}]\n"}, []),
    ("no such file", {"gone.yaml": None}, ["there is no file or directory gone.yaml"]),
    ("no YAML", {"i.yaml": "a: [\n"}, ["i.yaml:1: malformed YAML: expected a value or the closing bracket"]),
    ("nothing", {"i.yaml": "kind: Deployment\n"}, ["there is no pod, namespace or node in i.yaml"]),
    (
        "an error with its line",
        {"i.yaml": "namespaces:\n- {name: A}\n"},
        ['i.yaml:2: namespaces[0].name: "A" is not a namespace\'s name'],
    ),
    (
        "many errors",
        {"i.yaml": "namespaces:\n" + "- {name: A_}\n" * 5},
        [
            *(
                f'i.yaml:{2 + index}: namespaces[{index}].name: "A_" is not a namespace\'s name'
                for index in range(3)
            ),
            "and 2 more",
        ],
    ),
]


@pytest.mark.parametrize(("files", "expected"), [row[1:] for row in TROUBLE], ids=[row[0] for row in TROUBLE])
def test_trouble_with_the_inventory(files: dict[str, str | None], expected: list[str], folder: Path) -> None:
    for name, text in files.items():
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    project = Project(tuple(folder / name for name in files))
    lines = inventory_trouble(project).replace(f"{folder}/", "").splitlines()
    assert lines[1:] == expected
    assert lines[:1] == (["The inventory has errors."] if expected else [])


def test_the_message_says_how_to_mend_it(folder: Path) -> None:
    (one,) = findings(folder / "a.npc", "polcy x", Project(opened={folder / "a.npc": "polcy x"}.get))
    assert one.message.endswith("\nhelp: did you mean 'policy'?")
