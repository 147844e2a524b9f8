"""In what the kinds and versions of cluster-wide policies differ, beyond the names of their fields.

Limits are those of the CRDs (kubernetes-sigs/network-policy-api, config/crd/experimental).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from npc.compiler.frontend import cluster_schema as schema
from npc.compiler.frontend.syntax import Action


@dataclass(frozen=True, slots=True)
class Api:
    """In what the kinds and versions of the API differ."""

    actions: Mapping[str, Action]
    most_rules: int
    """Of one direction."""
    most_items: int
    """Peers of a rule, or ports."""
    is_first: bool = False
    """v1alpha1: `pods` needs a namespaceSelector, and a block is of one family by its looks."""
    masked: bool = False
    """Whether bits beyond the prefix of a CIDR are an error."""

    def word(self, action: Action | None) -> str | None:
        """What an action is called; None for one that there is not."""
        return next((word for word, one in self.actions.items() if one is action), None)


_ACCEPT = {"Accept": Action.ALLOW, "Deny": Action.DENY, "Pass": Action.PASS}
_V1ALPHA2 = Api(_ACCEPT, most_rules=25, most_items=25)
_V1BETA1 = replace(_V1ALPHA2, masked=True)
_BASELINE = Api({"Allow": Action.ALLOW, "Deny": Action.DENY}, most_rules=100, most_items=100, is_first=True)
_ADMIN = replace(_BASELINE, actions={**_BASELINE.actions, "Pass": Action.PASS})


def api_of(policy: schema.ClusterPolicyObject) -> Api:
    """What holds for an object."""
    match policy:
        case schema.ClusterNetworkPolicy():
            return _V1BETA1 if policy.api_version.endswith("/v1beta1") else _V1ALPHA2
        case schema.AdminNetworkPolicy():
            return _ADMIN
        case schema.BaselineAdminNetworkPolicy():
            return _BASELINE
