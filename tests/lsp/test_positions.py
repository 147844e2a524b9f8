"""Offsets and the protocol's positions lead to each other, in every encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.lsp.positions import Encoding, Position, Positions

TEXT = "a\r\n\N{GRINNING FACE}é\rb\n"
PLACES = [
    (Encoding.UTF16, 0, (0, 0)),
    (Encoding.UTF16, 1, (0, 1)),
    (Encoding.UTF16, 3, (1, 0)),
    (Encoding.UTF16, 4, (1, 2)),
    (Encoding.UTF16, 5, (1, 3)),
    (Encoding.UTF16, 6, (2, 0)),
    (Encoding.UTF16, 8, (3, 0)),
    (Encoding.UTF8, 4, (1, 4)),
    (Encoding.UTF8, 5, (1, 6)),
    (Encoding.UTF32, 5, (1, 2)),
]


@pytest.mark.parametrize(("encoding", "offset", "position"), PLACES)
def test_places(encoding: Encoding, offset: int, position: tuple[int, int]) -> None:
    positions = Positions.of(TEXT, encoding)
    assert positions.position(offset) == position
    assert positions.offset(*position) == offset


OUTSIDE = [((0, 99), 1), ((1, 1), 3), ((3, 5), 8), ((9, 0), 8)]


@pytest.mark.parametrize(("position", "offset"), OUTSIDE)
def test_positions_that_there_are_not(position: tuple[int, int], offset: int) -> None:
    """Beyond a line: its end. Between the halves of a character: before it. Beyond the text: its end."""
    assert Positions.of(TEXT).offset(*position) == offset


def test_offsets_beyond_the_text() -> None:
    assert Positions.of("ab").position(9) == Position(0, 2)


@given(st.text("a\r\né\N{GRINNING FACE}\u2028 "), st.sampled_from(Encoding))
def test_every_offset_comes_back(text: str, encoding: Encoding) -> None:
    positions = Positions.of(text, encoding)
    within = [n for n in range(len(text) + 1) if text[n - 1 : n + 1] != "\r\n"]
    assert [positions.offset(*positions.position(offset)) for offset in within] == within
