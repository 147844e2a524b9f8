"""Endpoints grouped into workloads: what a controller made many of, by their owners, or else by the marks
that it leaves on its pods.

A Deployment's pods have its name, a hash and five more characters as their names, and the hash as a label;
those of the other controllers have marks of their own. So inventories need not have owners. Pods with
neither are one workload where their labels are equal.

>>> pod = Endpoint("shop", "web-6c8f7d9b54-2hx8r", {"app": "web", "pod-template-hash": "6c8f7d9b54"}, ())
>>> [str(one) for one in workloads_of([pod])]
['shop/deploy/web']
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from npc.compiler.inventory import Endpoint
from npc.compiler.labels import Bits, bits_of


class Kind(StrEnum):
    """What made the endpoints of a workload, by the short name that kubectl knows; `pod` for a single one."""

    DEPLOYMENT = "deploy"
    REPLICA_SET = "rs"
    STATEFUL_SET = "sts"
    DAEMON_SET = "ds"
    JOB = "job"
    CRON_JOB = "cronjob"
    POD = "pod"
    LABELS = "pods"
    """Nothing that is known: endpoints with equal labels."""


KINDS: Mapping[str, Kind] = {
    "deploy": Kind.DEPLOYMENT,
    "deployment": Kind.DEPLOYMENT,
    "rs": Kind.REPLICA_SET,
    "replicaset": Kind.REPLICA_SET,
    "sts": Kind.STATEFUL_SET,
    "statefulset": Kind.STATEFUL_SET,
    "ds": Kind.DAEMON_SET,
    "daemonset": Kind.DAEMON_SET,
    "job": Kind.JOB,
    "cronjob": Kind.CRON_JOB,
    "cj": Kind.CRON_JOB,
    "pod": Kind.POD,
}
"""The words for kinds of workloads in questions."""

_OF_ONE_POD = frozenset(
    {
        "pod-template-hash",
        "controller-revision-hash",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "pod-template-generation",
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-completion-index",
        "job-name",
        "batch.kubernetes.io/job-name",
    }
)
"""Labels that controllers give to tell pods and revisions apart."""

_SCHEDULED = re.compile(r"(.+)-[0-9]{8,10}")
"""The name of a CronJob's Job: it ends in the minute that it was made for."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Endpoints of one namespace that are alike."""

    namespace: str
    kind: Kind
    name: str
    members: Bits
    """Their numbers in the inventory."""

    def __str__(self) -> str:
        match self.kind:
            case Kind.POD:
                return f"{self.namespace}/{self.name}"
            case Kind.LABELS:
                return f"{self.namespace}/{self.name}"
            case kind:
                return f"{self.namespace}/{kind}/{self.name}"


def workloads_of(endpoints: Sequence[Endpoint], numbers: Sequence[int] | None = None) -> tuple[Workload, ...]:
    """The workloads of some endpoints, or of all, sorted by namespace, name and kind."""
    found: dict[tuple[str, Kind, str], list[int]] = {}
    alike: dict[tuple[str, frozenset[tuple[str, str]]], list[int]] = {}
    for number in range(len(endpoints)) if numbers is None else numbers:
        one = endpoints[number]
        if (owner := owner_of(one)) is not None:
            found.setdefault((one.namespace, *owner), []).append(number)
        else:
            own = frozenset(item for item in one.labels.items() if item[0] not in _OF_ONE_POD)
            alike.setdefault((one.namespace, own), []).append(number)
    for (namespace, labels), numbers_ in alike.items():
        if len(numbers_) == 1 or not labels:
            for number in numbers_:
                found[namespace, Kind.POD, endpoints[number].name] = [number]
        else:
            text = ",".join(f"{key}={value}" for key, value in sorted(labels))
            found[namespace, Kind.LABELS, f"pods({text})"] = numbers_
    size = len(endpoints)
    listed = [Workload(*key, bits_of(numbers_, size)) for key, numbers_ in found.items()]
    return tuple(sorted(listed, key=lambda one: (one.namespace, one.name, one.kind)))


def owner_of(endpoint: Endpoint) -> tuple[Kind, str] | None:
    """The kind and name of what made an endpoint; None where it has no controller's marks."""
    labels, name = endpoint.labels, endpoint.name
    if endpoint.controller:
        kind, _, own = endpoint.controller.partition("/")
        return _made_by(kind, own, labels.get("pod-template-hash"))
    if (job := labels.get("batch.kubernetes.io/job-name") or labels.get("job-name")) is not None:
        return _made_by("job", job, None)
    if (template := labels.get("pod-template-hash")) is not None:
        stem = name.rpartition("-")[0].removesuffix(f"-{template}")
        return (Kind.DEPLOYMENT, stem) if stem != name.rpartition("-")[0] else None
    if labels.get("statefulset.kubernetes.io/pod-name") == name:
        return Kind.STATEFUL_SET, name.rpartition("-")[0]
    if "controller-revision-hash" in labels and name.count("-"):
        stem, _, last = name.rpartition("-")
        return (Kind.STATEFUL_SET if last.isdigit() and len(last) < 5 else Kind.DAEMON_SET), stem
    return None


def _made_by(kind: str, name: str, template: str | None) -> tuple[Kind, str]:
    """What is behind a controller: the Deployment of a ReplicaSet, the CronJob of a Job.

    `template` is the hash that a Deployment gives its ReplicaSet's name and pods.

    >>> _made_by("rs", "web-6c8f7d9b54", "6c8f7d9b54")
    (<Kind.DEPLOYMENT: 'deploy'>, 'web')
    """
    match Kind(kind):
        case Kind.REPLICA_SET if template and name.endswith(f"-{template}"):
            return Kind.DEPLOYMENT, name.removesuffix(f"-{template}")
        case Kind.JOB if (scheduled := _SCHEDULED.fullmatch(name)) is not None:
            return Kind.CRON_JOB, scheduled[1]
        case made:
            return made, name
