"""All nodes of a cluster at once: who does the work, and what is written."""
