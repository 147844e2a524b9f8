"""Proofs of rulesets: the walk, the readers, and what they find."""
