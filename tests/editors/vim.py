"""A real vim, in batch mode, with the files of editors/vim: what it makes of a text."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT

FOLDER = ROOT / "editors" / "vim"
_SECONDS = 30

_BEGINNING = """\
set nocompatible
let &runtimepath = '{runtime},' . &runtimepath
filetype plugin on
syntax on
edit {file}
"""
_COLOURS = """\
let found = [&filetype, &commentstring]
for line in range(1, line('$'))
  for column in range(1, col([line, '$']) - 1)
    call add(found, synIDattr(synID(line, column, 1), 'name'))
  endfor
  call add(found, '')
endfor
call writefile([json_encode(found)], '{result}')
"""


def can_colour() -> bool:
    """Whether there is a vim with syntax files and JSON: Debian's vim, not its vim-tiny."""
    if shutil.which("vim") is None:
        return False
    version = subprocess.run(
        ["vim", "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    return "+syntax" in version.stdout and "+eval" in version.stdout


def groups(text: str, folder: Path) -> tuple[tuple[str, str], list[str]]:
    """What vim sets for a file with the text (filetype, commentstring), and each byte's syntax group."""
    result = folder / "result.json"
    _run(text, _COLOURS.format(result=result), folder)
    filetype, comments, *found = json.loads(result.read_text(encoding="utf-8"))
    return (filetype, comments), found


def after_command(text: str, command: str, folder: Path) -> str:
    """What a file with the text is after a command of vim's; `npc` is this one."""
    _run(text, f"silent! {command}\nwrite", folder)
    return (folder / "sample.npc").read_text(encoding="utf-8")


def _run(text: str, script: str, folder: Path) -> None:
    """Run a script in a vim that has a file with the text open."""
    file, commands = folder / "sample.npc", folder / "script.vim"
    file.write_text(text, encoding="utf-8")
    commands.write_text(f"{_BEGINNING.format(runtime=FOLDER, file=file)}{script}\nqall!\n", encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["vim", "-u", "NONE", "-i", "NONE", "-n", "-es", "-S", str(commands)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PATH": path},
        timeout=_SECONDS,
        check=True,
    )
