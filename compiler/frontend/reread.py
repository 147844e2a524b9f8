"""Objects read a second time, as they were written, from the origins of what was made of them.

Reading keeps no more of an object than it means; what goes back into text (`npc convert`) needs how it was
said, too. Takes origins of objects that were read without an error, gives their plain values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from npc.compiler.frontend.json_reader import places_in_json
from npc.compiler.frontend.locate import Page
from npc.compiler.frontend.source import Origin, Source
from npc.compiler.frontend.yaml_reader import read_yaml


def reread(origins: Iterable[Origin]) -> dict[Origin, dict[str, Any]]:
    """The object at each origin; LookupError when a file is not what it was."""
    by_source: dict[Source, list[Origin]] = {}
    for origin in origins:
        by_source.setdefault(origin.source, []).append(origin)
    found: dict[Origin, dict[str, Any]] = {}
    for source, group in by_source.items():
        found.update(_on_page(Page.of(source), group))
    return found


def _on_page(page: Page, origins: list[Origin]) -> dict[Origin, dict[str, Any]]:
    if page.may_be_json and all(origin.document == 0 for origin in origins):
        try:
            return _in_json(page.lines.text, origins)
        except (ValueError, RecursionError):
            pass  # a flow mapping of YAML
    documents, _ = read_yaml(page.source, page.lines.text.encode())
    roots = {document.origin.document: document.value for document in documents}
    return {origin: _at(roots.get(origin.document), origin) for origin in origins}


def _in_json(text: str, origins: list[Origin]) -> dict[Origin, dict[str, Any]]:
    """Object by object: the others of a list need not be as strict JSON as a policy is."""
    places = places_in_json(text, {(origin.path, False) for origin in origins})
    decoder = json.JSONDecoder()
    return {origin: decoder.raw_decode(text, places[origin.path, False][0])[0] for origin in origins}


def _at(value: Any, origin: Origin) -> dict[str, Any]:
    for step in origin.path:
        try:
            value = value[step]
        except TypeError:
            raise LookupError(f"{origin.source.name} has changed") from None
    if not isinstance(value, dict):
        raise LookupError(f"{origin.source.name} has changed")
    return value
