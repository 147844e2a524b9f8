"""Tests of `npc check` as a linter."""
