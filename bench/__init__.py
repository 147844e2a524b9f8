"""Benchmarks: a synthetic cluster of any size, the parse floor on it, and npc's ratio to that floor."""
