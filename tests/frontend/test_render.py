"""How diagnostics are written: for people, as JSON, and as SARIF."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import npc
from npc.compiler.frontend import codes, locate
from npc.compiler.frontend.codes import Severity
from npc.compiler.frontend.diagnostics import Diagnostic, Format, Related, did_you_mean, nearest
from npc.compiler.frontend.render import render, summary
from npc.compiler.frontend.source import Origin, Source, Span

PAGE = Source(
    "page.yaml", content="first: 1\n\n\tsecond: '網路' # é\nlong: ".encode() + b"x" * 200 + b" end\n"
)


def at(line: int, column: int, end: int, source: Source = PAGE) -> Origin:
    return Origin(source, span=Span(line, column, end))


WRONG = Diagnostic(codes.INVALID, "wrong", at(1, 8, 9))
TEXTS: list[tuple[str, list[Diagnostic], str]] = [
    ("nothing", [], ""),
    ("no place", [Diagnostic(codes.NO_INPUT, "nothing")], "error[NPC109]: nothing\n\n"),
    (
        "everything that there can be",
        [
            Diagnostic(
                codes.FORBIDDEN,
                "no",
                at(1, 1, 6),
                field="spec.a[0]",
                label="this",
                help="mend it",
                about="NetworkPolicy a/b",
                related=(Related(at(1, 8, 9), "that"),),
            )
        ],
        """\
error[NPC206]: spec.a[0]: no
 --> page.yaml:1:1
  |
1 | first: 1
  | ^^^^^ this
 --> page.yaml:1:8
  |
1 | first: 1
  |        ^ that
   = in NetworkPolicy a/b
   = help: mend it

""",
    ),
    (
        "a tab, and characters of two columns",
        [
            Diagnostic(codes.INVALID, "wide", at(3, 10, 14)),
            Diagnostic(codes.INVALID, "behind", at(3, 15, 16)),
        ],
        """\
error[NPC204]: wide
 --> page.yaml:3:10
  |
3 | 	second: '網路' # é
  | 	        ^^^^^^

error[NPC204]: behind
 --> page.yaml:3:15
  |
3 | 	second: '網路' # é
  | 	               ^

""",
    ),
    (
        "an empty line, with and without something to say of it",
        [
            Diagnostic(codes.SYNTAX, "here", at(2, 1, 2)),
            Diagnostic(codes.SYNTAX, "end", at(5, 1, 2), label="!"),
        ],
        "error[NPC103]: here\n --> page.yaml:2:1\n\nerror[NPC103]: end\n --> page.yaml:5:1\n   = !\n\n",
    ),
    (
        "a long line, at its begin and at its end",
        [Diagnostic(codes.INVALID, "begin", at(4, 1, 5)), Diagnostic(codes.INVALID, "end", at(4, 208, 211))],
        f"""\
error[NPC204]: begin
 --> page.yaml:4:1
  |
4 | long: {"x" * 114}...
  | ^^^^

error[NPC204]: end
 --> page.yaml:4:208
  |
4 | ...{"x" * 116} end
  | {" " * 120}^^^

""",
    ),
    (
        "warnings after errors, notes last; each by its place",
        [
            Diagnostic(codes.FINISHED, "finished", at(1, 1, 2)),
            Diagnostic(codes.HOST_BITS, "bits", at(1, 1, 6)),
            Diagnostic(codes.INVALID, "two", at(3, 2, 8)),
            WRONG,
        ],
        """\
error[NPC204]: wrong
 --> page.yaml:1:8
  |
1 | first: 1
  |        ^

error[NPC204]: two
 --> page.yaml:3:2
  |
3 | 	second: '網路' # é
  | 	^^^^^^

warning[NPC401]: bits
 --> page.yaml:1:1
  |
1 | first: 1
  | ^^^^^

note[NPC412]: finished
""",
    ),
    (
        "three notes of one kind, and the number of the others",
        [Diagnostic(codes.NO_ADDRESS, f"pod {number}") for number in range(1003)]
        + [Diagnostic(codes.FINISHED, f"pod {number}") for number in range(3)],
        """\
note[NPC412]: pod 0
note[NPC412]: pod 1
note[NPC412]: pod 2
note[NPC413]: pod 0
note[NPC413]: pod 1
note[NPC413]: pod 2
note[NPC413]: 1,000 more: pods without an address are no endpoints
""",
    ),
    (
        "nothing that drives a terminal",
        [
            Diagnostic(
                codes.INVALID,
                "a\x1b[31mb\nc",
                at(1, 1, 2, Source("d\re", content="f\x07\u202eg".encode())),
                field="h\0",
                label="i\x08",
                help="j\x7f",
                about="k\ud800",
            )
        ],
        """\
error[NPC204]: h\ufffd: a\ufffd[31mb\ufffdc
 --> d\ufffde:1:1
  |
1 | f\ufffd\ufffdg
  | ^ i\ufffd
   = in k\ufffd
   = help: j\ufffd

""",
    ),
]
SUMMARIES = [
    ([], ""),
    ([codes.FINISHED], ""),
    ([codes.INVALID], "1 error"),
    ([codes.INVALID, codes.HOST_BITS, codes.INVALID, codes.FINISHED], "2 errors, 1 warning"),
    ([codes.HOST_BITS] * 1200, "1,200 warnings"),
]
GUESSES = [
    ("podselector", ("podSelector", "policyTypes"), "did you mean 'podSelector'?"),
    ("x", ("podSelector", "policyTypes"), "expected one of: podSelector, policyTypes"),
    ("x" * 10_000, ("podSelector",), "expected one of: podSelector"),
    ("x", (), ""),
]


@pytest.mark.parametrize(("diagnostics", "text"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_text(diagnostics: list[Diagnostic], text: str) -> None:
    assert render(diagnostics, Format.TEXT) == text


def test_colour_adds_nothing_but_colour() -> None:
    diagnostics = [one for _, listed, _ in TEXTS for one in listed]
    coloured = render(diagnostics, Format.TEXT, colour=True)
    assert "\033[1;31merror[NPC204]\033[0m: \033[1mwrong\033[0m\n" in coloured
    assert re.sub(r"\033\[[0-9;]+m", "", coloured) == render(diagnostics, Format.TEXT)


@pytest.mark.parametrize(("found", "expected"), SUMMARIES)
def test_summary(found: list[codes.Code], expected: str) -> None:
    assert summary([Diagnostic(code, "") for code in found]) == expected


@pytest.mark.parametrize(("word", "known", "expected"), GUESSES)
def test_did_you_mean(word: str, known: tuple[str, ...], expected: str) -> None:
    assert did_you_mean(word, known) == expected


def test_a_guess_is_as_sure_as_it_is_asked_to_be() -> None:
    assert [nearest("ServiceAccount", ["Service"], cutoff) for cutoff in (0.6, 0.8)] == ["Service", None]


def test_json() -> None:
    everything, no_place, note = (
        Diagnostic(
            codes.FORBIDDEN,
            "no",
            at(1, 1, 6),
            field="spec",
            reason="Forbidden",
            label="this",
            help="mend it",
            about="NetworkPolicy a/b",
            related=(Related(at(3, 2, 8), "that"),),
        ),
        Diagnostic(codes.NO_INPUT, "nothing"),
        Diagnostic(codes.FINISHED, "finished", at(1, 1, 2)),
    )
    place = {"file": "page.yaml", "line": 1, "column": 1}
    assert json.loads(render([note, *[note] * 4, everything, no_place], Format.JSON)) == [
        {"code": "NPC109", "severity": "error", "message": "nothing"},
        {
            "code": "NPC206",
            "severity": "error",
            "message": "no",
            "field": "spec",
            "reason": "Forbidden",
            "about": "NetworkPolicy a/b",
            "help": "mend it",
            **place,
            "endColumn": 6,
            "related": [{"message": "that", "file": "page.yaml", "line": 3, "column": 2, "endColumn": 8}],
        },
        *[{"code": "NPC412", "severity": "note", "message": "finished", **place, "endColumn": 2}] * 5,
    ]


URIS = [
    (Source("a/b.yaml", Path("a/b.yaml")), "a/b.yaml"),
    (Source("a b/#?%.yaml", Path("a b/#?%.yaml")), "a%20b/%23%3F%25.yaml"),
    (Source("網.yaml", Path("網.yaml")), "%E7%B6%B2.yaml"),
    (Source("\udcff.yaml", Path("\udcff.yaml")), "%FF.yaml"),
    (Source("/a b.yaml", Path("/a b.yaml")), "file:///a%20b.yaml"),
    (Source("<stdin>", content=b"a: 1\n"), "%3Cstdin%3E"),
]


@pytest.mark.parametrize(("source", "uri"), URIS)
def test_sarif_names_files_by_uri(source: Source, uri: str) -> None:
    (result,) = _sarif([Diagnostic(codes.INVALID, "wrong", at(1, 1, 2, source))])["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_sarif() -> None:
    """The properties that SARIF 2.1.0 requires, and those that code scanning shows."""
    diagnostics = [one for _, listed, _ in TEXTS for one in listed]
    run = _sarif(diagnostics)
    assert run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    rules = driver["rules"]
    assert driver["name"] == "npc"
    assert [rule["id"] for rule in rules] == [code.name for code in codes.ALL]
    assert all(rule["shortDescription"]["text"] for rule in rules)
    assert {rule["defaultConfiguration"]["level"] for rule in rules} == {"error", "warning", "note"}
    assert len(run["results"]) == len(diagnostics)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == rules[result["ruleIndex"]]["defaultConfiguration"]["level"]
        assert result["message"]["text"]
        for place in (*result["locations"], *result["relatedLocations"]):
            region = place["physicalLocation"]["region"]
            assert region["startLine"] >= 1
            assert 1 <= region["startColumn"] < region["endColumn"]


def test_sarif_of_one() -> None:
    diagnostic = Diagnostic(
        codes.INVALID,
        "wrong",
        at(1, 8, 9),
        field="spec",
        help="mend it",
        related=(Related(at(1, 1, 6), "that"),),
    )
    assert _sarif([diagnostic])["results"] == [
        {
            "ruleId": "NPC204",
            "ruleIndex": codes.ALL.index(codes.INVALID),
            "level": "error",
            "message": {"text": "spec: wrong (mend it)"},
            "locations": [_sarif_place(1, 8, 9)],
            "relatedLocations": [{"id": 0, "message": {"text": "that"}, **_sarif_place(1, 1, 6)}],
        }
    ]


def test_codes_are_what_their_numbers_say() -> None:
    assert len({code.name for code in codes.ALL}) == len(codes.ALL)
    assert all(re.fullmatch(r"NPC[1-9][0-9]{2}", code.name) and code.title for code in codes.ALL)
    assert {code.severity for code in codes.ALL if code.name < "NPC400"} == {Severity.ERROR}
    assert all(code.severity is not Severity.ERROR for code in codes.ALL if "NPC400" <= code.name < "NPC500")


GOOD = """\
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {podIP: 10.0.0.1}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {hostNetwork: true}}
---
{apiVersion: v1, kind: ConfigMap}
"""


@pytest.mark.parametrize(("format", "pages"), [(Format.TEXT, 0), (Format.JSON, 1), (Format.SARIF, 1)])
def test_good_input_is_not_read_again(format: Format, pages: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of notes has no places, so none are looked for; who asks for all that is known gets them."""
    read: list[Source] = []
    page_of = locate.Page.of

    def noted(source: Source) -> locate.Page:
        read.append(source)
        return page_of(source)

    monkeypatch.setattr(locate.Page, "of", noted)
    compilation = npc.compile_sources([npc.Source("good.yaml", content=GOOD.encode())])
    assert {one.code for one in compilation.diagnostics} == {
        codes.HOST_NETWORK,
        codes.UNLISTED_NAMESPACE,
        codes.PASSED_OVER,
    }
    assert render(compilation.diagnostics, format)
    assert len(read) == pages


def _sarif(diagnostics: list[Diagnostic]) -> dict[str, Any]:
    """The one run of a SARIF log."""
    log = json.loads(render(diagnostics, Format.SARIF))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def _sarif_place(line: int, column: int, end: int) -> dict[str, Any]:
    region = {"startLine": line, "startColumn": column, "endColumn": end}
    return {"physicalLocation": {"artifactLocation": {"uri": "page.yaml"}, "region": region}}
