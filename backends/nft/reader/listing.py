"""What `nft --json list` prints (libnftables-json(5)) to the same tree as nft's language.

JSON has no lines: the number of a rule, chain or set is its handle, which `nft --handle list` shows too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from npc.backends.nft.reader import words as known
from npc.backends.nft.reader.file import FAMILY
from npc.backends.nft.reader.grammar import field
from npc.backends.nft.reader.tree import (
    TERMINAL,
    Chain,
    Elements,
    Hook,
    Match,
    Opaque,
    Reject,
    Right,
    Rule,
    Ruleset,
    Set,
    Statement,
    Table,
    Verdict,
    VerdictMap,
)
from npc.compiler.verify.program import Line, Malformed, Unsupported

_T = TypeVar("_T")
_IDLE = frozenset({"counter", "log", "comment", "last"})
"""Statements that change nothing, and properties of elements that do not."""
_OBJECTS = frozenset({"counter", "quota", "limit"})


def read_listing(file: str, text: str, name: str, ruleset: Ruleset) -> None:
    """Add what a listing has to a ruleset; of the tables, `inet NAME` is read.

    Unsupported, or Malformed, for the first object that is not understood.
    """
    start = Line(file, 1)
    try:
        listing = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("the JSON text", start) from None
    for entry in _get(_as(listing, dict, start), "nftables", list, start):
        ((kind, body),) = _one(entry, start)
        if kind == "metainfo":
            continue
        body = _as(body, dict, start)
        line = Line(file, max(_optional(body, "handle", int, 0, start), 1))
        family = _get(body, "family", str, line)
        table = _get(body, "name" if kind == "table" else "table", str, line)
        if (family, table) != (FAMILY, name):
            hooks = ruleset.others.setdefault((family, table), [])
            if kind == "chain" and "hook" in body:
                hooks.append(_get(body, "hook", str, line))
        else:
            if ruleset.table is None:
                ruleset.table = Table(name)
            _object(kind, body, line, ruleset.table)


def _object(kind: str, body: dict[str, Any], line: Line, table: Table) -> None:
    match kind:
        case "table":
            table.flags.update(_texts(body.get("flags", []), line))
        case "chain":
            chain = _chain(body, line)
            if chain.name in table.chains:
                raise Malformed(f"the chain `{chain.name}` twice", line)
            table.chains[chain.name] = chain
        case "set" | "map":
            one = _set(kind, body, line)
            if one.name in table.sets:
                raise Malformed(f"the {kind} `{one.name}` twice", line)
            table.sets[one.name] = one
        case "rule":
            name = _get(body, "chain", str, line)
            if name not in table.chains:
                raise Malformed(f"the chain `{name}`, which is not there", line)
            found = [_statement(one, line) for one in _get(body, "expr", list, line)]
            kept = tuple(one for one in found if one is not None)
            if any(_ends(statement) for statement in kept[:-1]):
                raise Malformed("a statement after a verdict", line)
            table.chains[name].rules.append(Rule(kept, line))
        case _ if kind not in _OBJECTS:
            raise Unsupported(f"the object `{kind}` in a table", line)


def _ends(statement: Statement) -> bool:
    return isinstance(statement, Reject) or (isinstance(statement, Verdict) and statement.word in TERMINAL)


def _chain(body: dict[str, Any], line: Line) -> Chain:
    chain = Chain(_get(body, "name", str, line), line)
    if "hook" in body:
        kind = _get(body, "type", str, line)
        if kind != "filter":
            raise Unsupported(f"the chain of type `{kind}`", line)
        chain.hook = Hook(_get(body, "hook", str, line), _get(body, "prio", int, line), line)
        chain.policy = _optional(body, "policy", str, "accept", line)
        if chain.policy not in ("accept", "drop"):
            raise Malformed(f"the policy `{chain.policy}`", line)
        for word in ("dev", "flags"):
            if word in body:
                raise Unsupported(f"the property `{word}` of a chain", line)
    return chain


def _set(kind: str, body: dict[str, Any], line: Line) -> Set:
    one = Set(_get(body, "name", str, line), line, Elements(line.file))
    types = body.get("type")
    if isinstance(types, dict):
        one.typeof = _fields(types.get("typeof"), line)
    else:
        one.types = _texts(types, line)
    if kind == "map":
        one.value = _get(body, "map", str, line)
    one.flags.update(_texts(body.get("flags", []), line))
    one.auto_merge = bool(body.get("auto-merge", False))
    one.size = _optional(body, "size", int, 0, line)
    one.unlike = next((word for word in ("timeout", "gc-interval") if word in body), "")
    for statement in _optional(body, "stmt", list, [], line):
        ((word, _),) = _one(statement, line)
        if word != "counter":
            raise Unsupported(f"the statement `{word}` in a set", line)
    _add(one.elements, _optional(body, "elem", list, [], line), kind == "map", line)
    return one


def _add(found: Elements, elements: Sequence[Any], is_map: bool, line: Line) -> None:
    for one in elements:
        key, verdict = one, None
        if is_map:
            key, value = _as(one, list, line)[:2] if len(_as(one, list, line)) == 2 else (None, None)
            verdict = _verdict(value, line)
        if isinstance(key, dict) and "elem" in key:
            key = _as(key["elem"], dict, line)
            for word in key.keys() - _IDLE - {"val"}:
                raise Unsupported(f"the element with `{word}`", line)
            key = key.get("val")
        parts = key["concat"] if isinstance(key, dict) and "concat" in key else [key]
        if not parts:
            raise Malformed("an element without a value", line)
        found.add(tuple(_value(part, line) for part in _as(parts, list, line)), verdict, line.number)


def _verdict(value: Any, line: Line) -> Verdict:
    ((word, body),) = _one(value, line)
    if word in ("jump", "goto"):
        return Verdict(word, _get(_as(body, dict, line), "target", str, line))
    if word in TERMINAL or word == "continue":
        return Verdict(word)
    raise Unsupported(f"the verdict `{word}`", line)


def _statement(value: Any, line: Line) -> Statement | None:
    ((word, body),) = _one(value, line)
    match word:
        case "match":
            return _match(_as(body, dict, line), line)
        case "vmap":
            body = _as(body, dict, line)
            return VerdictMap(_fields(body.get("key"), line), _right(body.get("data"), True, line))
        case "accept" | "drop" | "return" | "continue" | "jump" | "goto":
            return _verdict(value, line)
        case "reject":
            return _reject(body, line)
        case "limit":
            return Opaque(
                "the statement `limit` before a verdict", "a limit is understood before `log` alone"
            )
        case "mangle" if _as(body, dict, line).get("key") == {"meta": {"key": "nftrace"}}:
            return None
        case _ if word in _IDLE:
            return None
        case _:
            raise Unsupported(f"the statement `{word}`", line)


def _reject(body: Any, line: Line) -> Reject:
    if body is None:
        return Reject("")
    kind = _optional(_as(body, dict, line), "type", str, "icmpx", line)
    answer = kind.removesuffix(" reset")
    if answer not in known.REJECTIONS:
        raise Unsupported(f"the answer `reject with {kind}`", line)
    return Reject(known.REJECTIONS[answer])


def _match(body: dict[str, Any], line: Line) -> Statement:
    left, operator, right = body.get("left"), _get(body, "op", str, line), body.get("right")
    while isinstance(left, dict) and left.keys() & {"&", "|", "^", "<<", ">>"}:
        operands = _as(next(iter(left.values())), list, line)
        left, operator = operands[0] if operands else None, ""
    fields = _fields(left, line)
    if operator == "in":
        flags = Elements(line.file)
        _add(flags, right if isinstance(right, list) else [right], False, line)
        return Match(fields, "in", flags)
    if (
        operator not in known.OPERATORS
        or isinstance(right, list)
        or (isinstance(right, dict) and "|" in right)
    ):
        return Opaque(f"the match of bits of `{' . '.join(fields)}`")
    return Match(fields, known.OPERATORS[operator], _right(right, False, line))


def _fields(value: Any, line: Line) -> tuple[str, ...]:
    ((word, body),) = _one(value, line)
    if word == "concat":
        found = tuple(one for part in _as(body, list, line) for one in _fields(part, line))
        if not found:
            raise Malformed("a match of nothing", line)
        return found
    body = _as(body, dict, line)
    match word:
        case "payload" if body.keys() == {"protocol", "field"}:  # else of another header: in a tunnel
            return (field(_get(body, "protocol", str, line), _get(body, "field", str, line), line),)
        case "meta" | "ct" if body.keys() == {"key"}:
            return (field(word, _get(body, "key", str, line), line),)
        case _:
            raise Unsupported(f"the match `{word}`", line)


def _right(value: Any, is_map: bool, line: Line) -> Right:
    if isinstance(value, dict) and "set" in value:
        found = Elements(line.file)
        members = value["set"]
        _add(found, members if isinstance(members, list) else [members], is_map, line)
        return found
    return _value(value, line)


def _value(value: Any, line: Line) -> str:
    match value:
        case str():
            return value
        case int():
            return str(value)
        case {"prefix": {"addr": str(address), "len": int(length)}}:
            return f"{address}/{length}"
        case {"range": [str() | int() as first, str() | int() as last]}:
            return f"{first}-{last}"
        case _:
            raise Unsupported(f"the value `{json.dumps(value)[:60]}`", line)


def _one(value: Any, line: Line) -> Sequence[tuple[str, Any]]:
    """The one member of an object."""
    if not isinstance(value, dict) or len(value) != 1:
        raise Malformed(f"the object `{json.dumps(value)[:60]}`", line)
    return tuple(value.items())


def _as(value: Any, kind: type[_T], line: Line) -> _T:
    if not isinstance(value, kind):
        raise Malformed(f"the value `{json.dumps(value)[:60]}`", line)
    return value


def _get(body: dict[str, Any], key: str, kind: type[_T], line: Line) -> _T:
    if key not in body:
        raise Malformed(f"an object without `{key}`", line)
    return _as(body[key], kind, line)


def _optional(body: dict[str, Any], key: str, kind: type[_T], default: _T, line: Line) -> _T:
    return _get(body, key, kind, line) if key in body else default


def _texts(value: Any, line: Line) -> tuple[str, ...]:
    """A text, or several."""
    return tuple(_as(one, str, line) for one in (value if isinstance(value, list) else [value]))
