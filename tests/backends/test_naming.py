"""Names of generated things: their own key's alone, never one for two keys; and comments that fit."""

from __future__ import annotations

import random
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npc.backends.naming import content_names, shortened

KEYS = st.lists(st.text(max_size=5), max_size=80)


@pytest.mark.parametrize("length", [1, 2, 10])
@given(keys=KEYS)
def test_no_two_keys_have_one_name(length: int, keys: list[str]) -> None:
    """With one digit, most of these keys collide."""
    names = content_names(keys, length)
    assert names.keys() == set(keys)
    assert len(set(names.values())) == len(names)
    assert all(len(name) >= length and set(name) <= set("0123456789abcdef") for name in names.values())


@given(KEYS, st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(keys: list[str], chance: random.Random) -> None:
    shuffled = keys * 2
    chance.shuffle(shuffled)
    assert content_names(shuffled, 1) == content_names(keys, 1)


@given(KEYS)
def test_a_name_is_its_own_key_s(keys: list[str]) -> None:
    """The start of a hash, as short as tells it from those that begin alike."""
    names = content_names(keys, 1)
    for key, name in names.items():
        digits = blake2b(key.encode(), digest_size=32).hexdigest()
        rivals = [blake2b(other.encode(), digest_size=32).hexdigest() for other in names if other != key]
        assert digits.startswith(name)
        assert not any(rival.startswith(name) for rival in rivals)
        assert len(name) == 1 or any(rival.startswith(name[:-1]) for rival in rivals)


def test_others_do_not_change_a_name() -> None:
    """Ten digits are enough for a thousand keys, so each is called as if it were alone."""
    keys = [str(number) for number in range(1000)]
    assert content_names(keys) == {key: content_names([key])[key] for key in keys}


@given(st.lists(st.text("abc", max_size=200), max_size=30), st.integers(20, 200))
def test_shortened_words_fit_and_say_how_many_are_not_shown(words: list[str], longest: int) -> None:
    made = shortened(words, longest)
    assert len(made) <= longest
    whole = ", ".join(words)
    if len(whole) <= longest:
        assert made == whole
    elif " and " in made and not made.endswith("..."):
        shown, _, rest = made.rpartition(" and ")
        hidden = int(rest.removesuffix(" more"))
        assert shown == ", ".join(words[: len(words) - hidden])
    else:
        assert made.endswith("...")
        assert f"{words[0]} and {len(words) - 1} more".startswith(made[:-3])
