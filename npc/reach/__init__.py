"""All connections of a cluster, written for people and for programs: one module for each way."""
