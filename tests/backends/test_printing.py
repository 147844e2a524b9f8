"""Templates: npc's own, a user's in their place, and what is said when those fail."""

from __future__ import annotations

from pathlib import Path

import pytest

import npc
from npc.backends.base import BUILT_IN, Backend, find_target, target_names
from npc.backends.printing import render
from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import InputError

CLUSTER = npc.Source(
    "cluster.yaml",
    content=b"""
{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {podIP: 10.0.0.1}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}}}
""",
)


def printed(folder: Path) -> str:
    return npc.compile_sources([CLUSTER], template_dir=folder).artifacts["npc.nft"]


def test_a_template_of_one_s_own_takes_the_place_of_npc_s(tmp_path: Path) -> None:
    (tmp_path / "nft.j2").write_text("{% for one in ruleset.sets %}{{ one.name }};{% endfor %}")
    assert printed(tmp_path) == "ingress4;self4;"


def test_a_folder_without_the_template_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "other.j2").write_text("{{ nothing }}")
    assert printed(tmp_path) == npc.compile_sources([CLUSTER]).artifacts["npc.nft"]


@pytest.mark.parametrize(
    "text", ['# mine\n{% include "npc/nft.j2" %}', '{% extends "npc/nft.j2" %}', '{% include "part.j2" %}']
)
def test_a_template_may_build_on_npc_s(tmp_path: Path, text: str) -> None:
    (tmp_path / "nft.j2").write_text(text)
    (tmp_path / "part.j2").write_text('{% include "npc/nft.j2" %}')
    own = npc.compile_sources([CLUSTER]).artifacts["npc.nft"]
    assert printed(tmp_path).removeprefix("# mine\n") == own


FAULTS = [
    pytest.param(b"\n{{ nothing }}", ":2: ", "'nothing' is undefined", id="an unknown variable"),
    pytest.param(b"\n{{ ruleset.nothing }}", ":2: ", "no attribute 'nothing'", id="an unknown attribute"),
    pytest.param(b"{% for one in nothing %}{% endfor %}", ":1: ", "undefined", id="a loop over nothing"),
    pytest.param(b"a\n{% if %}", ":2: ", "Expected an expression", id="malformed"),
    pytest.param(b"{{ ruleset | nothing }}", ":1: ", "No filter named 'nothing'", id="an unknown filter"),
    pytest.param(b'\n\n{% include "nothing" %}', ":3: ", "nothing", id="a missing include"),
    pytest.param(b"\n{{ 1 / 0 }}", ":2: ", "division by zero", id="a division by zero"),
    pytest.param(b"\n{{ ruleset.name + 1 }}", ":2: ", "can only concatenate", id="a wrong type"),
    pytest.param(b"{{ raise() }}", ":1: ", "'raise' is undefined", id="a call of nothing"),
    pytest.param(b"\xff", "", "utf-8", id="no text"),
    pytest.param(b'{% extends "nft.j2" %}', "", "recursion", id="itself"),
]


@pytest.mark.parametrize(("content", "line", "message"), FAULTS)
def test_faults_of_a_template_are_said_with_its_line(
    tmp_path: Path, content: bytes, line: str, message: str
) -> None:
    (tmp_path / "nft.j2").write_bytes(content)
    with pytest.raises(InputError) as raised:
        printed(tmp_path)
    (fault,) = raised.value.diagnostics
    assert fault.code is codes.TEMPLATE
    assert f"nft.j2{line}" in fault.message
    assert message in fault.message


def test_nothing_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "x.j2").write_text("{{ text }}")
    assert render("x.j2", tmp_path, text='<a> & "b"') == '<a> & "b"'


def test_the_templates_of_every_target_are_there() -> None:
    targets = [find_target(name) for name in target_names()]
    used = {name for one in targets if isinstance(one, Backend) for name in one.templates.values()}
    assert used - {path.name for path in BUILT_IN.glob("*.j2")} == set()
