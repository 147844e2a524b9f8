"""What is wrong with a text that is meant as an address, and is none; loaded when there is such a text."""

from __future__ import annotations

import re
from itertools import islice

from npc.compiler.algebra.addresses import cidrs, format_address, format_cidr, is_mapped, parse_address
from npc.compiler.ask.addressing import NoAddress, is_block

_LIKE_V4 = re.compile(r"[0-9]+(?:\.[0-9]*)+(?P<prefix>/[^/\s]*)?")
_LIKE_V6 = re.compile(r"(?=[^:]*:[^:]*:)[0-9a-zA-Z:.]+(?:%[^/]*)?(?P<prefix>/[^/\s]*)?")
_WITH_PORT = re.compile(r"(?P<address>[0-9]+(?:\.[0-9]+){3}|\[[0-9a-fA-F:.]+\]):(?P<port>[0-9]+)")
_RANGE = re.compile(r"(?P<first>[0-9a-fA-F.:]+)\s*-\s*(?P<last>[0-9a-fA-F.:]+)")
_MOST_BLOCKS = 8
"""Blocks that are written out for a range."""


def check_no_address(text: str) -> None:
    """NoAddress where a text that is no address looks like one."""
    if is_block(text):
        return
    if (found := _WITH_PORT.fullmatch(text)) is not None:
        port = found["port"]
        help = f"write {found['address'].strip('[]')}, and tcp/{port} or udp/{port} as TRAFFIC"
        raise NoAddress(f"{text!r} is an address with a port", help)
    if (found := _RANGE.fullmatch(text)) is not None and (blocks := _blocks(found["first"], found["last"])):
        raise NoAddress(f"{text!r} is a range, and no block", f"write {blocks}")
    for pattern, check in ((_LIKE_V4, _v4_fault), (_LIKE_V6, _v6_fault)):
        if (found := pattern.fullmatch(text)) is not None:
            prefix = found["prefix"]
            address = text.removesuffix(prefix) if prefix is not None else text
            what = "address" if prefix is None else "block"
            raise NoAddress(f"{text!r} is no {what}", check(address, prefix is not None))


def _v4_fault(address: str, has_prefix: bool) -> str:
    numbers = address.split(".")
    if any(not one or int(one) > 255 for one in numbers):
        return "each of the four numbers of an IPv4 address is 0 to 255"
    if len(numbers) != 4:
        more = [*numbers, *("0" * (4 - len(numbers)))]
        block = f"{'.'.join(more)}/{8 * len(numbers)}"
        return "an IPv4 address has four numbers" + (f": a block is {block}" if len(numbers) < 4 else "")
    if has_prefix:
        return "the prefix length of an IPv4 block is 0 to 32"
    return f"without leading zeros it is {'.'.join(str(int(one)) for one in numbers)}"


def _v6_fault(address: str, has_prefix: bool) -> str:
    try:
        mapped = parse_address(address)
    except ValueError:
        if "%" in address:
            return "an address of a question has no zone"
        return "an IPv6 address has eight groups of up to four hexadecimal digits; '::' stands for zeros once"
    if is_mapped(mapped):
        return f"no packet carries an IPv4 address in IPv6 form: write {format_address(mapped & 0xFFFFFFFF)}"
    return "the prefix length of an IPv6 block is 0 to 128" if has_prefix else ""


def _blocks(first: str, last: str) -> str:
    """A range as the fewest blocks, where it is one and they are few."""
    try:
        low, high = parse_address(first), parse_address(last)
    except ValueError:
        return ""
    if low > high or (low >> 128) != (high >> 128):
        return ""
    found = list(islice(cidrs((low, high)), _MOST_BLOCKS + 1))
    return ", ".join(map(format_cidr, found)) if len(found) <= _MOST_BLOCKS else "its blocks (CIDRs)"
