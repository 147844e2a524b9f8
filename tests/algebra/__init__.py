"""The packet algebra against plain Python sets."""
