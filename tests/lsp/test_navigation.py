"""Definitions, outlines, formatting: over the functions, in a folder with a file to include."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from npc.lsp.definition import definition
from npc.lsp.edits import formatting
from npc.lsp.hover import hover
from npc.lsp.symbols import Symbol, symbols
from tests.lsp.project import COMMON, at_cursor, opened

LOCAL = "set a = @b\nset b = 10.0.0.0/8\nservice a = tcp\n"

LED = [
    ("a set", "set a = @|b\nset b = any", "policies.npc", "b"),
    (
        "a set of the same name as a service",
        f"{LOCAL}policy x for pods {{ allow from @|a }}",
        "policies.npc",
        "a",
    ),
    ("a service", "service dns = udp/53 policy x for pods { allow @|dns to any }", "policies.npc", "dns"),
    ("an included set", 'include "common.npc" set x = @off|ices', "common.npc", "offices"),
    ("an included service", 'include "common.npc" service x = @d|ns', "common.npc", "dns"),
    ("a file", 'include "com|mon.npc"', "common.npc", ""),
    ("no set", "set x = @of|fices", None, ""),
    ("no file", 'include "gone|.npc"', None, ""),
    ("a name that leads nowhere", "policy x| for pods { }", None, ""),
]


@pytest.mark.parametrize(("marked", "file", "name"), [row[1:] for row in LED], ids=[row[0] for row in LED])
def test_definition(marked: str, file: str | None, name: str, folder: Path) -> None:
    text, offset = at_cursor(marked)
    document, project = opened(folder, text)
    place = definition(document, offset, project)
    if file is None:
        assert place is None
        return
    assert place is not None
    read = text if file == "policies.npc" else COMMON
    assert (place.path, read[place.start : place.end]) == (folder / file, name)


def test_a_service_is_not_a_set(folder: Path) -> None:
    text, offset = at_cursor(f"{LOCAL}policy x for pods {{ allow @|a to any }}")
    document, project = opened(folder, text)
    place = definition(document, offset, project)
    assert place is not None
    assert text[: place.start].endswith("service ")


def test_files_that_include_each_other(folder: Path) -> None:
    (folder / "common.npc").write_text('include "policies.npc"\nset offices = any\n')
    document, project = opened(folder, 'include "common.npc"\nset x = @offices')
    assert [one.path.name for one in project.with_includes(document)] == ["policies.npc", "common.npc"]


def outline(one: Symbol) -> tuple[str, str, str, list[str]]:
    return one.kind.value, one.name, one.detail, [inner.name for inner in one.inside]


def test_outline(folder: Path) -> None:
    text = """\
include "common.npc"
set a = any
service b = tcp
policy c for pods { allow from any as first allow to any allow to ns as second }
cluster policy d tier baseline for ns { deny from any as last }
"""
    document, _ = opened(folder, text)
    found = list(symbols(document))
    assert [outline(one) for one in found] == [
        ("set", "a", "set", []),
        ("service", "b", "service", []),
        ("policy", "c", "default", ["first", "second"]),
        ("cluster policy", "d", "baseline tier", ["last"]),
    ]
    assert [text[one.name_start : one.name_end] for one in found] == [one.name for one in found]
    assert all(one.start <= one.name_start <= one.name_end <= one.end for one in found)


def test_formatting_touches_only_what_differs(folder: Path) -> None:
    text = "# kept\nset a  =  any\nset b = 10.0.0.0/8\n"
    edits = formatting(folder / "policies.npc", text)
    assert edits is not None
    assert [(text[one.start : one.end], one.text) for one in edits] == [("set a  =  any\n", "set a = any\n")]


def test_a_text_with_mistakes_is_left_alone(folder: Path) -> None:
    assert formatting(folder / "policies.npc", "set a  =  \npolicy") is None


def test_a_formatted_text_has_no_edits(folder: Path) -> None:
    assert formatting(folder / "policies.npc", "set a = any\n") == []


def test_formatting_a_long_text_is_one_edit(folder: Path) -> None:
    lines = [f"set s{n} =  any\nset t{n} = any\n# kept\nset u{n} =  any\n" for n in range(1_000)]
    text = "".join(["set first = any\n", *lines, "set last = any\n"])
    edits = formatting(folder / "policies.npc", text)
    assert edits is not None
    (one,) = edits
    assert text[one.start : one.end] == "".join(lines)
    assert one.text == "".join(lines).replace("  ", " ")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("set a = any", "set a = any\n"),
        ("\n\nset a = any\n", "set a = any\n"),
        ("set a = any\n\n\n\nset b = any\n", "set a = any\n\nset b = any\n"),
        ("set a = any\n# b\n\n", "set a = any\n# b\n"),
    ],
)
def test_the_edit_leads_from_one_text_to_the_other(before: str, after: str, folder: Path) -> None:
    edits = formatting(folder / "policies.npc", before)
    assert edits is not None
    (one,) = edits
    assert before[: one.start] + one.text + before[one.end :] == after


@pytest.mark.parametrize("name", ["pipe.npc", "/dev/zero", "x" * 5_000, "a\0b", ".", "\udcff"])
def test_what_is_no_file_is_not_included(name: str, folder: Path) -> None:
    os.mkfifo(folder / "pipe.npc")
    text = f'include "{name}"\nset x = @offices\n'
    document, project = opened(folder, text)
    assert [one.path.name for one in project.with_includes(document)] == ["policies.npc"]
    assert definition(document, text.index('"') + 1, project) is None
    assert hover(document, text.index("@") + 1, project) is not None
