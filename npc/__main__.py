"""`python -m npc` is the command `npc`."""

from npc.cli import main

main()
