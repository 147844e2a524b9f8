"""Names of chains (28 characters at most) and sets (31): a kind, and the hash of what they stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from npc.compiler.algebra.addresses import Family

_DIGITS = 12


@dataclass(slots=True)
class Names:
    """Gives equal texts equal names, and never two texts one name."""

    prefix: str
    """Of chains; in lower case, of sets. At most 8 characters."""
    _texts: dict[str, str] = field(default_factory=dict)

    def chain(self, kind: str, text: str) -> str:
        """`NPC-E-0123456789ab`."""
        return self._name(f"{self.prefix}-{kind}-", text)

    def set(self, kind: str, family: Family | None, text: str) -> str:
        """`npc-p4-0123456789ab`; the family is none for sets of ports."""
        return self._name(f"{self.prefix.lower()}-{kind}{family.value if family else ''}-", text)

    def _name(self, lead: str, text: str) -> str:
        digest = blake2b(text.encode(), digest_size=16).hexdigest()
        name = lead + digest[:_DIGITS]
        while self._texts.setdefault(name, text) != text:
            # 48 bits met: the next digits tell the two apart.
            digest = digest[1:] + digest[0]
            name = lead + digest[:_DIGITS]
        return name
