"""`npc lsp` where what it needs is not installed; tests/lsp has the rest."""

from __future__ import annotations

import sys

import pytest

from tests.cli.invocation import npc


@pytest.mark.parametrize("missing", ["pygls", "lsprotocol"])
def test_the_extra_is_named_where_it_is_missing(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "npc.lsp.server", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    outcome = npc("lsp")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr == (
        f"npc: the language server needs the package {missing}, which is not installed\n"
        "   = help: pip install 'npc-compiler[lsp]'\n"
    )
