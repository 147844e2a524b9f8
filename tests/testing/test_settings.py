"""`case.toml`."""

from __future__ import annotations

import re
from datetime import date

import pytest

from npc.backends.base import Deny, Options, OwnNode
from npc.testing.settings import Settings, read_settings


def test_nothing_said() -> None:
    assert read_settings("# nothing\n") == Settings(("nft",), None, Options(), ())


def test_everything_said() -> None:
    text = """
        targets = ["nft", "iptables"]
        node = "n"
        own-node = "policed"
        deny-with = "reject"
        log-denied = true
        table = "pods"
        hook-priority = -10
        today = 2027-01-31
        input = ["../inventory.yaml"]
        [settings]
        ipset = "no"
        size = 7
        fast = true
    """
    options = Options(
        OwnNode.POLICED, Deny.REJECT, True, "pods", -10, {"ipset": "no", "size": "7", "fast": "true"}
    )
    day = date(2027, 1, 31)
    assert read_settings(text) == Settings(("nft", "iptables"), "n", options, ("../inventory.yaml",), day)


def test_no_targets() -> None:
    assert read_settings("targets = []").targets == ()


FAULTS = [
    ("target = ['nft']", "unknown key 'target': did you mean 'targets'?"),
    ("targets = 'nft'", "targets: expected a list"),
    ("targets = [1]", "targets: expected a list of strings"),
    ("node = 1", "node: expected a string"),
    ("own-node = 'alway'", "own-node: 'alway' is not known: did you mean 'always'?"),
    ("deny-with = true", "deny-with: expected a string"),
    ("log-denied = 1", "log-denied: expected true or false"),
    ("hook-priority = true", "hook-priority: expected a number"),
    ("today = 2027-01-31T00:00:00", "today: expected a date, like 2027-01-31"),
    ("hook-priority = 1.5", "hook-priority: expected a number"),
    ("settings = 'a=b'", "settings: expected a table"),
    ("[settings]\na = [1]", "settings.a: expected a string, a number, or true or false"),
    ("a = =", "(at line 1, column 5)"),
]


@pytest.mark.parametrize(("text", "said"), FAULTS, ids=[case[0] for case in FAULTS])
def test_faults(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read_settings(text)
