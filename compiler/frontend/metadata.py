"""What a policy is called: ObjectMeta (meta/v1), validated as the API server does."""

from __future__ import annotations

from npc.compiler.frontend import codes, schema
from npc.compiler.frontend.names import dns_label_fault, dns_subdomain_fault, label_key_fault
from npc.compiler.frontend.selectors import Report, read_labels
from npc.compiler.frontend.shapes import Problem, invalid, quoted
from npc.compiler.frontend.source import PathInDocument

LARGEST_ANNOTATIONS = 256 * 1024
"""Bytes of keys and values together."""


def read_namespaced(metadata: schema.PolicyMetadata, report: Report) -> str:
    """Validate the metadata of an object that lives in a namespace; the namespace that it is in."""
    _check_name(metadata, report)
    namespace = metadata.namespace or "default"
    if (fault := dns_label_fault(namespace)) is not None:
        report(invalid(("metadata", "namespace"), quoted(namespace), "a namespace's name", help=fault))
    _check_maps(metadata, report)
    return namespace


def check_cluster_scoped(metadata: schema.PolicyMetadata, report: Report) -> None:
    """Validate the metadata of an object that stands above all namespaces."""
    _check_name(metadata, report)
    if metadata.namespace:
        report(
            Problem(
                ("metadata", "namespace"),
                codes.FORBIDDEN,
                "Forbidden: the object is in no namespace",
                "Forbidden",
                help="leave it out: spec.subject says whom the policy is for",
            )
        )
    _check_maps(metadata, report)


def _check_name(metadata: schema.PolicyMetadata, report: Report) -> None:
    if not metadata.name:
        report(
            Problem(
                ("metadata", "name"),
                codes.REQUIRED,
                "Required value: a policy needs a name",
                "Required",
                help="npc compiles what is in the file: generateName alone makes no name"
                if metadata.generate_name
                else "",
            )
        )
    elif (fault := dns_subdomain_fault(metadata.name)) is not None:
        report(invalid(("metadata", "name"), quoted(metadata.name), "a DNS subdomain", help=fault))


def _check_maps(metadata: schema.PolicyMetadata, report: Report) -> None:
    if metadata.labels:
        read_labels(metadata.labels, ("metadata", "labels"), report)
    if metadata.annotations:
        _check_annotations(metadata.annotations, report)


def _check_annotations(annotations: schema.Labels, report: Report) -> None:
    path: PathInDocument = ("metadata", "annotations")
    for key in annotations:
        if (fault := label_key_fault(key.lower())) is not None:
            report(
                invalid(path, quoted(key), "an annotation key", help=fault, show=(*path, key), on_key=True)
            )
    size = sum(len(key.encode()) + len((value or "").encode()) for key, value in annotations.items())
    if size > LARGEST_ANNOTATIONS:
        report(
            Problem(
                path,
                codes.TOO_LONG,
                f"Too long: {size:,} bytes, at most {LARGEST_ANNOTATIONS:,}",
                "TooLong",
            )
        )
