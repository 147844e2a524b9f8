"""What `npc check` finds in policies that are valid: codes NPC7xx, and what is done about findings.

Every lint is a pure function from a `Subject` (policies, and a `Model` where there is an inventory) to
diagnostics; `lints.ALL` lists them. `Levels` says which of them count, and as what; `allowances` reads the
comments that allow some; `fixes` mends what can be mended without a change of meaning.
"""
