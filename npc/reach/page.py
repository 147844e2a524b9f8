"""A report as one HTML page that needs nothing else: no network, no other file.

What the input says reaches the page as data alone, and its script writes it as text: names of policies are
anybody's. The page's own policy lets no other script run, by the hashes of its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from npc.reach.report import Report
from npc.reach.values import page_values

_PARTS = Path(__file__).parent / "page"


def as_html(report: Report) -> str:
    """The page."""
    style, script = ((_PARTS / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    data = json.dumps(page_values(report), separators=(",", ":"), ensure_ascii=True)
    data = data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    page = (_PARTS / "page.html").read_text(encoding="utf-8")
    for mark, text in (
        ("{{script-hash}}", _hash(script)),
        ("{{style-hash}}", _hash(style)),
        ("{{style}}", style),
        ("{{script}}", script),
        ("{{data}}", data),  # last: what it holds is not looked at again
    ):
        before, _, after = page.partition(mark)
        page = before + text + after
    return page


def _hash(text: str) -> str:
    """As a Content-Security-Policy has it (CSP3, 6.7.2)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
