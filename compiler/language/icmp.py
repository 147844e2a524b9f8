"""Names of ICMP message types, as nftables has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from npc.compiler.algebra import traffic

TYPES: Final[Mapping[int, Mapping[str, int]]] = {
    traffic.ICMP: {  # RFC 792, RFC 950, RFC 1256
        "echo-reply": 0,
        "destination-unreachable": 3,
        "source-quench": 4,
        "redirect": 5,
        "echo-request": 8,
        "router-advertisement": 9,
        "router-solicitation": 10,
        "time-exceeded": 11,
        "parameter-problem": 12,
        "timestamp-request": 13,
        "timestamp-reply": 14,
        "info-request": 15,
        "info-reply": 16,
        "address-mask-request": 17,
        "address-mask-reply": 18,
    },
    traffic.ICMPV6: {  # RFC 4443, RFC 2710, RFC 4861, RFC 2894, RFC 3122, RFC 3810
        "destination-unreachable": 1,
        "packet-too-big": 2,
        "time-exceeded": 3,
        "parameter-problem": 4,
        "echo-request": 128,
        "echo-reply": 129,
        "mld-listener-query": 130,
        "mld-listener-report": 131,
        "mld-listener-done": 132,
        "nd-router-solicit": 133,
        "nd-router-advert": 134,
        "nd-neighbor-solicit": 135,
        "nd-neighbor-advert": 136,
        "nd-redirect": 137,
        "router-renumbering": 138,
        "ind-neighbor-solicit": 141,
        "ind-neighbor-advert": 142,
        "mld2-listener-report": 143,
    },
}
"""By protocol: each name's type, 0 to 255."""
