"""What an unquoted YAML scalar means to Kubernetes.

YAML 1.1 as kubectl reads it (sigs.k8s.io/yaml, goyaml.v2/resolve.go): numbers in base 60 (`12:30`) and
dates are text. One difference is deliberate: `y` and `n` alone are text, as most of what writes YAML
believes, and as nearly every label of that value is meant.

>>> [resolve(text) for text in ("80", "on", "~", "0x1f", "1.5", "12:30", "2027-01-31", "y", "http")]
[80, True, None, 31, 1.5, '12:30', '2027-01-31', 'y', 'http']
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)"
    r"(?:0[bB](?P<b2>[01_]+)|0[oO]?(?P<b8>[0-7_]+)|0[xX](?P<b16>[0-9a-fA-F_]+)|(?P<b10>0|[1-9][0-9_]*))"
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 64
"""Characters; longer digits are text, so that no input makes Python convert megabytes of them."""


def resolve(text: str) -> Scalar:
    """The value of a plain (unquoted, untagged) scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-." or len(text) > _LONGEST_NUMBER:
        return text
    if match := _INTEGER.fullmatch(text):
        for group, base in (("b2", 2), ("b8", 8), ("b16", 16), ("b10", 10)):
            digits = (match[group] or "").replace("_", "")
            if digits:
                return int(match["sign"] + digits, base)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return text if math.isinf(number) else number
    return text


def key_text(value: Scalar) -> str | None:
    """A scalar as a mapping's key, as kubectl turns it into JSON; None for null, which cannot be one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value).removesuffix(".0")
