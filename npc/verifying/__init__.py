"""`npc verify`: rulesets read back, proven against the policies, and what refutes them explained."""


class NotProven(Exception):
    """What npc has just compiled does not enforce the policies: a bug, whose witness is the message."""
