"""The syntax of Kubernetes names, labels and ports, and what is wrong with a text that breaks it.

Each function gives None for a valid text, else what a valid one would be. Sources: the API
conventions on names (RFC 1123 labels and subdomains), labels and annotations, and port names
(RFC 6335, section 5.1).
"""

from __future__ import annotations

import re
from functools import lru_cache

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@lru_cache(maxsize=65536)
def dns_label_fault(text: str) -> str | None:
    """A namespace's name: an RFC 1123 label."""
    if not text:
        return "it must not be empty"
    if len(text) > 63:
        return "it must be 63 characters or fewer"
    if not _LABEL.fullmatch(text):
        return "lower-case letters, digits and '-', beginning and ending with a letter or digit"
    return None


def dns_subdomain_fault(text: str) -> str | None:
    """The name of most objects: an RFC 1123 subdomain."""
    if not text:
        return "it must not be empty"
    if len(text) > 253:
        return "it must be 253 characters or fewer"
    if not _SUBDOMAIN.fullmatch(text):
        return (
            "lower-case letters, digits, '-' and '.', each part beginning and ending with a letter or digit"
        )
    return None


@lru_cache(maxsize=65536)
def label_key_fault(text: str) -> str | None:
    """A label's key: a name, with an optional DNS subdomain and '/' before it."""
    prefix, slash, name = text.rpartition("/")
    if slash and (fault := dns_subdomain_fault(prefix)) is not None:
        return "before the '/' stands a DNS subdomain: " + fault
    if not name:
        return "the name must not be empty"
    if len(name) > 63:
        return "the name must be 63 characters or fewer"
    if not _NAME.fullmatch(name):
        return "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
    return None


@lru_cache(maxsize=65536)
def label_value_fault(text: str) -> str | None:
    """A label's value: empty, or like a name."""
    if len(text) > 63:
        return "it must be 63 characters or fewer"
    if text and not _NAME.fullmatch(text):
        return "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
    return None


@lru_cache(maxsize=4096)
def port_name_fault(text: str) -> str | None:
    """A container port's name (an IANA service name)."""
    if not text:
        return "it must not be empty"
    if len(text) > 15:
        return "it must be 15 characters or fewer"
    if not _PORT.fullmatch(text):
        return "lower-case letters, digits and single '-' between them"
    if not any("a" <= letter <= "z" for letter in text):
        return "it must hold at least one letter (a port number is written without quotes)"
    return None
