"""What a host lists of loaded rules and sets is proven as the files are, and so is what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from npc.backends.base import OwnNode
from npc.backends.iptables import BACKEND
from npc.backends.iptables.reader import read
from npc.compiler.verify.proof import prove
from npc.testing import Case
from tests.dataplane.iptables import VARIANTS
from tests.dataplane.namespace import Namespace
from tests.golden.cases import expected_artifacts, settings_of
from tests.verify.iptables.test_goldens import CASES, plan_of

pytestmark = [
    pytest.mark.dataplane("iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy", "ipset"),
    pytest.mark.parametrize("variant", VARIANTS),
]
PROGRAMS = {"iptables": "npc.v4.rules", "ip6tables": "npc.v6.rules"}


@contextmanager
def loaded(
    texts: Mapping[str, str], variant: str, prefix: str, hooks: tuple[str, ...]
) -> Iterator[Namespace]:
    namespace = Namespace.create("listing")
    try:
        if "npc.ipset" in texts:
            namespace.run(["ipset", "restore", "-exist"], texts["npc.ipset"])
        for program, file in PROGRAMS.items():
            namespace.run([f"{program}-{variant}-restore", "--noflush"], texts[file])
            for hook in hooks:
                namespace.run([f"{program}-{variant}", "-I", hook, "-j", f"{prefix}-{hook}"])
        yield namespace
    finally:
        namespace.close()


def listed(
    namespace: Namespace, variant: str, *, words: tuple[str, ...] = (), sets: str = "save"
) -> dict[str, str]:
    texts = {program: namespace.run([f"{program}-{variant}-save", *words]) for program in PROGRAMS}
    return texts | {"sets": namespace.run(["ipset", sets]) or "# ipset: no set\ncreate none hash:ip\n"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden_cases(case: Case, variant: str) -> None:
    texts = expected_artifacts(case, BACKEND.templates)
    options, plan = settings_of(case).options, plan_of(case)
    policed = options.own_node is OwnNode.POLICED
    hooks = ("FORWARD", "INPUT", "OUTPUT") if policed else ("FORWARD",)
    prefix = "NPC" if options.table == "npc" else f"NPC{options.table.upper()}"
    with loaded(texts, variant, prefix, hooks) as namespace:
        saved = listed(namespace, variant)
        counted = listed(namespace, variant, words=("-c",), sets="list")
        for program in PROGRAMS:
            namespace.run([f"{program}-{variant}", "-D", "FORWARD", "1"])
        unhooked = listed(namespace, variant)
    for found in (saved, counted):
        assert prove(read(found, plan, options), plan).refutations == ()
    assert prove(read(unhooked, plan, options), plan).refutations != (), "nobody asks npc's rules any more"
