"""The reference reading of the semantics: plain, pointwise, and apart from the compiler."""
