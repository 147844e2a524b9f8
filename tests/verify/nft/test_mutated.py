"""Whatever is done to a text: the reader understands it or says what it does not; it never breaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from npc.backends.nft import BACKEND
from npc.compiler.verify.program import Program, Unsupported
from tests.golden.cases import expected_artifacts, find_cases
from tests.verify.nft.rulesets import read, table
from tests.verify.nft.test_meaning import MEANINGS, NAMED
from tests.verify.nft.test_refused import BESIDE, listing

TEXTS: Final = [
    *(text for case in find_cases() for text in expected_artifacts(case, BACKEND.templates).values()),
    *(table(*rule.split("; "), more=NAMED + BESIDE) for rule, _, _ in MEANINGS),
]
WORDS: Final = sorted({word for text in TEXTS for word in text.split()} | set('{}",;#.:=@*-\n\\/&|()'))
LISTING: Final = listing(
    {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
    {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@pods"}},
    {"vmap": {"key": {"meta": {"key": "l4proto"}}, "data": {"set": [["tcp", {"jump": {"target": "x"}}]]}}},
)
VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["accept", "@pods", "10.0.0.1", "set", "concat", "range", "elem", "val", "expr"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["set", "concat", "prefix", "range", "elem", "val", "match", "drop", "jump"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=6,
)


def check(text: str) -> None:
    """The text is read, or what is not understood has a name and a place; no other exception comes."""
    outcome = _outcome(text)
    if isinstance(outcome, Unsupported):
        assert (outcome.construct, outcome.line.file) > ("", "")
        assert outcome.line.number >= 1
    else:
        assert outcome.scenarios


def _outcome(text: str) -> Program | Unsupported:
    try:
        return read(text)
    except Unsupported as error:
        return error


@given(st.sampled_from(TEXTS), st.data())
def test_words_exchanged(text: str, data: st.DataObject) -> None:
    words = text.split(" ")
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(words) - 1))
        words[position : position + data.draw(st.integers(0, 2))] = data.draw(
            st.lists(st.sampled_from(WORDS), max_size=2)
        )
    check(" ".join(words))


@given(st.sampled_from(TEXTS), st.data())
def test_characters_exchanged(text: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(text)))
    put = data.draw(st.text(max_size=2) | st.sampled_from(WORDS))
    after = position + data.draw(st.integers(0, 3))
    check(text[:position] + put + text[after:])


@given(st.data())
def test_json_exchanged(data: st.DataObject) -> None:
    listed = json.loads(LISTING)
    places: list[tuple[Callable[[Any], None], Any]] = []

    def collect(value: Any) -> None:
        items = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for key, inner in items:
            places.append((lambda new, value=value, key=key: value.__setitem__(key, new), inner))  # type: ignore[misc]
            collect(inner)

    collect(listed)
    change, _ = data.draw(st.sampled_from(places))
    change(data.draw(VALUES))
    check(json.dumps(listed))
