"""Broken inputs that no text file can hold: bytes that are no text, megabytes, thousands of levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_HEAD: Final = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
_POLICY: Final = f"{_HEAD}metadata: {{name: web}}\n"
_JSON: Final = '{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "web"}'
_LARGE: Final = 10 * 1024 * 1024


def _yaml(text: str) -> Mapping[str, bytes]:
    return {"policy.yaml": text.encode()}


def _json(text: str) -> Mapping[str, bytes]:
    return {"policy.json": text.encode()}


def _large(character: str = "a") -> str:
    return character * _LARGE


GENERATED: Final[Mapping[str, Mapping[str, bytes]]] = {
    # --- bytes that are no text
    "a gzip file": {"policy.yaml": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcbH\xcd\xc9\xc9\x07\x00"},
    "an executable": {"policy.yaml": b"\x7fELF\x02\x01\x01\x00" + bytes(range(256))},
    "UTF-16 with its mark": {"policy.yaml": _POLICY.encode("utf-16")},
    "UTF-16 with the mark of the other byte order": {
        "policy.yaml": b"\xfe\xff" + _POLICY.encode("utf-16-be")
    },
    "UTF-16 without a mark": {"policy.yaml": _POLICY.encode("utf-16-le")},
    "UTF-32": {"policy.yaml": _POLICY.encode("utf-32-be")},
    "UTF-16 as JSON": {"policy.json": (_JSON + "}").encode("utf-16-le")},
    "Latin-1": {"policy.yaml": _POLICY.encode() + "spec: {} # für alle\n".encode("latin-1")},
    "Latin-1 in JSON": {"policy.json": (_JSON + ', "spéc": {}}').encode("latin-1")},
    "Latin-1 in the second item of a list of JSON": {
        "policy.json": (
            '{"kind": "List", "items": [\n'
            + '  {"kind": "ConfigMap", "data": {"é": "passed over"}},\n'
            + f'  {_JSON}, "spéc": {{}}}}]}}\n'
        ).encode("latin-1")
    },
    "half of a surrogate pair in UTF-8": {"policy.yaml": _POLICY.encode() + b"# \xed\xa0\xbd\n"},
    "a character cut in two by the end": {"policy.yaml": _POLICY.encode() + "# 網".encode()[:-1]},
    # --- characters that YAML does not allow
    "a NUL": _yaml(f"{_POLICY}spec: {{}} # \0\n"),
    "an escape character": _yaml(f"{_HEAD}metadata: {{name: '\x1b[31mweb'}}\n"),
    "a control character behind wide ones": _yaml(f"{_HEAD}# 網路 é\nmetadata: {{name: \x07}}\n"),
    "a control character in the second of three documents": _yaml(
        f"{_HEAD}metadata: {{name: ONE}}\n---\n{_HEAD}metadata: {{name: two\x01}}\n---\n"
        f"{_HEAD}metadata: {{name: THREE}}\n"
    ),
    "a control character in two documents": _yaml(f"{_POLICY}# \x01\n---\n{_POLICY}# \x02\n"),
    "a byte order mark in the middle": _yaml(f"{_POLICY}---\n\ufeff{_POLICY}"),
    "U+FFFF": _yaml(f"{_POLICY}# \uffff\n"),
    # --- other line ends
    "carriage returns and line feeds": _yaml(f"{_POLICY}spec: {{}}\nrules: []\n".replace("\n", "\r\n")),
    "carriage returns and line feeds in JSON": _json(f'{_JSON},\r\n "spec": {{}},\r\n "rules": []}}\r\n'),
    "line ends of Unicode": _yaml(f"# a\x85# b\u2028# c\u2029{_POLICY}rules: []\n"),
    "a byte order mark before a mistake in the first line": {
        "policy.yaml": b"\xef\xbb\xbfrules: []\n" + _POLICY.encode()
    },
    "a byte order mark before a mistake in JSON": {
        "policy.json": b"\xef\xbb\xbf" + f'{_JSON}, "rules": []}}'.encode()
    },
    # --- megabytes
    "a name of ten megabytes": _yaml(f"{_HEAD}metadata: {{name: {_large()}}}\n"),
    "a namespace of ten megabytes": _yaml(f"{_HEAD}metadata: {{name: web, namespace: {_large()}}}\n"),
    "a label value of ten megabytes": _yaml(f"{_HEAD}metadata: {{name: web, labels: {{a: {_large()}}}}}\n"),
    "a label key of ten megabytes": _yaml(
        f"{_HEAD}metadata:\n  name: web\n  labels:\n    ? {_large()}\n    : a\n"
    ),
    "a field of ten megabytes": _json(f'{_JSON}, "{_large()}": 1}}'),
    "a field of ten megabytes twice": _json(f'{_JSON}, "{_large()}": 1, "{_large()}": 2}}'),
    "a kind of ten megabytes": _yaml(f"apiVersion: v1\nkind: {_large()}\n"),
    "an apiVersion of ten megabytes": _yaml(f"apiVersion: {_large()}\nkind: NetworkPolicy\n"),
    "a CIDR of ten megabytes": _yaml(
        f"{_POLICY}spec:\n  egress:\n  - to:\n    - ipBlock: {{cidr: {_large('1')}}}\n"
    ),
    "a port of ten megabytes": _yaml(f"{_POLICY}spec:\n  ingress:\n  - ports: [{{port: {_large('9')}}}]\n"),
    "an operator of ten megabytes": _yaml(
        f"{_POLICY}spec:\n  podSelector: {{matchExpressions: [{{key: a, operator: {_large()}}}]}}\n"
    ),
    "annotations of ten megabytes": _yaml(
        f"{_HEAD}metadata: {{name: web, annotations: {{a: {_large()}}}}}\n"
    ),
    "a pod's name of ten megabytes": {
        "pods.json": (
            '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "' + _large() + '"},\n'
            ' "status": {"podIP": "10.0.0.1"}}'
        ).encode()
    },
    "a pod's address of ten megabytes": _yaml(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nstatus: {{podIP: {_large('1')}}}\n"
    ),
    "an anchor of ten megabytes": _yaml(f"a: &{_large()} x\nb: *{_large('b')}\n"),
    "a tag of ten megabytes": _yaml(f"kind: !{_large()} x\n"),
    "a mistake behind ten megabytes in one line": _yaml(
        f"{_HEAD}metadata: {{annotations: {{a: '{_large()}'}}, name: WEB, labels: {{}}}}\n"
    ),
    "an unclosed quote before ten megabytes": _yaml(
        f"{_HEAD}metadata: {{name: 'web}}\n" + "# x\n" * 2_500_000
    ),
    "JSON cut off after ten megabytes": _json(f'{_JSON}, "spec": {{"podSelector": "{_large()}'),
    # --- levels and numbers
    "lists in lists of YAML": _yaml(f"{_POLICY}status: {'[' * 101}{']' * 101}\n"),
    "a hundred thousand brackets": _yaml(f"{_POLICY}status: {'[' * 100_000}\n"),
    "mappings in mappings by indentation": _yaml(
        "".join(f"{' ' * level}a:\n" for level in range(200)) + f"---\n{_HEAD}metadata: {{name: WEB}}\n"
    ),
    "lists in lists of JSON": _json(f'{_JSON}, "status": {"[" * 100_000}{"]" * 100_000}}}'),
    "lists in lists of JSON that do not end": _json(f'{_JSON}, "status": {"[" * 100_000}'),
    "Lists in Lists": _json('{"kind": "List", "items": [' * 200 + "]}" * 200),
    "a number of five thousand digits in JSON": _json(
        f'{_JSON}, "spec": {{"ingress": [{{"ports": [{{"port": {"9" * 5000}}}]}}]}}}}'
    ),
    "a number of five thousand digits in a pod": {
        "pods.json": (
            '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},\n'
            ' "status": {"podIP": "10.0.0.1"},\n'
            ' "spec": {"containers": [{"ports": [{"name": "http", "containerPort": ' + "9" * 5000 + "}]}]}}"
        ).encode()
    },
}
"""The files of each case, by its name in the table `generated.txt`."""
