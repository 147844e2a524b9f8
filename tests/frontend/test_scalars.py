"""Unquoted scalars mean what kubectl takes them for; the comment names where that is surprising."""

from __future__ import annotations

import math

import pytest

from npc.compiler.frontend.scalars import Scalar, key_text, resolve

VALUES: list[tuple[str, Scalar]] = [
    ("", None),
    ("~", None),
    ("null", None),
    ("NULL", None),
    ("nUll", "nUll"),
    ("none", "none"),
    ("true", True),
    ("True", True),
    ("TRUE", True),
    ("tRue", "tRue"),
    ("yes", True),
    ("on", True),
    ("On", True),
    ("no", False),
    ("off", False),
    ("FALSE", False),
    ("y", "y"),  # the one difference from kubectl
    ("n", "n"),
    ("0", 0),
    ("-0", 0),
    ("80", 80),
    ("+80", 80),
    ("-80", -80),
    ("8_080", 8080),
    ("0x1F", 31),
    ("0X1f", 31),
    ("-0x1f", -31),
    ("0x", "0x"),
    ("0x_", "0x_"),
    ("0xg", "0xg"),
    ("017", 15),  # octal
    ("0o17", 15),
    ("0b101", 5),
    ("0b2", "0b2"),
    ("08", 8.0),  # no octal number, but a floating-point one
    ("9" * 64, int("9" * 64)),
    ("9" * 65, "9" * 65),
    ("1.5", 1.5),
    ("1.", 1.0),
    (".5", 0.5),
    ("-.5", -0.5),
    ("1e3", 1000.0),
    ("1E+3", 1000.0),
    ("1e-2", 0.01),
    ("1e", "1e"),
    ("1e999", "1e999"),  # out of range
    (".inf", math.inf),
    ("-.Inf", -math.inf),
    ("inf", "inf"),
    ("nan", "nan"),
    (".", "."),
    ("-", "-"),
    ("+", "+"),
    ("--1", "--1"),
    ("1.2.3", "1.2.3"),
    ("10.0.0.1", "10.0.0.1"),
    ("10.0.0.0/8", "10.0.0.0/8"),
    ("12:30", "12:30"),  # YAML 1.1: 750, in base 60
    ("1:2.5", "1:2.5"),
    ("2027-01-31", "2027-01-31"),
    ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
    ("80-90", "80-90"),
    ("٣", "٣"),  # a digit, but not of ASCII
    ("http", "http"),
    ("<<", "<<"),
    ("=", "="),
]
KEYS: list[tuple[Scalar, str | None]] = [
    ("app", "app"),
    (True, "true"),
    (False, "false"),
    (80, "80"),
    (1.5, "1.5"),
    (1.0, "1"),
    (None, None),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_resolve(text: str, expected: Scalar) -> None:
    found = resolve(text)
    assert (found, type(found)) == (expected, type(expected))


def test_resolve_of_no_number() -> None:
    found = resolve(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize(("value", "expected"), KEYS)
def test_key_text(value: Scalar, expected: str | None) -> None:
    assert key_text(value) == expected
