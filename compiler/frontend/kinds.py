"""Which objects npc reads, which it passes over, and which are mistakes.

Objects of other kinds are no business of npc's. But a kind or an apiVersion that is mistyped, or a
policy that npc cannot compile, must not be passed over: the ruleset would lack what it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import did_you_mean, nearest
from npc.compiler.frontend.shapes import Problem, describe, quoted

_INVENTORY = ("Pod", "Namespace", "Node", "Service")
_CLUSTER_GROUP = "policy.networking.k8s.io"
_POLICIES: dict[str, tuple[str, ...]] = {
    "NetworkPolicy": ("networking.k8s.io/v1",),
    "ClusterNetworkPolicy": (f"{_CLUSTER_GROUP}/v1alpha2", f"{_CLUSTER_GROUP}/v1beta1"),
    "AdminNetworkPolicy": (f"{_CLUSTER_GROUP}/v1alpha1",),
    "BaselineAdminNetworkPolicy": (f"{_CLUSTER_GROUP}/v1alpha1",),
}
"""The policies of Kubernetes, and their apiVersions."""
CONTROLLERS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
}
"""What makes pods, and its apiVersion."""
_NICKNAMES = {
    "networkpolicies": "NetworkPolicy",
    "netpol": "NetworkPolicy",
    "clusternetworkpolicies": "ClusterNetworkPolicy",
    "cnp": "ClusterNetworkPolicy",
    "adminnetworkpolicies": "AdminNetworkPolicy",
    "anp": "AdminNetworkPolicy",
    "baselineadminnetworkpolicies": "BaselineAdminNetworkPolicy",
    "banp": "BaselineAdminNetworkPolicy",
}
_FOREIGN = ("NetworkPolicy", "NetworkPolicies")
"""Other projects' policies end so: CiliumNetworkPolicy."""


def is_policy(kind: str, version: Any) -> bool:
    """Whether an object is a policy of Kubernetes, of a namespace or of the cluster."""
    return version in _POLICIES.get(kind, ())


def is_inventory(kind: Any, version: Any) -> bool:
    """Whether an object belongs to the inventory; hand-written ones may leave out `apiVersion: v1`."""
    return kind in _INVENTORY and version in ("v1", None)


def is_controller(kind: str, version: Any) -> bool:
    """Whether an object makes pods."""
    return kind in CONTROLLERS and CONTROLLERS[kind] == version


def has_namesakes(kind: str) -> bool:
    """Whether other projects have objects of this kind, too: they are told by their group."""
    return kind in _POLICIES or kind in _INVENTORY


def is_list(kind: Any) -> bool:
    """Whether an object is a List, or a typed one such as a PodList."""
    return isinstance(kind, str) and kind.endswith("List")


def item_kind(list_kind: Any) -> str | None:
    """The kind of the items of a typed list, which leave it out: a PodList's are Pods."""
    return list_kind.removesuffix("List") or None if isinstance(list_kind, str) else None


def mistake(kind: str, version: Any) -> Problem | None:
    """Why an object that is neither policy nor inventory cannot be passed over; None when it can."""
    group = version.rpartition("/")[0] if isinstance(version, str) else ""
    if kind in _POLICIES:
        known = _POLICIES[kind]
        groups = {one.rpartition("/")[0] for one in known}
        is_foreign = group not in ("", "extensions") and nearest(group, groups) is None
        return None if is_foreign else _wrong_version(kind, version, known)
    if kind in _INVENTORY:
        return None if group else _wrong_version(kind, version, ("v1",))
    if kind == "Status":
        return Problem(
            ("kind",),
            codes.NOT_AN_OBJECT,
            "an answer of the API server that something failed, not an object",
            help="look at its message, and fetch again",
        )
    meant = _meant(kind, group)
    if meant is None and group != _CLUSTER_GROUP:
        return None
    cluster_policies = [policy for policy in _POLICIES if policy != "NetworkPolicy"]
    help = f"did you mean {meant!r}?" if meant is not None else did_you_mean(kind, cluster_policies)
    return Problem(("kind",), codes.UNKNOWN_VERSION, f"unknown kind {quoted(kind)}", help=help)


def _wrong_version(kind: str, version: Any, expected: Sequence[str]) -> Problem:
    path, help = ("apiVersion",), f"write apiVersion: {expected[0]}"
    article = "an" if kind[0] in "AEIOU" else "a"
    if version is None:
        message = f"Required value: {article} {kind} has the apiVersion {' or '.join(expected)}"
    else:
        message = f"expected {' or '.join(expected)} for {article} {kind}, found {describe(version)}"
    return Problem(path, codes.UNKNOWN_VERSION, message, help=help)


@lru_cache(maxsize=256)
def _meant(kind: str, group: str) -> str | None:
    """The kind that a mistyped one was meant to be. Cached: a list may hold thousands of another kind."""
    lowered = kind.lower()
    by_name = {**_NICKNAMES, **{policy.lower(): policy for policy in _POLICIES}}
    if lowered in by_name:
        return by_name[lowered]
    if not kind.endswith(_FOREIGN):
        close = nearest(kind, [policy for policy in _POLICIES if abs(len(kind) - len(policy)) <= 2])
        if close is not None:
            return close
    if group:
        return None
    return nearest(kind, _INVENTORY, cutoff=0.8)
