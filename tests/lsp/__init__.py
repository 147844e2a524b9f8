"""The language server, over its functions and over its protocol."""
