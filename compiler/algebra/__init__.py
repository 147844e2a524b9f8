"""The packet algebra: exact sets of integers, addresses, traffic and packets.

Everything that npc says about a policy is an operation here: tiers and denies are differences, a
diff is a difference, a lint for shadowed rules is emptiness, verification is equality.
"""
