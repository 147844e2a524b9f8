"""Which objects npc reads, which it passes over, and which are mistakes.

Objects of other kinds are no business of npc's. But a kind or an apiVersion that is mistyped, or a
policy that npc cannot compile, must not be passed over: the ruleset would lack what it says.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import nearest
from npc.compiler.frontend.shapes import Problem, describe, quoted

_INVENTORY = ("Pod", "Namespace", "Node", "Service")
_POLICY = "NetworkPolicy"
_POLICY_GROUP = "networking.k8s.io"
_POLICY_VERSION = f"{_POLICY_GROUP}/v1"
_CLUSTER_POLICIES = ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
_NICKNAMES = ("networkpolicies", "netpol")
_FOREIGN = ("NetworkPolicy", "NetworkPolicies")
"""Other projects' policies end so: CiliumNetworkPolicy."""


def is_policy(kind: str, version: Any) -> bool:
    """Whether an object is a NetworkPolicy of Kubernetes."""
    return kind == _POLICY and version == _POLICY_VERSION


def is_inventory(kind: Any, version: Any) -> bool:
    """Whether an object belongs to the inventory; hand-written ones may leave out `apiVersion: v1`."""
    return kind in _INVENTORY and version in ("v1", None)


def is_list(kind: Any) -> bool:
    """Whether an object is a List, or a typed one such as a PodList."""
    return isinstance(kind, str) and kind.endswith("List")


def item_kind(list_kind: Any) -> str | None:
    """The kind of the items of a typed list, which leave it out: a PodList's are Pods."""
    return list_kind.removesuffix("List") or None if isinstance(list_kind, str) else None


def mistake(kind: str, version: Any) -> Problem | None:
    """Why an object that is neither policy nor inventory cannot be passed over; None when it can."""
    group = version.rpartition("/")[0] if isinstance(version, str) else ""
    if kind in _CLUSTER_POLICIES:
        return Problem(
            ("kind",),
            codes.UNKNOWN_VERSION,
            f"{kind} cannot be compiled by this version of npc",
            help="without it the ruleset would not be what the policies say; leave it out if that is meant",
        )
    if kind == _POLICY:
        is_foreign = group not in ("", "extensions") and nearest(group, [_POLICY_GROUP]) is None
        return None if is_foreign else _wrong_version(kind, version, _POLICY_VERSION)
    if kind in _INVENTORY:
        return None if group else _wrong_version(kind, version, "v1")
    if kind == "Status":
        return Problem(
            ("kind",),
            codes.NOT_AN_OBJECT,
            "an answer of the API server that something failed, not an object",
            help="look at its message, and fetch again",
        )
    meant = _meant(kind, group)
    if meant is None:
        return None
    return Problem(
        ("kind",), codes.UNKNOWN_VERSION, f"unknown kind {quoted(kind)}", help=f"did you mean {meant!r}?"
    )


def _wrong_version(kind: str, version: Any, expected: str) -> Problem:
    path, help = ("apiVersion",), f"write apiVersion: {expected}"
    if version is None:
        message = f"Required value: a {kind} has the apiVersion {expected}"
    else:
        message = f"expected {expected} for a {kind}, found {describe(version)}"
    return Problem(path, codes.UNKNOWN_VERSION, message, help=help)


@lru_cache(maxsize=256)
def _meant(kind: str, group: str) -> str | None:
    """The kind that a mistyped one was meant to be. Cached: a list may hold thousands of another kind."""
    lowered, wanted = kind.lower(), _POLICY.lower()
    if lowered == wanted or lowered in _NICKNAMES:
        return _POLICY
    if abs(len(kind) - len(wanted)) <= 2 and not kind.endswith(_FOREIGN) and nearest(kind, [_POLICY]):
        return _POLICY
    if group:
        return None
    return nearest(kind, _INVENTORY, cutoff=0.8)
