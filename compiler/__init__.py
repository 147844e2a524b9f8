"""From policies and an inventory to a `Plan`: everything that does not depend on a dataplane."""
