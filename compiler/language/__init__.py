"""npc's own language for policies: what was written as a tree, and what it means.

`parser` makes a `tree.Program` of a text, `lowering` makes policies (`frontend.syntax`) of programs.
"""
