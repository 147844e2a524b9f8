"""What made a pod, by its ownerReferences.

Takes what stands in `metadata.ownerReferences`, whatever that is, gives the controller's short kind and name.
Nothing is said of what is odd there: no ruleset depends on it.

>>> controller_of([{"controller": True, "kind": "ReplicaSet", "name": "web-6c8f7d9b54"}])
'rs/web-6c8f7d9b54'
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from npc.compiler.frontend.schema import Owner

_KINDS: Mapping[str, str] = {
    "Deployment": "deploy",
    "ReplicaSet": "rs",
    "StatefulSet": "sts",
    "DaemonSet": "ds",
    "Job": "job",
    "CronJob": "cronjob",
}
"""The short names that kubectl knows. What other controllers make is known by its labels alone."""
_owners = msgspec.json.Decoder(list[Owner])


def controller_of(owners: object) -> str:
    """The controller among some owners, `rs/web-6c8f7d9b54`; "" where there is none that is known."""
    try:
        return _controller(msgspec.convert(owners, list[Owner]))
    except msgspec.ValidationError:
        return ""


def controller_in(text: bytes) -> str:
    """As `controller_of`, of JSON."""
    try:
        return _controller(_owners.decode(text)) if text else ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _controller(owners: list[Owner]) -> str:
    for one in owners:
        if one.controller and one.name and (kind := _KINDS.get(one.kind)) is not None:
            return f"{kind}/{one.name}"
    return ""
