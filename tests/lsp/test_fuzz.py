"""Whatever is written so far, each request has an answer, and it is about characters that there are."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from npc.lsp.completion import completions
from npc.lsp.definition import definition
from npc.lsp.edits import formatting
from npc.lsp.findings import findings
from npc.lsp.hover import hover
from npc.lsp.positions import Positions
from npc.lsp.project import Document, Project
from npc.lsp.symbols import symbols

SAMPLE = """\
include "gone.npc"
set offices = 192.0.2.0/24 except (192.0.2.1/32), pods(app=web) in ns(env in (prod, "x y")), @more
service dns = udp/53, tcp/domain, icmp/echo-request # 53
policy db in shop labels(a="b") for pods(app=db, !old, tier not in (a)) {
  isolate only ingress
  allow tcp/5432, @dns from @offices, svc/web in ns/x, nodes(role) log "db \\"" as x until 2027-01-31
}
cluster policy guard tier admin priority 10 for ns { deny any/web to any pass from ns/sre }
"""


@st.composite
def unfinished(draw: st.DrawFn) -> str:
    """The sample with pieces gone, doubled, or replaced."""
    text = SAMPLE
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        piece = draw(
            st.sampled_from(["", text[start:end] * 2, "{", ")", '"', "#", "@", "in ", "\n", "/", "=", "é\r"])
        )
        text = text[:start] + piece + text[end:]
    return text


@settings(max_examples=150, deadline=None)
@given(unfinished(), st.floats(0, 1))
def test_every_request_is_answered(text: str, where: float) -> None:
    path = Path("/nowhere/a.npc")
    project = Project(opened={path: text}.get)
    document = project.document(path)
    assert isinstance(document, Document)
    offset = round(where * len(text))
    found = completions(document, offset, project)
    assert 0 <= found.start <= offset
    if (said := hover(document, offset, project)) is not None:
        assert 0 <= said.start <= offset <= said.end <= len(text)
    if (place := definition(document, offset, project)) is not None:
        assert 0 <= place.start <= place.end <= len(text)
    for one in findings(path, text, project):
        assert 0 <= one.start <= one.end <= len(text) + 1
    for symbol in symbols(document):
        assert symbol.start <= symbol.name_start <= symbol.name_end <= symbol.end
    for edit in formatting(path, text) or ():
        assert 0 <= edit.start <= edit.end <= len(text)
    positions = Positions.of(text)
    assert positions.offset(*positions.position(offset)) in (offset, offset - 1)
