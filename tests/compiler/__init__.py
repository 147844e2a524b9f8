"""The compiler proper: labels, inventory, plans; and plans against the reference evaluator."""
