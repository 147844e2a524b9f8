"""Names and comments for generated things.

A name is the hash of what it stands for, so that equal meaning has an equal name.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b


def content_names(keys: Iterable[str], length: int = 10) -> dict[str, str]:
    """A hexadecimal name for each key, of `length` digits or more: never two keys with one name.

    A name depends on its own key alone unless two of these keys collide; then those that do get longer ones.

    >>> content_names(["a", "b"])
    {'a': '8928aae63c', 'b': '6e5c1f45cb'}
    """
    names: dict[str, str] = {}
    open_keys, digits = list(dict.fromkeys(keys)), length
    while open_keys:
        by_name: dict[str, list[str]] = {}
        for key in open_keys:
            by_name.setdefault(blake2b(key.encode(), digest_size=32).hexdigest()[:digits], []).append(key)
        names.update({same[0]: name for name, same in by_name.items() if len(same) == 1})
        open_keys = [key for same in by_name.values() if len(same) > 1 for key in same]
        digits += length
    return names


def shortened(words: Iterable[str], longest: int) -> str:
    """Words joined for a comment of at most `longest` characters; what does not fit is counted.

    >>> shortened(["shop/web", "shop/api", "shop/db"], 24)
    'shop/web and 2 more'
    """
    listed = list(words)
    whole = ", ".join(listed)
    if len(whole) <= longest:
        return whole
    best = text = listed[0]
    for shown in range(1, len(listed)):
        counted = f"{text} and {len(listed) - shown} more"
        best = counted if shown == 1 or len(counted) <= longest else best
        text = f"{text}, {listed[shown]}"
        if len(text) > longest:
            break
    return best if len(best) <= longest else best[: longest - 3] + "..."
