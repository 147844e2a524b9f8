"""All lints, and the run of those that count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from npc.compiler.frontend import codes
from npc.compiler.frontend.codes import ALL as EVERY_CODE
from npc.compiler.frontend.codes import Code
from npc.compiler.frontend.diagnostics import Diagnostic
from npc.compiler.lint.checked import Checked, Lint
from npc.compiler.lint.decisions import idle_here, overruled_rules
from npc.compiler.lint.duplicates import duplicates, same_meaning
from npc.compiler.lint.levels import Levels, is_configurable
from npc.compiler.lint.name_service import blocked_dns
from npc.compiler.lint.pod_range import blocks_of_pods
from npc.compiler.lint.redundancy import redundant_rules, shadowed_rules
from npc.compiler.lint.unmatched import unmatched_peers, unresolved_ports
from npc.compiler.lint.wording import (
    contradictions,
    inert_rules,
    missing_policy_types,
    open_rules,
    wide_rules,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A lint and the code of what it finds."""

    code: Code
    find: Lint


ALL: tuple[Listed, ...] = (
    Listed(codes.INERT, inert_rules),
    Listed(codes.REDUNDANT, redundant_rules),
    Listed(codes.NEVER_DECIDES, shadowed_rules),
    Listed(codes.NEVER_DECIDES, overruled_rules),
    Listed(codes.REDUNDANT_HERE, idle_here),
    Listed(codes.NO_PEERS, unmatched_peers),
    Listed(codes.NO_SUCH_PORT, unresolved_ports),
    Listed(codes.NO_DNS, blocked_dns),
    Listed(codes.IN_POD_RANGE, blocks_of_pods),
    Listed(codes.LETS_ALL_IN, open_rules),
    Listed(codes.WIDE, wide_rules),
    Listed(codes.CONTRADICTION, contradictions),
    Listed(codes.NO_POLICY_TYPES, missing_policy_types),
    Listed(codes.DUPLICATE, duplicates),
    Listed(codes.SAME_MEANING, same_meaning),
)

_BY_INVENTORY = frozenset(
    {
        codes.NO_ENDPOINT,
        codes.AMBIGUOUS_PRIORITY,
        codes.DENIES_NOBODY,
        codes.OTHER_PORTS,
        codes.REDUNDANT_HERE,
        codes.NO_PEERS,
        codes.NO_SUCH_PORT,
        codes.IN_POD_RANGE,
    }
)
"""What is found by an inventory alone."""
_AMONG_POLICIES = frozenset(
    {codes.REPEATED, codes.UNUSED, codes.AMBIGUOUS_PRIORITY, codes.REDUNDANT, codes.NEVER_DECIDES}
    | {codes.REDUNDANT_HERE, codes.NO_DNS, codes.SAME_MEANING}
)
"""What is found by looking at policies together: a file alone may not show it."""


def findings(checked: Checked, levels: Levels) -> Iterator[Diagnostic]:
    """What the lints find that are not switched off."""
    for one in ALL:
        if levels.of(one.code) is not None:
            yield from one.find(checked)


def searched(checked: Checked, levels: Levels, *, is_whole: bool) -> frozenset[Code]:
    """The codes of which it is known that there is no more of them; `is_whole` where folders were read."""
    left_out = {codes.NO_SUBJECTS} | (set() if is_whole else _AMONG_POLICIES)
    if checked.model is None:
        left_out |= _BY_INVENTORY | {codes.NEVER_DECIDES, codes.NO_DNS}
    return frozenset(
        code
        for code in EVERY_CODE
        if is_configurable(code) and levels.of(code) is not None and code not in left_out
    )
