"""The server as an editor meets it: a process, and the protocol on its standard input and output."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import SECONDS, Editor, editor
from tests.lsp.project import COMMON, make_folder

POLICY = """\
include "common.npc"
policy db in shop for pods(app=db) {
  allow tcp/5432 from @offices, pods(app=web)
}
"""


@pytest.fixture(scope="module")
def vi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """An editor that all tests here share; each opens files of its own."""
    folder = make_folder(tmp_path_factory.mktemp("workspace"))
    with editor(folder, inventory=["inventory.yaml"]) as one:
        yield one


def place(line: int, start: int, end: int) -> dict[str, Any]:
    """A range within a line."""
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}


def test_mistakes_are_told_and_go_away(vi: Editor) -> None:
    (one,) = vi.open("mistake.npc", "set a = 10.0.0.0/8\npolicy x fro pods { }\n")
    assert (one["range"], one["severity"], one["source"]) == (place(1, 9, 12), 1, "npc")
    assert one["code"].startswith("NPC6")
    assert one["codeDescription"]["href"].endswith(f"docs/diagnostics.md#{one['code'].lower()}")
    vi.change("mistake.npc", "policy x for pods { isolate ingress }\n", 2)
    assert vi.diagnostics("mistake.npc") == []


def test_what_is_wrong_with_the_inventory_is_told_once_and_when_it_changes(tmp_path: Path) -> None:
    (tmp_path / "i.yaml").write_text("namespaces: [{name: A}]\n")

    def said(one: Editor) -> list[tuple[int, str]]:
        shown = [message for message in one.unread if message.get("method") == "window/showMessage"]
        return [(message["params"]["type"], message["params"]["message"]) for message in shown]

    with editor(tmp_path, inventory=["i.yaml"]) as one:
        assert one.open("a.npc", "policy x for pods { isolate egress }\n") == []
        one.change("a.npc", "policy x for pods { isolate ingress }\n", 2)
        assert one.diagnostics("a.npc") == []
        one.request("textDocument/documentSymbol", {"textDocument": {"uri": one.uri("a.npc")}})
        ((kind, text),) = said(one)
        assert (kind, text.splitlines()) == (
            1,
            [
                "npc: The inventory has errors.",
                f'{tmp_path}/i.yaml:1: namespaces[0].name: "A" is not a namespace\'s name',
            ],
        )
        (tmp_path / "i.yaml").unlink()
        one.notify("textDocument/didSave", {"textDocument": {"uri": one.uri("a.npc")}})
        assert one.diagnostics("a.npc") == []
        one.request("textDocument/documentSymbol", {"textDocument": {"uri": one.uri("a.npc")}})
        assert [text.partition("\n")[2] for _, text in said(one)[1:]] == [
            f"there is no file or directory {tmp_path}/i.yaml"
        ]


def test_only_the_last_of_fast_changes_is_looked_at(vi: Editor) -> None:
    assert vi.open("fast.npc", POLICY) == []
    for version in range(2, 12):
        vi.change("fast.npc", "policy", version)
    vi.change("fast.npc", POLICY, 12)
    assert vi.diagnostics("fast.npc") == []
    assert not any(one["params"].get("uri") == vi.uri("fast.npc") for one in vi.unread if "params" in one)


YAML = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: x}
spec: {podSelecter: {}}
"""


@pytest.mark.parametrize(
    ("text", "codes"),
    [(YAML, ["NPC201"]), ("- any: text\n- {that: is no policy\n", []), ("kind: Deployment\n", [])],
    ids=["a policy", "malformed", "another object"],
)
def test_yaml(text: str, codes: list[str], vi: Editor) -> None:
    assert [one["code"] for one in vi.open("policy.yaml", text, "yaml")] == codes


def test_a_closed_file_has_no_mistakes(vi: Editor) -> None:
    assert len(vi.open("closed.npc", "policy")) == 1
    vi.notify("textDocument/didClose", {"textDocument": {"uri": vi.uri("closed.npc")}})
    assert vi.diagnostics("closed.npc") == []


def test_completion(vi: Editor) -> None:
    vi.open("completion.npc", POLICY)
    found = vi.at("completion", "completion.npc", 2, len("  allow tcp/5432 from @off"))
    assert not found["isIncomplete"]
    (one,) = found["items"]
    assert one["textEdit"] == {"newText": "@offices", "range": place(2, 22, 26)}
    assert one["detail"] == "192.0.2.0/24, @branches"


def test_hover(vi: Editor) -> None:
    vi.open("hover.npc", POLICY)
    assert vi.at("hover", "hover.npc", 1, 25) == {
        "contents": {"kind": "markdown", "value": "**1 endpoint**\n\n- shop/db-0 (10.0.1.1)"},
        "range": place(1, 22, 34),
    }


def test_definition_in_another_file(vi: Editor) -> None:
    vi.open("definition.npc", POLICY)
    found = vi.at("definition", "definition.npc", 2, 25)
    assert found == {"uri": vi.uri("common.npc"), "range": place(1, 4, 11)}


def test_a_definition_as_the_editor_has_it(vi: Editor) -> None:
    """Not as it is on disk."""
    vi.open("common.npc", f"\n\n{COMMON}")
    vi.open("moved.npc", POLICY)
    assert vi.at("definition", "moved.npc", 2, 25)["range"] == place(3, 4, 11)
    vi.notify("textDocument/didClose", {"textDocument": {"uri": vi.uri("common.npc")}})
    assert vi.diagnostics("common.npc") == []


def test_formatting(vi: Editor) -> None:
    vi.open("format.npc", "# kept\nset a =   10.0.0.0/8\n")
    params = {
        "textDocument": {"uri": vi.uri("format.npc")},
        "options": {"tabSize": 8, "insertSpaces": False},
    }
    assert vi.request("textDocument/formatting", params) == [
        {
            "newText": "set a = 10.0.0.0/8\n",
            "range": {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 0}},
        }
    ]


def test_outline(vi: Editor) -> None:
    vi.open("outline.npc", POLICY)
    (one,) = vi.request("textDocument/documentSymbol", {"textDocument": {"uri": vi.uri("outline.npc")}})
    assert (one["name"], one["detail"], one["selectionRange"]) == ("db", "shop", place(1, 7, 9))


def test_files_of_other_kinds_have_nothing_to_offer(vi: Editor) -> None:
    vi.open("other.yaml", "a: b\n", "yaml")
    assert vi.at("completion", "other.yaml", 0, 0) is None
    assert vi.at("hover", "other.yaml", 0, 0) is None
    assert vi.at("definition", "other.yaml", 0, 0) is None


SMILE = 'policy x annotations(mood="\N{GRINNING FACE}é") fro pods { }\n'


@pytest.mark.parametrize(
    ("encodings", "character"),
    [((), 33), (("utf-16",), 33), (("utf-8", "utf-16"), 36), (("utf-32",), 32)],
    ids=["none", "UTF-16", "UTF-8", "UTF-32"],
)
def test_columns_are_those_of_the_encoding(encodings: tuple[str, ...], character: int, folder: Path) -> None:
    with editor(folder, encodings) as one:
        (found,) = one.open("smile.npc", SMILE)
        assert found["range"] == place(0, character, character + 3)


def test_the_server_ends_with_its_editor(folder: Path) -> None:
    """Though nobody said goodbye."""
    process = subprocess.Popen(
        [sys.executable, "-m", "npc", "lsp"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert process.returncode in (0, 1)


def test_a_uri_that_is_spelled_otherwise(tmp_path: Path) -> None:
    """With characters as they are that pygls escapes: the editor's text counts, not the one on disk."""
    folder = tmp_path / "l+p (a,b)@c"
    folder.mkdir()
    make_folder(folder)
    with editor(folder) as one:
        at = f"file://{folder}".replace(" ", "%20")
        for name, text in [("common.npc", f"\n\n{COMMON}"), ("x.npc", POLICY)]:
            item = {"uri": f"{at}/{name}", "languageId": "npc", "version": 1, "text": text}
            one.notify("textDocument/didOpen", {"textDocument": item})
        asked = {"textDocument": {"uri": f"{at}/x.npc"}, "position": {"line": 2, "character": 25}}
        found = one.request("textDocument/definition", asked)
        assert found == {"uri": f"{at}/common.npc", "range": place(3, 4, 11)}
