"""Targets: each lowers a `Plan` to its own words, and a template prints them."""
