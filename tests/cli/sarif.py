"""What SARIF 2.1.0 (OASIS, 27 March 2020) requires of a log, as far as npc writes one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

LEVELS = ("none", "note", "warning", "error")  # 3.27.10
URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")  # RFC 3986, appendix A


def faults(log: Any) -> list[str]:
    """What is wrong with a log, by section of the standard; empty when nothing is."""
    found = []
    if log.get("version") != "2.1.0":  # 3.13.2
        found.append("version")
    if not isinstance(log.get("runs"), list):  # 3.13.4
        return [*found, "runs"]
    for run in log["runs"]:
        driver = run.get("tool", {}).get("driver", {})  # 3.14.6, 3.18.2
        if not driver.get("name"):  # 3.19.8
            found.append("tool.driver.name")
        if run.get("columnKind") not in ("utf16CodeUnits", "unicodeCodePoints"):  # 3.14.17
            found.append("columnKind")
        rules = driver.get("rules", [])
        found += [f"rules[{number}]" for number, rule in enumerate(rules) if not _is_rule(rule)]
        ids = [rule.get("id") for rule in rules]
        if len(set(ids)) != len(ids):  # 3.19.23
            found.append("rules: an id twice")
        for number, result in enumerate(run.get("results", [])):
            found += [f"results[{number}].{fault}" for fault in _result_faults(result, ids)]
    return found


def _is_rule(rule: Any) -> bool:
    """3.49.3, 3.49.9, 3.50.3."""
    return (
        bool(rule.get("id"))
        and bool(rule.get("shortDescription", {"text": "-"}).get("text"))
        and rule.get("defaultConfiguration", {"level": "note"}).get("level") in LEVELS
    )


def _result_faults(result: Any, ids: list[Any]) -> Iterator[str]:
    if not result.get("message", {}).get("text"):  # 3.27.11, 3.11.8
        yield "message.text"
    if result.get("level", "warning") not in LEVELS:
        yield "level"
    index = result.get("ruleIndex", -1)
    if not -1 <= index < len(ids) or (index >= 0 and ids[index] != result.get("ruleId")):  # 3.27.6
        yield "ruleIndex"
    for name in ("locations", "relatedLocations"):  # 3.27.12, 3.27.22
        places = result.get(name, [])
        for number, place in enumerate(places):
            yield from (f"{name}[{number}].{fault}" for fault in _place_faults(place))
        numbers = [place["id"] for place in places if "id" in place]
        if len(set(numbers)) != len(numbers):  # 3.28.2
            yield f"{name}: an id twice"


def _place_faults(place: Any) -> Iterator[str]:
    physical = place.get("physicalLocation", {})
    uri = physical.get("artifactLocation", {}).get("uri", "")
    if not URI.fullmatch(uri):  # 3.4.3
        yield f"uri {uri!r}"
    region = physical.get("region", {})
    line, column = region.get("startLine"), region.get("startColumn", 1)
    if not isinstance(line, int) or line < 1:  # 3.30.5
        yield "startLine"
    if column < 1 or region.get("endColumn", column) < column:  # 3.30.6, 3.30.8
        yield "startColumn, endColumn"
