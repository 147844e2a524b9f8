"""Services that rules name and the inventory does not know: nobody could be found behind them (X5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from npc.compiler.frontend import codes
from npc.compiler.frontend.diagnostics import Diagnostic, did_you_mean
from npc.compiler.frontend.syntax import BehindService, NetworkPolicy, Policy
from npc.compiler.inventory import Inventory


def unknown_services(policies: Iterable[Policy], inventory: Inventory) -> Iterator[Diagnostic]:
    """An error for each rule that names a Service which is not there, or which selects no pods."""
    known = {(one.namespace, one.name): one for one in inventory.services}
    for policy in policies:
        own = policy.namespace if isinstance(policy, NetworkPolicy) else ""
        for rule in (*policy.ingress, *policy.egress):
            for peer in rule.peers or ():
                if not isinstance(peer, BehindService):
                    continue
                namespace = peer.namespace or own
                service = known.get((namespace, peer.name))
                if service is None:
                    names = [name for space, name in known if space == namespace]
                    message = f"the inventory has no Service {namespace}/{peer.name}"
                    help = did_you_mean(peer.name, names) if names else f"it has none in {namespace}"
                    yield Diagnostic(codes.UNKNOWN_SERVICE, message, rule.origin, help=help)
                elif not service.selector:
                    message = f"the Service {namespace}/{peer.name} selects no pods: it has no selector"
                    help = "name its addresses instead"
                    yield Diagnostic(codes.UNKNOWN_SERVICE, message, rule.origin, help=help)
