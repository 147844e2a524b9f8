"""`npc lsp`: a language server for policies. Only `server` needs pygls, the optional extra `lsp`.

Everything else here is plain functions over a text and an offset in it, so that it can be tested, and
thought about, without the protocol.
"""
