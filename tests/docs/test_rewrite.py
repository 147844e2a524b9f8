"""Pages are read as they are written, and outputs are mended in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from npc.compiler.frontend.codes import UNREADABLE
from tests.docs.console import Console, matches
from tests.docs.pages import Step, blocks, steps
from tests.docs.rewrite import rewrite

PAGE = f"""\
# A page

```yaml
# folder/lab.yaml
endpoints: []
```

```console
$ npc check \\
    absent.yaml
an old output
of two lines
$ echo $?
1
$ npc check folder
$ npc check absent.yaml
... no elision
error[{UNREADABLE.name}]: old
$ npc check absent.yaml
error[{UNREADABLE.name}]: old
...
```
"""


def test_a_page_is_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    shown, console = blocks(page)
    assert (shown.file, shown.line, shown.lines) == (
        "folder/lab.yaml",
        4,
        ("# folder/lab.yaml", "endpoints: []"),
    )
    assert console.file is None
    assert steps(console)[:3] == [
        Step(9, "npc check absent.yaml", 11, ("an old output", "of two lines")),
        Step(13, "echo $?", 14, ("1",)),
        Step(15, "npc check folder", 16, ()),
    ]


def test_outputs_are_mended(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert list(rewrite(page)) == [
        "page.md:9: rewritten",
        "page.md:16: rewritten",
        "page.md:19: differs, and is yours to mend",
    ]
    mended = page.read_text()
    assert mended.count("error[NPC101]: there is no file") == 2
    assert "an old output" not in mended
    assert mended.startswith(PAGE[: PAGE.index("an old output")])
    assert mended.endswith(PAGE[PAGE.rindex("$ npc check") :])
    assert list(rewrite(page)) == ["page.md:21: differs, and is yours to mend"]
    assert page.read_text() == mended


MATCHES = [
    (("a", "b"), "a\nb\n", True),
    (("a",), "a\nb\n", False),
    (("a", "..."), "a\nb\nc\n", True),
    (("...", "c"), "a\nb\nc\n", True),
    (("a", "...", "b"), "a\nb\n", True),
    (("a", "...", "b", "...", "a"), "a\nb\nb\n", False),
    (("...",), "", True),
    (("a.c",), "abc\n", False),
    (("a",), "a", False),
]


@pytest.mark.parametrize(("expected", "output", "result"), MATCHES)
def test_elision(expected: tuple[str, ...], output: str, result: bool) -> None:
    assert matches(expected, output) is result


def test_a_console_has_one_folder_and_the_last_exit_code(tmp_path: Path) -> None:
    console = Console(tmp_path)
    assert console.run("npc compile examples/shop --output npc.nft") == ""
    assert console.run("wc -l < npc.nft | tr -d ' '").strip().isdigit()
    assert console.run("npc check absent.yaml").startswith("error[NPC101]")
    assert console.run("echo $?") == "1\n"
    assert console.run("exit 3") == ""
    assert console.run("echo $?") == "3\n"
