"""From files to syntax: reading, validating, and saying exactly what is wrong and where."""
