"""What is wrong with a text, and where: in it, and in what it includes."""

from __future__ import annotations

from pathlib import Path

import pytest

from npc.lsp.findings import findings
from npc.lsp.project import Project

Found = tuple[str, str, list[tuple[str, str]]]
"""A code, the characters that it is about, and of each second place the file and the characters."""


def found(folder: Path, name: str, texts: dict[str, str]) -> list[Found]:
    """What is wrong with a file, given the texts of files that the editor has open: on disk all are empty."""
    for other in texts:
        (folder / other).write_text("")
    opened = {folder / name: text for name, text in texts.items()}
    project = Project(opened=opened.get)
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
    ("nothing", {"a.npc": "set a = any policy x for pods { allow from @a }"}, []),
    ("an empty text", {"a.npc": ""}, []),
    ("a sentence", {"a.npc": "polcy x"}, [("NPC601", "polcy", [])]),
    ("a value", {"a.npc": "policy x for pods { allow from 10.0.0.0/33 }"}, [("NPC204", "10.0.0.0/33", [])]),
    (
        "a close name",
        {"a.npc": "set office = any policy x for pods { allow from @offices, @office }"},
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
    ("YAML of others", {"a.yaml": "a: [b\n"}, []),
]


@pytest.mark.parametrize(("texts", "expected"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_findings(texts: dict[str, str], expected: list[Found], folder: Path) -> None:
    assert found(folder, next(iter(texts)), texts) == expected


def test_the_message_says_how_to_mend_it(folder: Path) -> None:
    (one,) = findings(folder / "a.npc", "polcy x", Project(opened={folder / "a.npc": "polcy x"}.get))
    assert one.message.endswith("\nhelp: did you mean 'policy'?")
