"""YAML that says the same to every reader."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from npc.compiler.frontend.source import Source
from npc.compiler.frontend.yaml_reader import read_yaml
from npc.compiler.language.yaml_writer import yaml_text

SCALARS = [
    # (text, as it is written)
    ("web", "web"),
    ("app.kubernetes.io/name", "app.kubernetes.io/name"),
    ("two words, (no more)", "two words, (no more)"),
    ("10.0.0.0/8", "10.0.0.0/8"),
    ("2001:db8::/32", "2001:db8::/32"),
    ("::/0", "::/0"),
    ("", '""'),
    ("80", '"80"'),
    ("1e3", '"1e3"'),
    ("0o17", '"0o17"'),
    ("12:30", '"12:30"'),
    ("2027-01-31", '"2027-01-31"'),
    ("y", '"y"'),
    ("No", '"No"'),
    ("NULL", '"NULL"'),
    ("~", '"~"'),
    (".5", '".5"'),
    ("-a", '"-a"'),
    ("a: b", '"a: b"'),
    ("a #b", '"a #b"'),
    ("a ", '"a "'),
    ('"', '"\\""'),
    ("\t\x00\x85\u2028\U000e0001", '"\\t\\x00\\x85\\u2028\\U000e0001"'),
    ("é☃😀", '"é☃😀"'),
    ("a\nb", "|-\n  a\n  b"),
    ("a\n\n b\n", "|\n  a\n\n   b"),
    ("\na", '"\\na"'),
    ("a\n\n", '"a\\n\\n"'),
    (" a\nb", '" a\\nb"'),
]


@pytest.mark.parametrize(("text", "written"), SCALARS, ids=[repr(case[0]) for case in SCALARS])
def test_scalars(text: str, written: str) -> None:
    assert yaml_text({"a": text}) == f"a: {written}\n"


HARD = st.text("019eExXoO._:+-/# \nynYN'\"|>&*!%@`,[]{}\u2028\x85\ufeff\t\r", max_size=10)
TEXTS = st.one_of(st.text(max_size=12), HARD, st.sampled_from([case[0] for case in SCALARS]))
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(0, 70000)),
    lambda inner: st.one_of(
        st.dictionaries(TEXTS, inner, max_size=3),
        st.lists(st.one_of(TEXTS, st.integers(0, 9), st.dictionaries(TEXTS, inner, max_size=3)), max_size=3),
    ),
    max_leaves=12,
)


@given(value=st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_back(value: dict[str, Any]) -> None:
    text = yaml_text(value)
    documents, diagnostics = read_yaml(Source("x.yaml"), text.encode())
    assert not diagnostics
    assert [document.value for document in documents] == [value]
    assert yaml.load(text, Loader=yaml.CSafeLoader) == value
