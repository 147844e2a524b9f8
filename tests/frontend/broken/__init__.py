"""Broken inputs and the exact words that each is met with."""
