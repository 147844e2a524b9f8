"""Every expected ruleset is one that its real loader takes.

nft and iptables check it, load it, and load it over itself, in a network namespace of their own; Open vSwitch
parses it, which needs no bridge.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from npc.backends.iptables import BACKEND as IPTABLES
from npc.backends.nft import BACKEND as NFT
from npc.backends.ovs import BACKEND as OVS
from npc.testing import Case
from tests.dataplane.iptables import VARIANTS
from tests.dataplane.namespace import Namespace
from tests.golden.cases import expected_artifacts, find_cases, settings_of

CASES = find_cases()
FOR_NFT, FOR_IPTABLES, FOR_OVS = (
    [case for case in CASES if expected_artifacts(case, backend.templates)]
    for backend in (NFT, IPTABLES, OVS)
)
OPENFLOW = ("OpenFlow13", "OpenFlow15")
"""The versions that the flows' heading names."""


@contextmanager
def _namespace(name: str) -> Iterator[Namespace]:
    made = Namespace.create(name)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.dataplane("nft")
@pytest.mark.parametrize("case", FOR_NFT, ids=lambda case: case.name)
def test_nft_takes_it_twice(case: Case) -> None:
    text = expected_artifacts(case, NFT.templates)["npc.nft"]
    with _namespace(case.name) as namespace:
        namespace.run(["nft", "--check", "-f", "-"], text)
        assert _listed(namespace) == [], "--check loads nothing"
        namespace.run(["nft", "-f", "-"], text)
        first = _listed(namespace)
        namespace.run(["nft", "-f", "-"], text)
        assert _listed(namespace) == first
    tables = [one["table"]["name"] for one in first if "table" in one]
    assert tables == [settings_of(case).options.table]


def _listed(namespace: Namespace) -> list[dict[str, Any]]:
    """What the kernel holds, without the handles that it counts up."""
    objects = json.loads(namespace.run(["nft", "--json", "list", "ruleset"]))["nftables"]
    return [_without_handles(one) for one in objects if "metainfo" not in one]


def _without_handles(value: dict[str, Any]) -> dict[str, Any]:
    return {kind: {key: one for key, one in body.items() if key != "handle"} for kind, body in value.items()}


@pytest.mark.dataplane("iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy", "ipset")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("case", FOR_IPTABLES, ids=lambda case: case.name)
def test_iptables_takes_it_twice(case: Case, variant: str, tmp_path: Path) -> None:
    artifacts = expected_artifacts(case, IPTABLES.templates)
    assert artifacts.keys() == IPTABLES.templates.keys()
    for name, text in artifacts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    programs = [f"IPTABLES=iptables-{variant}", f"IP6TABLES=ip6tables-{variant}"]
    load = ["env", *programs, f"NPC_LOCK={tmp_path}/lock", "sh", f"{tmp_path}/load.sh"]
    with _namespace(case.name) as namespace:
        namespace.run([*load, "--check"])
        assert _held(namespace, variant) == ([], [], []), "--check loads nothing"
        namespace.run(load)
        first = _held(namespace, variant)
        namespace.run(load)
        assert _held(namespace, variant) == first
    assert first == _declared(artifacts)


Held = tuple[list[str], list[str], list[str]]
"""The chains of npc's with how many rules each has, for IPv4 and IPv6, and the sets; sorted."""


def _held(namespace: Namespace, variant: str) -> Held:
    v4, v6 = (
        _chains(namespace.run([f"{program}-{variant}-save", "-t", "filter"]))
        for program in ("iptables", "ip6tables")
    )
    return v4, v6, sorted(namespace.run(["ipset", "list", "-n"]).split())


def _declared(artifacts: Mapping[str, str]) -> Held:
    """What the kernel is to hold after a load, by the files alone."""
    v4, v6 = (_chains(artifacts[f"npc.{family}.rules"]) for family in ("v4", "v6"))
    created, destroyed = (
        re.findall(rf"^{command} (\S+)", artifacts["npc.ipset"], re.MULTILINE)
        for command in ("create", "destroy")
    )
    return v4, v6, sorted(set(created) - set(destroyed))


def _chains(text: str) -> list[str]:
    """What iptables-save prints or a rules file declares, but for built-in chains, which have a policy."""
    names = re.findall(r"^:(\S+) - ", text, re.MULTILINE)
    rules = re.findall(r"^-A (\S+)", text, re.MULTILINE)
    return sorted(f"{name}: {rules.count(name)} rules" for name in names)


@pytest.mark.parametrize("version", OPENFLOW)
@pytest.mark.parametrize("case", FOR_OVS, ids=lambda case: case.name)
def test_ovs_parses_all_flows_and_none_replaces_another(case: Case, version: str, ovs_ofctl: str) -> None:
    text = expected_artifacts(case, OVS.templates)["npc.flows"]
    done = subprocess.run(
        [ovs_ofctl, "-O", version, "parse-flows", "-"],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    parsed = re.findall(r"\bADD (?:table:(\d+) )?priority=(\S+) cookie:", done.stdout)
    written = [line for line in text.splitlines() if line.startswith("cookie=")]
    assert len(parsed) == len(written)
    # Flows of a table with equal priorities and matches are one flow: the later would replace the earlier.
    assert len(set(parsed)) == len(parsed)
