"""Numbers for registers and conjunctions: what they stand for, hashed; equal meaning has an equal number."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from itertools import count


def content_numbers(keys: Iterable[str]) -> dict[str, int]:
    """A number of 32 bits for each key: never 0, and never two keys with one number.

    A number depends on its own key alone unless two of these keys collide, so that what is loaded changes
    no more than what is meant.

    >>> [f"{number:#x}" for number in content_numbers(["a", "b"]).values()]
    ['0x94baeb78', '0x8d93819f']
    """
    numbers: dict[str, int] = {}
    taken = {0}
    for key in sorted(set(keys)):
        numbers[key] = next(number for attempt in count() if (number := _hash(attempt, key)) not in taken)
        taken.add(numbers[key])
    return numbers


def _hash(attempt: int, key: str) -> int:
    return int.from_bytes(blake2b(f"{attempt}\n{key}".encode(), digest_size=4).digest(), "big")
