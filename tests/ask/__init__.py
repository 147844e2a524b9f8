"""What is answered about policies, against the reference evaluator."""
