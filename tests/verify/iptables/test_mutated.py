"""Texts that somebody has broken: a program, or a refusal, and nothing else."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from npc.backends.base import Options
from npc.backends.iptables import BACKEND
from npc.backends.iptables.reader import read
from npc.compiler.verify.program import Unsupported
from tests.golden.cases import expected_artifacts, find_cases
from tests.verify.iptables.asking import NO_PLAN

FOUND = [expected_artifacts(case, BACKEND.templates) for case in find_cases()]
TEXTS = [texts for texts in FOUND if "npc.ipset" in texts]
WORDS = sorted(
    {word for texts in TEXTS for text in texts.values() for word in text.split()} | {"!", "-g", "/"}
)


@given(data=st.data())
def test_mutated_texts(data: st.DataObject) -> None:
    texts = dict(data.draw(st.sampled_from(TEXTS)))
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(["npc.v4.rules", "npc.v6.rules", "npc.ipset"]))
        lines = texts[name].split("\n")
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "twice", "move", "word", "letter", "cut"])):
            case "drop":
                del lines[at]
            case "twice":
                lines.insert(at, lines[at])
            case "move":
                lines.insert(data.draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case "cut":
                lines = lines[:at]
            case "word":
                words = lines[at].split(" ")
                place = data.draw(st.integers(0, len(words) - 1))
                words[place] = data.draw(st.sampled_from(WORDS))
                lines[at] = " ".join(words)
            case _:
                place = data.draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:place] + data.draw(st.text(max_size=2)) + lines[at][place + 1 :]
        texts[name] = "\n".join(lines)
    with contextlib.suppress(Unsupported):
        assert read(texts, NO_PLAN, Options()).scenarios


@given(st.dictionaries(st.sampled_from(["npc.v4.rules", "npc.ipset"]), st.text()))
def test_any_text(texts: dict[str, str]) -> None:
    with contextlib.suppress(Unsupported):
        assert read(texts, NO_PLAN, Options()).scenarios
