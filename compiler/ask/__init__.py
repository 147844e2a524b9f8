"""Questions about policies: who may exchange what with whom, why, and what is missing where they may not.

Everything here works on the ends of packets (`ends`), not on a target's words: `relation` says what passes,
`rulings` which rule decides about it, `misses` which rule would almost have.
"""
