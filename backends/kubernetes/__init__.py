"""Kubernetes as a target: all policies, in whichever notation they were written, as its own objects.

ClusterNetworkPolicies come first, tier by tier in order of priority, then NetworkPolicies in order of
their names, so that the text does not change when files are moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from npc.backends.base import Printer
from npc.compiler.frontend.diagnostics import Diagnostic, InputError, has_errors

if TYPE_CHECKING:
    from npc.compiler.language.conversion import Written


def _write(policies: Sequence[Written], today: date | None) -> str:
    from npc.compiler.language.conversion import in_kubernetes, together  # other targets need not wait for it
    from npc.compiler.language.notation import Notation
    from npc.compiler.language.yaml_writer import yaml_text

    diagnostics: list[Diagnostic] = []
    objects = [in_kubernetes(one, diagnostics, today) for one in policies]
    if has_errors(diagnostics):
        raise InputError(diagnostics)
    return together(map(yaml_text, sorted(objects, key=_place)), Notation.YAML)


def _place(policy: dict[str, Any]) -> tuple[str, str, int, str, str]:
    """What the objects are sorted by: Admin is before Baseline, as its tier is."""
    metadata, spec = policy["metadata"], policy["spec"]
    namespace = metadata.get("namespace", "")
    return policy["kind"], spec.get("tier", ""), spec.get("priority", 0), namespace, metadata["name"]


TARGET = Printer("kubernetes", "NetworkPolicy and ClusterNetworkPolicy objects, as YAML", "npc.yaml", _write)
