"""Reports of all connections."""
