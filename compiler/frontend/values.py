"""What every policy API has: port numbers and names, protocols, CIDR blocks, lists of limited length."""

from __future__ import annotations

import re
from collections.abc import Sequence

from npc.compiler.algebra import traffic
from npc.compiler.algebra.addresses import (
    CidrText,
    Family,
    format_cidr,
    is_mapped,
    parse_address,
    parse_cidr,
)
from npc.compiler.frontend import codes
from npc.compiler.frontend.names import port_name_fault
from npc.compiler.frontend.selectors import Report
from npc.compiler.frontend.shapes import Problem, invalid, not_supported, quoted, too_many
from npc.compiler.frontend.source import PathInDocument


def check_count(
    items: Sequence[object], what: str, most: int, path: PathInDocument, help: str, report: Report
) -> None:
    """Report a list that has no item, or too many."""
    if not items:
        report(Problem(path, codes.REQUIRED, "Required value: at least one item", "Invalid", help=help))
    elif len(items) > most:
        report(too_many(path, len(items), what, most))


def read_protocol(name: str | None, path: PathInDocument, report: Report) -> int | None:
    """The number of a protocol, TCP where none is given (P9); None when there is no such protocol."""
    if name is None:
        return traffic.TCP
    if name not in traffic.NUMBERS:
        report(not_supported(path, name, traffic.NUMBERS))
        return None
    return traffic.NUMBERS[name]


def check_port_number(number: int, path: PathInDocument, report: Report) -> bool:
    """Whether a number is a port's; reported when it is not."""
    if 1 <= number <= traffic.LAST_PORT:
        return True
    shown = str(number) if abs(number) < 10**20 else "of more than 20 digits"
    report(invalid(path, shown, "a port number", help="1 to 65535"))
    return False


def check_port_name(name: str, path: PathInDocument, report: Report) -> bool:
    """Whether a text can be a container port's name; reported when it cannot."""
    fault = port_name_fault(name)
    if fault is None:
        return True
    report(invalid(path, quoted(name), "a port name", help=_port_help(name) or fault))
    return False


def _port_help(text: str) -> str:
    """How to write what was meant by a port that is no name."""
    match = re.fullmatch(r"([0-9]{1,5})(?:([-:])([0-9]{1,5})|/([A-Za-z]+))?", text)
    if match is None:
        return ""
    first, dash, last, protocol = match.groups()
    if dash:
        return f"write port: {first} and endPort: {last}"
    if protocol:
        return f"write port: {first} and protocol: {protocol.upper()}"
    return "write the number without quotes"


def read_cidr(text: str, path: PathInDocument, report: Report) -> CidrText | None:
    """A CIDR block; None when it is invalid, a warning when it is oddly written."""
    try:
        read = parse_cidr(text)
    except ValueError:
        report(invalid(path, quoted(text), "a CIDR block", help=_cidr_help(text)))
        return None
    if not read.leading_zeros and not read.host_bits:
        return read
    meant = format_cidr(read.block)
    if read.leading_zeros:
        report(
            Problem(
                path,
                codes.LEADING_ZEROS,
                f"{quoted(text)} has leading zeros; it is read as {meant}",
                help="leave the zeros out: other tools read them as octal",
            )
        )
    if read.host_bits:
        report(
            Problem(
                path,
                codes.HOST_BITS,
                f"{quoted(text)} has bits set beyond its prefix; it means {meant}",
                help=f"write {meant}",
            )
        )
    return read


def _cidr_help(text: str) -> str:
    """What a CIDR block lacks."""
    head, slash, _ = text.partition("/")
    try:
        address = parse_address(head)
    except ValueError:
        return "an address, '/' and a prefix length, like 10.0.0.0/8 or fd00::/64"
    if is_mapped(address):
        return "write an IPv4 block as IPv4"
    bits = Family.of(address).bits
    if not slash:
        return f"for the one address write {head}/{bits}"
    return f"the prefix length is a number from 0 to {bits}"
