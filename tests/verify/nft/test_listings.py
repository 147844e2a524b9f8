"""What nft lists of a loaded ruleset, in its language and as JSON, means what the loaded file meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from npc.backends.base import Options
from npc.backends.nft import BACKEND
from npc.testing import Case
from tests.dataplane.namespace import Namespace
from tests.golden.cases import expected_artifacts, find_cases, settings_of
from tests.verify.nft.rulesets import meaning, read, table
from tests.verify.nft.test_meaning import MEANINGS, NAMED

GOLDEN = [case for case in find_cases() if expected_artifacts(case, BACKEND.templates)]
LISTINGS = [
    ["nft", "list", "ruleset"],
    ["nft", "--handle", "list", "ruleset"],
    ["nft", "--stateless", "--numeric", "list", "ruleset"],
    ["nft", "--json", "list", "ruleset"],
]


@contextmanager
def loaded(text: str) -> Iterator[Namespace]:
    namespace = Namespace.create("listing")
    try:
        namespace.run(["nft", "-f", "-"], text)
        yield namespace
    finally:
        namespace.close()


def check(text: str, options: Options) -> None:
    written = meaning(read(text, options=options))
    with loaded(text) as namespace:
        for argv in (*LISTINGS, ["nft", "list", "table", "inet", options.table]):
            listed = namespace.run(argv)
            assert meaning(read(listed, options=options)) == written, f"{' '.join(argv)}:\n{listed}"


@pytest.mark.dataplane("nft")
@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_golden_cases(case: Case) -> None:
    text = expected_artifacts(case, BACKEND.templates)["npc.nft"]
    check(text, settings_of(case).options)


@pytest.mark.dataplane("nft")
def test_single_rules() -> None:
    for rule, _, _ in MEANINGS:
        check(table(*rule.split("; "), more=NAMED), Options())


@pytest.mark.dataplane("nft")
def test_tables_beside_npc_s() -> None:
    text = (
        table("accept")
        + "table ip npc {\n chain c {\n type nat hook postrouting priority 0\n masquerade\n}\n}\n"
    )
    with loaded(text) as namespace:
        for argv in LISTINGS:
            assert read(namespace.run(argv)).notes == (
                "The table ip npc is no part of this: it has chains with the hooks postrouting.",
            )
