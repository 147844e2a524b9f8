"""Targets: their names, comparisons and templates, and what their rulesets let pass."""
