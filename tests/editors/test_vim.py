"""What the file type plugin for vim does besides colours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.vim import after_command, can_colour

pytestmark = pytest.mark.skipif(not can_colour(), reason="needs vim with syntax files")

FORMATTED = [
    ("what differs", "set a  =  any\n\n\n\n# kept\n", "set a = any\n\n# kept\n"),
    ("mistakes", "set a  =\n", "set a  =\n"),
    ("nothing to do", "set a = any\n", "set a = any\n"),
]


@pytest.mark.parametrize(("text", "after"), [row[1:] for row in FORMATTED], ids=[row[0] for row in FORMATTED])
def test_format(text: str, after: str, tmp_path: Path) -> None:
    assert after_command(text, "NpcFmt", tmp_path) == after
