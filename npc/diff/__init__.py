"""`npc diff`: what two sets of policies, or two inventories, let pass differently, told and printed."""
