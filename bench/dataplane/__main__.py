"""`python -m bench.dataplane`: see `bench.dataplane.tables`."""

from bench.dataplane.tables import main

main()
