"""Proofs: does a ruleset, as a dataplane will read it, enforce a plan for every packet?

Takes what a target's reader made of a ruleset's text (a `Program`) and a plan; gives a proof or the packet
that refutes it. Shares the packet algebra with lowering, and nothing else.
"""
